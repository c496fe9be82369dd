//! Records of what happened, kept up to a bounded number: events for subscribers, and how far exchanges
//! of a broker have got. The JSON of an event belongs to the engine.

mod events;
mod published;

pub use events::EventRow;
