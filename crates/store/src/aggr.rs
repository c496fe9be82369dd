//! Moving `aggr`: how many products bear a name. It is moved by differences that the merge computed, never recounted.

use diesel::{prelude::*, query_builder::AstPass, sql_types::Text, sqlite::Sqlite};

use crate::{
    Error, Store, Tally,
    bulk::{Bulk, push_pair},
    error::{Doing, all_of},
    schema::aggr::dsl,
    state::{CHUNK, Lookup, wanted_rows},
};

/// One name and its number of products.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::schema::aggr)]
pub struct AggrRow {
    /// The key; the empty name is a name.
    pub name: String,
    /// At least 1.
    pub no_of_products: i64,
}

const AGGR: Lookup<AggrRow> = Lookup {
    key: |row| &row.name,
    range: |connection, first, last, limit| {
        dsl::aggr
            .filter(dsl::name.ge(first).and(dsl::name.le(last)))
            .select(AggrRow::as_select())
            .order(dsl::name)
            .limit(limit)
            .load(connection)
    },
    listed: |connection, names| {
        dsl::aggr.filter(dsl::name.eq_any(names)).select(AggrRow::as_select()).order(dsl::name).load(connection)
    },
};

impl Store {
    /// Adds a difference to the count of each name. The names must be sorted by bytes and unique, the differences not
    /// zero. A name that is new gets a row, one that comes to 0 loses it.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a count would fall below 0, which says that `aggr` and `products`
    /// had parted before.
    pub fn move_aggr<T: AsRef<str>>(&mut self, moves: &[(T, i64)]) -> Result<(), Error> {
        let mut names_moved = 0;
        for moves in moves.chunks(CHUNK) {
            let names: Vec<&str> = moves.iter().map(|(name, _)| name.as_ref()).collect();
            let before = wanted_rows(&mut self.connection, &names, &AGGR).doing(|| "read counts of names from aggr")?;
            let mut before = before.into_iter().peekable();
            let (mut gone, mut counted) = (Vec::new(), Vec::new());
            for (name, difference) in moves {
                let name = name.as_ref();
                let old = before.next_if(|row| row.name == *name).map_or(0, |row| row.no_of_products);
                let new = old + difference;
                if new < 0 {
                    let what = format!("`aggr` counts {old} products of the name {name:?}, of which {} go", old - new);
                    return Err(Error::Corrupt { what });
                }
                // Deleted and inserted where it changes, for the reason given at `update_products`.
                gone.extend((old > 0).then_some(Key(name)));
                counted.extend((new > 0).then_some(Count(name, new)));
            }
            let deleted = self.bulk(&gone, |Key(name)| format!("delete the name {name:?} from aggr"))?;
            all_of(&gone, deleted, |Key(name)| format!("`aggr` has no row for the name {name:?}"))?;
            self.bulk(&counted, |Count(name, count)| format!("count {count} products of {name:?} in aggr"))?;
            names_moved += counted.len() as i64 - gone.len() as i64;
        }
        self.move_tally(Tally { names: names_moved, ..Tally::default() })
    }
}

/// A name to delete.
struct Key<'a>(&'a str);

impl Bulk for Key<'_> {
    type Kind = Key<'static>;
    const BEFORE: &'static str = "DELETE FROM aggr WHERE name IN (";
    const AFTER: &'static str = ")";

    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(self.0)
    }
}

/// A name to insert, with its number of products.
struct Count<'a>(&'a str, i64);

impl Bulk for Count<'_> {
    type Kind = Count<'static>;
    const BEFORE: &'static str = "INSERT INTO aggr (name, no_of_products) VALUES ";
    const AFTER: &'static str = "";

    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        push_pair(out, self.0, &self.1)
    }
}
