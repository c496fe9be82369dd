//! Held versions: one per source, accepted, forgotten; and the count of skus that a source offers.

use tributary_store::{Error, HeldVersionRow, ProductRow, ShadowedRow, SourcePass, SourceState};

use crate::{Database, FEED, put};

fn held(source_id: i64, digest: &str) -> HeldVersionRow {
    HeldVersionRow {
        source_id,
        digest: digest.to_owned(),
        removes: 200,
        offers: 300,
        reason: "why".to_owned(),
        held_since: "2026-11-28T10:00:00Z".to_owned(),
        held_until: None,
        accepted: false,
        accepted_by: None,
        accepted_at: None,
    }
}

#[test]
fn a_source_has_one_held_version_and_takes_it_with_it() {
    let mut database = Database::new();
    let store = &mut database.store;
    let source = store.put_source("north", "http://n", 0, 0).unwrap();
    assert_eq!(store.held_version(source).unwrap(), None);
    assert!(matches!(store.accept_held_version(source, None, "t"), Err(Error::Corrupt { .. })));
    store.put_held_version(&held(source, "a")).unwrap();
    store.put_held_version(&held(source, "b")).unwrap();
    assert_eq!(store.held_versions().unwrap(), [held(source, "b")]);
    store.accept_held_version(source, Some("ann"), "2026-11-29T10:00:00Z").unwrap();
    let accepted = store.held_version(source).unwrap().unwrap();
    let (by, at) = (accepted.accepted_by.as_deref(), accepted.accepted_at.as_deref());
    assert_eq!((accepted.accepted, by, at), (true, Some("ann"), Some("2026-11-29T10:00:00Z")));
    store.clear_held_version(source).unwrap();
    store.clear_held_version(source).unwrap();
    assert_eq!(store.held_version(source).unwrap(), None);
    store.put_held_version(&held(source, "c")).unwrap();
    store.delete_source(source).unwrap();
    assert_eq!(store.held_versions().unwrap(), []);
    assert!(matches!(store.put_held_version(&held(source, "d")), Err(Error::Query { .. })));
}

#[test]
fn a_source_can_be_held() {
    let mut database = Database::new();
    let store = &mut database.store;
    let source = store.put_source("north", "http://n", 0, 0).unwrap();
    let pass =
        SourcePass { state: SourceState::Held, error: None, version: None, last_sensed: None, last_applied: None };
    store.set_source_pass(source, &pass).unwrap();
    assert_eq!(store.sources().unwrap()[0].state, SourceState::Held);
}

#[test]
fn a_sku_that_a_source_offers_twice_counts_once() {
    let mut database = Database::new();
    let (first, other) = (database.file_of("north"), database.file_of("south"));
    let store = &mut database.store;
    let north = store.sources().unwrap().into_iter().find(|row| row.name == "north").unwrap().id;
    let second = put(store, FEED, north, "second.csv");
    let product = |sku: &str, file_id, edited| ProductRow {
        sku: sku.into(),
        name: String::new(),
        description: String::new(),
        file_id: Some(file_id),
        edited,
        own: None,
    };
    let offer = |sku: &str, file_id, deletes| ShadowedRow {
        sku: sku.into(),
        file_id,
        deletes,
        name: String::new(),
        description: String::new(),
        own: None,
    };
    // a: shown and shadowed; b: edited, twice; c: shown from south, offered by north; d: deleted by north; e: south's alone.
    store
        .insert_products(
            &[
                product("a", first, false),
                product("b", first, true),
                product("c", other, false),
                product("e", other, false),
            ],
            0,
        )
        .unwrap();
    store
        .insert_shadowed(&[
            offer("a", second, false),
            offer("b", first, false),
            offer("b", second, false),
            offer("c", second, false),
            offer("d", second, true),
        ])
        .unwrap();
    assert_eq!(store.offered_skus(FEED, north).unwrap(), 3);
}
