//! One queue of the broker as the first page lists it.

use crate::http::{api::views::Queue, pages::wording::counted};

/// One queue.
pub(crate) struct QueueLine {
    pub(crate) name: String,
    pub(crate) state: &'static str,
    /// Its purpose and how full it is, separated by dots.
    pub(crate) facts: String,
    pub(crate) error: Option<String>,
}

impl From<Queue> for QueueLine {
    fn from(queue: Queue) -> Self {
        let mut facts = vec![queue.role];
        facts.extend(queue.ready.map(|ready| format!("{} waiting", counted(ready, "message"))));
        facts.extend(queue.unacknowledged.filter(|count| *count > 0).map(|count| format!("{count} in hand")));
        let aside = Some(queue.dead_lettered).filter(|count| *count > 0);
        facts.extend(aside.map(|count| format!("{} made", counted(count, "dead letter"))));
        Self { name: queue.name, state: queue.state, facts: facts.join(" · "), error: queue.error }
    }
}
