//! Tests of what only a PostgreSQL server does. These tests need one, so they are ignored unless asked for: `cargo xtask services` starts it.

mod lease;
mod plans;
mod schema;

use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query, sql_types::Text};

use crate::{Database, client::Client};

/// A connection that is none of ours.
fn client(database: &Database) -> PgConnection {
    match database.client() {
        Client::Server(client) => client,
        Client::File(_) => panic!("set {} to the URL of a server", crate::SERVER),
    }
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The texts of a query's column `name`.
fn names(client: &mut PgConnection, query: &str) -> Vec<String> {
    sql_query(query).load::<Name>(client).unwrap().into_iter().map(|row| row.name).collect()
}
