//! Writes to the table `aggr`, the number of products per name. The merge computes differences and this module adds them; nothing
//! counts the products again. People read it through `name_views`.

use diesel::{connection::DefaultLoadingMode, prelude::*};

use crate::{
    Error, Store, Tally,
    database::{
        bulk::{Bulk, Change, Values},
        error::{OrCannot, all_of},
        keys::{Lookup, each, rows_of_keys},
        schema::aggr::dsl,
    },
    postgres::{CopyInto, copy_into},
};

/// One name and its number of products.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = crate::database::schema::aggr)]
pub struct AggrRow {
    /// The key. The empty name counts too.
    pub name: String,
    /// At least 1.
    pub no_of_products: i64,
}

const AGGR: Lookup<AggrRow> = Lookup {
    key: |row| &row.name,
    bytes: |row| row.name.len(),
    range: |connection, first, last, limit, take| {
        let query = dsl::aggr
            .filter(dsl::name.ge(first).and(dsl::name.le(last)))
            .select(AggrRow::as_select())
            .order(dsl::name)
            .limit(limit);
        each(query.load_iter::<_, DefaultLoadingMode>(connection)?, take)
    },
    listed: |connection, names, take| {
        let query = dsl::aggr.filter(dsl::name.eq_any(names)).select(AggrRow::as_select()).order(dsl::name);
        each(query.load_iter::<_, DefaultLoadingMode>(connection)?, take)
    },
};

impl Store {
    /// Adds a difference to the count of each name, all of which are held in memory. The names must be sorted by bytes and unique, the
    /// differences not zero. A new name gets a row; a name whose count becomes 0 loses it.
    ///
    /// # Errors
    /// [`Error::Query`]; [`Error::Corrupt`] when a count would fall below 0: `aggr` and `products` disagreed before.
    pub fn add_to_aggr<T: AsRef<str>>(&mut self, differences: &[(T, i64)]) -> Result<(), Error> {
        let names: Vec<&str> = differences.iter().map(|(name, _)| name.as_ref()).collect();
        let before =
            rows_of_keys(&mut self.connection, &names, &AGGR).or_cannot(|| "read counts of names from aggr")?;
        let mut before = before.into_iter().peekable();
        let (mut outdated, mut counted) = (Vec::new(), Vec::new());
        for (name, difference) in differences {
            let name = name.as_ref();
            let old = before.next_if(|row| row.name == *name).map_or(0, |row| row.no_of_products);
            let new = old + difference;
            if new < 0 {
                let removed = old - new;
                let what = format!("`aggr` counts {old} products of the name {name:?}, but {removed} are removed");
                return Err(Error::Corrupt { what });
            }
            // Deletes and inserts, for the same reason as `update_products`.
            outdated.extend((old > 0).then_some(NameKey(name)));
            counted.extend((new > 0).then_some(NameCount(name, new)));
        }
        let deleted = self.bulk(&outdated, |NameKey(name)| format!("delete the name {name:?} from aggr"))?;
        all_of(&outdated, deleted, |NameKey(name)| format!("`aggr` has no row for the name {name:?}"))?;
        self.bulk(&counted, |NameCount(name, count)| format!("count {count} products of {name:?} in aggr"))?;
        let names_added = counted.len() as i64 - outdated.len() as i64;
        self.add_to_tally(Tally { names: names_added, ..Tally::default() })
    }
}

/// A name to delete.
struct NameKey<'a>(&'a str);

impl Bulk for NameKey<'_> {
    type Kind = NameKey<'static>;
    const CHANGE: Change = Change::Delete { table: "aggr", key: &["name"] };

    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        out.text(self.0)
    }
}

/// A name to insert, with its number of products.
struct NameCount<'a>(&'a str, i64);

impl Bulk for NameCount<'_> {
    type Kind = NameCount<'static>;
    const CHANGE: Change =
        Change::Insert { table: "aggr", columns: &["name", "no_of_products"], on_conflict: "", scattered: false };
    const COPY: Option<CopyInto> = Some(copy_into!(aggr: name, no_of_products));

    fn push<'b>(&'b self, out: &mut impl Values<'b>) -> QueryResult<()> {
        out.text(self.0)?;
        out.number(&self.1)
    }
}
