//! Messages of older systems, as their producers publish them to the queue `csv_tasks`: tasks, which are answered, and changes of
//! single rows.
//!
//! It belongs here if it reads or answers such a message. The master and the broker do not belong here.

mod change;
mod result;
mod rows;
mod task;

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tributary_amqp::Message;

pub(crate) use change::Change;
pub(crate) use result::RESULTS;
pub(crate) use task::Task;

/// The queue of these messages, unless another is named.
pub(crate) const QUEUE: &str = "csv_tasks";

/// The members of a JSON object, each as it is written there.
type Members<'a> = BTreeMap<String, &'a RawValue>;

/// A message of an older system.
pub(crate) enum Older {
    Task(Task),
    Change(Change),
}

/// The reason why a message can never be used.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) why: String,
    /// The result that the producer waits for.
    pub(crate) result: Option<Box<Message>>,
}

/// Reads a message.
///
/// # Errors
/// It can never be used.
pub(crate) fn read(message: &Message, body: &[u8]) -> Result<Older, Refusal> {
    let unanswered = |why| Refusal { why, result: None };
    let members: Members =
        serde_json::from_slice(body).map_err(|error| unanswered(format!("it is not a JSON object: {error}")))?;
    if members.contains_key("operation") {
        return Change::of(&members).map(Older::Change).map_err(unanswered);
    }
    if members.contains_key("task_id") || members.contains_key("csv_data") {
        return Task::of(message, &members).map(Older::Task);
    }
    Err(unanswered("it has neither a member `task_id` nor a member `operation`".to_owned()))
}

/// A member that is a text.
///
/// # Errors
/// It is another value, or not there.
fn text(members: &Members<'_>, name: &str) -> Result<String, String> {
    let raw = members.get(name).ok_or_else(|| format!("it has no member `{name}`"))?;
    serde_json::from_str(raw.get()).map_err(|_| format!("its member `{name}` is not a text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_neither_a_task_nor_a_change_is_refused_without_an_answer() {
        let check = |body: &str, expect: &str| {
            let Err(refusal) = read(&Message::default(), body.as_bytes()) else { panic!("{body} is read") };
            assert!(refusal.why.contains(expect), "{body}: {}", refusal.why);
            assert_eq!(refusal.result, None, "{body}");
        };
        check("name,value\na,1\n", "not a JSON object");
        check("[]", "not a JSON object");
        check("{", "not a JSON object");
        check("{\"op\":\"add\"}", "neither a member `task_id` nor");
    }
}
