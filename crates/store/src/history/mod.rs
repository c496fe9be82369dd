//! Records of what happened, kept up to a bounded number: events for subscribers. The JSON of an event belongs to the engine.

mod events;

pub use events::EventRow;
