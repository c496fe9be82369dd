//! Jobs: the request of a message, and how it is done.

use bytes::Bytes;
use tributary_amqp::Message;

use crate::{
    cli::Compat,
    compat::{self, Change, Older, Refusal, Task},
    document::Document,
    master::{Master, Verdict},
};

/// The request of a message.
pub(crate) enum Job {
    /// To store a document.
    Document(Document),
    /// To store a document, and to answer with its rows.
    Task(Task),
    /// To change single rows.
    Change(Change),
    /// Nothing that can be done.
    Unusable(Refusal),
}

/// The end of a job.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// The result that the producer waits for.
    pub(crate) result: Option<Message>,
}

impl Job {
    /// Reads a message.
    pub(crate) fn of(compat: Option<Compat>, message: &Message, body: Bytes) -> Self {
        match compat {
            None => match Document::of(message, body) {
                Ok(document) => Self::Document(document),
                Err(why) => Self::Unusable(Refusal { why, result: None }),
            },
            Some(Compat::CsvTasks) => match compat::read(message, &body) {
                Ok(Older::Task(task)) => Self::Task(task),
                Ok(Older::Change(change)) => Self::Change(change),
                Err(refusal) => Self::Unusable(refusal),
            },
        }
    }

    /// The path or folder that it changes. One job of a path is on its way at a time.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::Document(document) => Some(&document.path),
            Self::Task(task) => Some(task.key()),
            Self::Change(change) => Some(change.key()),
            Self::Unusable(_) => None,
        }
    }

    /// Does it.
    pub(crate) async fn run(&self, master: &Master) -> Outcome {
        let (verdict, result) = match self {
            Self::Document(document) => (master.put(document).await, None),
            Self::Task(task) => task.run(master).await,
            Self::Change(change) => (change.run(master).await, None),
            Self::Unusable(Refusal { why, result }) => (Verdict::Unusable(why.clone()), result.as_deref().cloned()),
        };
        Outcome { verdict, result }
    }
}
