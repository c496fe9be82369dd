//! Jobs: the request of a message, and how it is done.

use bytes::Bytes;
use tributary_amqp::Message;

use crate::{
    document::Document,
    master::{Master, Verdict},
};

/// The request of a message.
pub(crate) enum Job {
    /// To store a document.
    Document(Document),
    /// Nothing that can be done, for this reason.
    Unusable(String),
}

impl Job {
    /// Reads a message.
    pub(crate) fn of(message: &Message, body: Bytes) -> Self {
        Document::of(message, body).map_or_else(Self::Unusable, Self::Document)
    }

    /// The path that it changes. One job of a path is on its way at a time.
    pub(crate) fn key(&self) -> Option<&str> {
        match self {
            Self::Document(document) => Some(&document.path),
            Self::Unusable(_) => None,
        }
    }

    /// Does it.
    pub(crate) async fn run(&self, master: &Master) -> Verdict {
        match self {
            Self::Document(document) => master.put(document).await,
            Self::Unusable(why) => Verdict::Unusable(why.clone()),
        }
    }
}
