//! The results of tasks, in the form that the older systems publish and read.

use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use tributary_amqp::Message;

/// The queue of the results.
pub(crate) const RESULTS: &str = "processed_results";

#[derive(Serialize)]
struct Success<'a> {
    status: &'static str,
    task_id: &'a str,
    row_count: usize,
    data: &'a RawValue,
    processed_at: String,
    worker_id: String,
    processing_time: f64,
}

#[derive(Serialize)]
struct Failure<'a> {
    error: &'a str,
    task_id: Option<&'a str>,
    worker_id: String,
    processing_time: f64,
}

/// The result of a task that the master has taken.
pub(super) fn success(task: &str, (row_count, data): (usize, &RawValue), took: Duration) -> Message {
    let result = Success {
        status: "success",
        task_id: task,
        row_count,
        data,
        processed_at: now(),
        worker_id: worker(),
        processing_time: took.as_secs_f64(),
    };
    message(Some(task), &result)
}

/// The result of a task that can never be used. Its id may be unknown.
pub(super) fn failure(task: Option<&str>, why: &str, took: Duration) -> Message {
    let result = Failure { error: why, task_id: task, worker_id: worker(), processing_time: took.as_secs_f64() };
    message(task, &result)
}

/// Now, as Python's `datetime.fromisoformat` has always read it: with an offset rather than `Z`.
pub(super) fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Micros, false)
}

fn worker() -> String {
    format!("relay-{}", std::process::id())
}

fn message(task: Option<&str>, result: &impl Serialize) -> Message {
    let body = serde_json::to_vec(result).expect("texts and numbers are JSON");
    Message { id: task.map(str::to_owned), body, ..Message::default() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(message: &Message) -> Value {
        serde_json::from_slice(&message.body).unwrap()
    }

    #[test]
    fn results_have_exactly_the_members_of_the_older_systems() {
        let data: Box<RawValue> = serde_json::from_str(r#"[{"name":"a"}]"#).unwrap();
        let message = success("t1", (1, &data), Duration::from_millis(1500));
        assert_eq!(message.id.as_deref(), Some("t1"));
        let mut result = read(&message);
        let time = result["processed_at"].take();
        assert!(time.as_str().unwrap().ends_with("+00:00"), "{time}");
        let worker = result["worker_id"].take();
        assert!(worker.as_str().unwrap().starts_with("relay-"), "{worker}");
        let expect = json!({"status": "success", "task_id": "t1", "row_count": 1, "data": [{"name": "a"}],
            "processed_at": null, "worker_id": null, "processing_time": 1.5});
        assert_eq!(result, expect);

        let message = failure(None, "why", Duration::ZERO);
        let expect = json!({"error": "why", "task_id": null, "worker_id": worker, "processing_time": 0.0});
        assert_eq!((read(&message), message.id), (expect, None));
    }
}
