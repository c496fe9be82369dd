//! Publishing to the queue of a broker: files become messages, and each is sent until the broker has confirmed it.
//! The connection itself is the crate `tributary-amqp`, and what a message means is up to its receiver.
//! Uploads to a master, which need no broker, are outside of this room.

mod deliver;
mod documents;
mod item;
mod lines;
mod operations;
mod outcome;
mod pace;
mod progress;
mod run;
mod tries;
mod window;

pub use outcome::Published;
pub use run::publish;
