//! One module a route or a family of them. They turn requests into calls and results into answers.

pub(crate) mod aggr;
pub(crate) mod assets;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod home;
pub(crate) mod lists;
pub(crate) mod product;
pub(crate) mod products;
pub(crate) mod rejects;
pub(crate) mod reports;
pub(crate) mod sources;
pub(crate) mod update;
pub(crate) mod upload;
pub(crate) mod uploads;
