//! One queue of the broker as the first page lists it.

use tributary_engine::QueueRole;

use crate::http::{api::views::Queue, pages::text::wording::counted};

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
        let is_without_relay = queue.role == QueueRole::Documents.as_str() && queue.consumers == Some(0);
        let mut facts = vec![queue.role];
        facts.extend(queue.ready.map(|ready| format!("{} waiting", counted(ready, "message"))));
        facts.extend(is_without_relay.then(|| "no relay takes them".to_owned()));
        facts.extend(queue.unacknowledged.filter(|count| *count > 0).map(|count| format!("{count} in hand")));
        let aside = Some(queue.dead_lettered).filter(|count| *count > 0);
        facts.extend(aside.map(|count| format!("{} made", counted(count, "dead letter"))));
        Self { name: queue.name, state: queue.state, facts: facts.join(" · "), error: queue.error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_says_how_full_it_is_and_who_is_missing() {
        let check = |role: QueueRole, ready, consumers, expect: &str| {
            let queue = Queue {
                name: "q".into(),
                role: role.as_str().into(),
                state: "up",
                ready,
                consumers,
                unacknowledged: (role == QueueRole::Operations).then_some(7),
                dead_lettered: i64::from(role == QueueRole::Operations),
                error: None,
                changed_at: String::new(),
            };
            assert_eq!(QueueLine::from(queue).facts, expect);
        };
        check(
            QueueRole::Operations,
            Some(1),
            Some(0),
            "operations · 1 message waiting · 7 in hand · 1 dead letter made",
        );
        check(QueueRole::Documents, Some(2), Some(0), "documents · 2 messages waiting · no relay takes them");
        check(QueueRole::Documents, Some(2), Some(1), "documents · 2 messages waiting");
        check(QueueRole::Documents, None, None, "documents");
        check(QueueRole::DeadLetters, Some(2), Some(0), "dead letters · 2 messages waiting");
        check(QueueRole::Events, Some(0), None, "events · 0 messages waiting");
    }
}
