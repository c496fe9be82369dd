//! Terms of an edit: who makes it, and on what condition.

use crate::ingest::ChangeOrigin;

/// The entrance through which an edit comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Entrance {
    /// The form on a page.
    Form,
    /// The HTTP API.
    #[default]
    Api,
    /// A queue of a broker.
    Queue,
    /// gRPC.
    Grpc,
}

impl Entrance {
    /// Its name, as the database and the API have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Api => "api",
            Self::Queue => "queue",
            Self::Grpc => "grpc",
        }
    }
}

/// The author of an edit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Author {
    /// The entrance.
    pub entrance: Entrance,
    /// The name of the token, or else the one that the person gives, which nothing proves.
    pub user: Option<String>,
}

impl Author {
    pub(super) fn origin(self) -> ChangeOrigin {
        ChangeOrigin::Edit { entrance: self.entrance.name(), author: self.user }
    }
}

/// A condition on what is shown before an edit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Expected {
    /// None.
    #[default]
    Anything,
    /// The product is shown.
    Shown,
    /// The product is not shown.
    NotShown,
    /// The product and its edit are as in one of these versions, see [`crate::ProductDetail::version`].
    Versions(Vec<String>),
}

/// Terms of an edit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EditTerms {
    /// The author.
    pub author: Author,
    /// Otherwise the edit is refused, and the answer says what is there.
    pub expected: Expected,
    /// Whether nothing changes if the product is not shown.
    pub only_if_shown: bool,
}
