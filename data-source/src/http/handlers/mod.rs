//! One module per route. Handlers turn requests into calls and results into responses; they contain no rules.

pub(crate) mod aggregate;
pub(crate) mod capabilities;
pub(crate) mod health;
pub(crate) mod page;
mod part;
pub(crate) mod read_all;
pub(crate) mod read_file;
pub(crate) mod sense;
