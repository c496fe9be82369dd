//! Events: numbered, bounded, and deleted together.

use crate::Database;

fn put(database: &mut Database, count: usize) {
    let put = |store: &mut tributary_store::Store| {
        (0..count).try_for_each(|_| store.put_event("2026-11-28T10:00:00Z", "edit", "{}"))
    };
    database.store.transaction(put).unwrap();
}

#[test]
fn the_newest_ten_thousand_are_kept() {
    let mut database = Database::new();
    assert_eq!(database.store.event_range().unwrap(), None);
    put(&mut database, 10_003);
    assert_eq!(database.store.event_range().unwrap(), Some((4, 10_003)));
    let ids = |rows: Vec<tributary_store::EventRow>| rows.iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(database.store.events_after(4, 2).unwrap()), [5, 6]);
    assert_eq!(ids(database.store.latest_events(2).unwrap()), [10_003, 10_002]);
    assert_eq!(ids(database.store.events_after(10_003, 2).unwrap()), [0i64; 0]);
}

#[test]
fn of_more_events_than_are_kept_the_last_stay() {
    let mut database = Database::new();
    put(&mut database, 3);
    let events: Vec<_> = (0..10_001).map(|number| ("edit".to_owned(), number.to_string())).collect();
    database.store.put_events("2026-11-28T10:00:00Z", &events).unwrap();
    assert_eq!(database.store.event_range().unwrap(), Some((5, 10_004)));
    assert_eq!(database.store.events_after(4, 1).unwrap()[0].data, "1");
}

#[test]
fn events_that_an_exchange_does_not_have_are_kept() {
    let mut database = Database::new();
    put(&mut database, 3);
    database.store.note_published("out", 2).unwrap();
    put(&mut database, 12_000);
    assert_eq!(database.store.event_range().unwrap(), Some((3, 12_003)));
    assert_eq!(database.store.unpublished_events("out").unwrap(), 12_001);
    assert_eq!(database.store.unpublished_events("another").unwrap(), 0);
    database.store.note_published("out", 12_000).unwrap();
    put(&mut database, 1);
    assert_eq!(database.store.event_range().unwrap(), Some((2_005, 12_004)));
    database.store.note_published("slow", 5).unwrap();
    put(&mut database, 100);
    assert_eq!(database.store.event_range().unwrap().unwrap().0, 2_005);
    database.store.publish_only_to(Some("out")).unwrap();
    put(&mut database, 1);
    assert_eq!(database.store.event_range().unwrap(), Some((2_106, 12_105)));
    database.store.publish_only_to(None).unwrap();
    assert_eq!(database.store.published("out").unwrap(), None);
}

#[test]
fn no_number_is_used_again_after_all_are_deleted() {
    let mut database = Database::new();
    put(&mut database, 3);
    database.store.forget_events().unwrap();
    assert_eq!(database.store.event_range().unwrap(), None);
    put(&mut database, 1);
    assert_eq!(database.store.event_range().unwrap(), Some((4, 4)));
}

/// The first one is written with a rollback journal.
#[test]
fn large_transactions_may_follow_each_other() {
    let mut database = Database::new();
    let put = |store: &mut tributary_store::Store| store.put_event("2026-11-28T10:00:00Z", "edit", "{}");
    for id in 1..4 {
        database.store.transaction_of(60_000, put).unwrap();
        assert_eq!(database.store.event_range().unwrap(), Some((1, id)));
    }
}
