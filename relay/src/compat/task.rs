//! A task: `{"task_id", "csv_data"}`. Its CSV becomes a document, and its producer gets the rows back.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::value::{RawValue, to_raw_value};
use tributary_amqp::Message;

use super::{
    Members, Refusal,
    result::{self, failure, success},
    rows::Rows,
    text,
};
use crate::{
    document::{Document, check_path},
    master::{Master, Verdict},
};

/// Bytes of the rows in a result. Brokers from 4.0 on take no larger message.
const MAX_RESULT_BYTES: usize = 15 << 20;

/// A task.
#[derive(Debug)]
pub(crate) struct Task {
    id: String,
    document: Document,
    row_count: usize,
    /// Its rows, as the result has them.
    data: Box<RawValue>,
}

impl Task {
    /// Reads a task.
    ///
    /// # Errors
    /// It can never be used; its producer is told.
    pub(super) fn of(message: &Message, members: &Members<'_>) -> Result<Self, Refusal> {
        let id = text(members, "task_id");
        let known = id.as_deref().ok().or(message.id.as_deref()).map(str::to_owned);
        Self::read(id, message, members).map_err(|why| {
            let result = failure(known.as_deref(), &why, Duration::ZERO);
            Refusal { why, result: Some(Box::new(result)) }
        })
    }

    fn read(id: Result<String, String>, message: &Message, members: &Members<'_>) -> Result<Self, String> {
        let id = id?;
        let csv = text(members, "csv_data")?;
        let path = format!("{id}.csv");
        check_path(&path)?;
        let rows = Rows::read(&csv, result::now())?;
        let data = to_raw_value(&rows).map_err(|error| format!("its rows cannot be written as JSON: {error}"))?;
        if data.get().len() > MAX_RESULT_BYTES {
            return Err(format!("its result would have more than {MAX_RESULT_BYTES} bytes; split the file"));
        }
        let message = message.id.clone().or_else(|| Some(id.clone()));
        let document = Document { path, message, sequence: None, packing: None, body: Bytes::from(csv) };
        Ok(Self { id, document, row_count: rows.len(), data })
    }

    /// The path of its document.
    pub(crate) fn key(&self) -> &str {
        &self.document.path
    }

    /// Hands its document over. Returns the result with the verdict, unless the master is away.
    pub(crate) async fn run(&self, master: &Master) -> (Verdict, Option<Message>) {
        let began = Instant::now();
        match master.put(&self.document).await {
            Verdict::Taken => {
                let result = success(&self.id, (self.row_count, &self.data), began.elapsed());
                (Verdict::Taken, Some(result))
            }
            Verdict::Unusable(why) => {
                let result = failure(Some(&self.id), &why, began.elapsed());
                (Verdict::Unusable(why), Some(result))
            }
            away @ Verdict::Away(_) => (away, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn of(message: Option<&str>, body: &str) -> Result<Task, Refusal> {
        let message = Message { id: message.map(str::to_owned), ..Message::default() };
        Task::of(&message, &serde_json::from_str(body).unwrap())
    }

    #[test]
    fn a_task_is_a_document_named_after_it() {
        let body = r#"{"task_id":"d4_17","csv_data":"name,value\na,1\n"}"#;
        let task = of(None, body).unwrap();
        assert_eq!((task.key(), task.document.message.as_deref()), ("d4_17.csv", Some("d4_17")));
        assert_eq!((&task.document.body[..], task.row_count), (&b"name,value\na,1\n"[..], 1));
        assert_eq!(of(Some("m"), body).unwrap().document.message.as_deref(), Some("m"));
    }

    #[test]
    fn what_can_never_be_used_is_answered() {
        let check = |message: Option<&str>, body: &str, id: Option<&str>, expect: &str| {
            let Err(Refusal { why, result }) = of(message, body) else { panic!("{expect}: it is read") };
            let result: Value = serde_json::from_slice(&result.unwrap().body).unwrap();
            assert!(why.contains(expect), "{expect}: {why}");
            assert_eq!((result["error"].as_str(), result["task_id"].as_str()), (Some(why.as_str()), id), "{expect}");
        };
        check(None, r#"{"task_id":"t"}"#, Some("t"), "no member `csv_data`");
        check(None, r#"{"task_id":"t","csv_data":[]}"#, Some("t"), "`csv_data` is not a text");
        check(None, r#"{"task_id":"t","csv_data":"a,b\n"}"#, Some("t"), "no column `name`");
        check(Some("m"), r#"{"csv_data":"name,value\n"}"#, Some("m"), "no member `task_id`");
        check(None, r#"{"task_id":7,"csv_data":"name,value\n"}"#, None, "`task_id` is not a text");
        check(None, r#"{"task_id":"../t","csv_data":"name,value\n"}"#, Some("../t"), "an empty step");
        let long = format!(r#"{{"task_id":"t","csv_data":"name,value\n{}"}}"#, "a,1\\n".repeat(300_000));
        check(None, &long, Some("t"), "its result would have more than");
    }
}
