//! The statements that a store sends, for tests of query plans.

use std::{cell::RefCell, sync::Once};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use tributary_store::{DatabaseUrl, Error, Store};

thread_local! {
    /// The statements that this thread has run while it records.
    static STATEMENTS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

fn recorder() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(|event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let query = query.to_string();
            let sql = query.split(" -- binds:").next().unwrap_or_default().to_owned();
            STATEMENTS.with_borrow_mut(|statements| statements.iter_mut().for_each(|all| all.push(sql.clone())));
        }
    }))
}

/// The statements of `run` that read or delete, after `prepare`, with places in place of values.
pub(crate) fn statements<T>(
    url: &DatabaseUrl,
    prepare: impl FnOnce(&mut Store) -> Result<(), Error>,
    run: impl FnOnce(&mut Store) -> Result<T, Error>,
) -> Vec<String> {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| set_default_instrumentation(recorder).unwrap());
    let mut store = Store::open(url).unwrap();
    prepare(&mut store).unwrap();
    STATEMENTS.set(Some(Vec::new()));
    run(&mut store).unwrap();
    let mut statements = STATEMENTS.take().unwrap();
    statements.retain(|sql| sql.starts_with("SELECT") || sql.starts_with("DELETE"));
    statements
}
