//! Columns of the catalog as SQL: the text of one, its number, the view `catalog`, the indexes, and what follows when columns change.
//! The names stand in statements as they are, because an index only serves an expression that is spelled as its own; the configuration
//! allows letters, digits and `_`.

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};

use crate::{
    CatalogSettings, Error, Store,
    database::{connection::Kind, error::OrCannot, tables::index_names},
    postgres, sqlite,
};

/// The columns of the table itself.
const BUILT_IN: [&str; 3] = ["sku", "name", "description"];
/// Begins the name of each index on a column of the catalog.
const INDEX: &str = "catalog_by_";

/// Own columns in the SQL of a kind of database.
pub(super) struct Sql {
    text_in: fn(&str, &str) -> String,
    number_of: fn(&str) -> String,
    time_text: fn(&str) -> String,
    without_column: fn(&str) -> String,
    /// The SQL before and behind a place whose text is compared as a number.
    pub(super) as_number: (&'static str, &'static str),
    /// The least of all numbers.
    pub(super) least_number: &'static str,
    /// Puts nulls before all numbers if they ascend, and behind them if they descend.
    pub(super) nulls: [&'static str; 2],
    /// The collation of a text that comes out of a function.
    by_bytes: &'static str,
}

const SQLITE: Sql = Sql {
    text_in: sqlite::text_in,
    number_of: sqlite::number_of,
    time_text: sqlite::time_text,
    without_column: sqlite::without_column,
    as_number: sqlite::AS_NUMBER,
    least_number: sqlite::LEAST_NUMBER,
    nulls: ["", ""],
    by_bytes: "",
};

const POSTGRES: Sql = Sql {
    text_in: postgres::text_in,
    number_of: postgres::number_of,
    time_text: postgres::time_text,
    without_column: postgres::without_column,
    as_number: postgres::AS_NUMBER,
    least_number: postgres::LEAST_NUMBER,
    nulls: [" NULLS FIRST", " NULLS LAST"],
    by_bytes: " COLLATE \"C\"",
};

impl Sql {
    pub(super) fn of(kind: Kind) -> &'static Self {
        match kind {
            Kind::Sqlite => &SQLITE,
            Kind::Postgres => &POSTGRES,
        }
    }

    /// The text of a column of `products`; empty if it has none.
    pub(super) fn text_of(&self, column: &str) -> String {
        match BUILT_IN.contains(&column) {
            true => format!("products.{column}"),
            false => format!("(coalesce({}, ''){})", (self.text_in)("products.own", column), self.by_bytes),
        }
    }

    /// The number in a column of `products`; null unless the text is a number as JSON writes one. A text such as `00123` is none.
    pub(super) fn number_of(&self, column: &str) -> String {
        (self.number_of)(&self.text_of(column))
    }
}

impl Store {
    /// Makes the view `catalog` and the indexes anew, those that stay aside.
    pub(crate) fn define_catalog(&mut self, settings: &CatalogSettings) -> Result<(), Error> {
        let sql = Sql::of(self.connection.kind());
        let own = settings.shown.iter().map(|name| format!("{} AS \"{name}\"", sql.text_of(name)));
        let columns: Vec<String> = BUILT_IN.map(str::to_owned).into_iter().chain(own).collect();
        let mut statements = format!(
            "DROP VIEW IF EXISTS catalog;\nCREATE VIEW catalog AS SELECT {}, {} AS first_seen, {} AS changed_at FROM products;\n",
            columns.join(", "),
            (sql.time_text)("first_seen"),
            (sql.time_text)("coalesce(changed_at, first_seen)"),
        );
        let old = index_names(&mut self.connection, INDEX).or_cannot(|| "read the indexes of the catalog")?;
        let is_kept = |index: &String| settings.index.iter().any(|column| format!("{INDEX}{column}") == *index);
        old.iter().filter(|index| !is_kept(index)).for_each(|index| statements += &format!("DROP INDEX {index};\n"));
        for column in settings.index.iter().filter(|column| !old.contains(&format!("{INDEX}{column}"))) {
            // A definition may not name the table that it is for.
            let [number, text] = [sql.number_of(column), sql.text_of(column)].map(|sql| sql.replace("products.", ""));
            let nulls = sql.nulls[0];
            statements += &format!("CREATE INDEX {INDEX}{column} ON products ({number}{nulls}, {text}, sku);\n");
        }
        self.connection.batch_execute(&statements).or_cannot(|| "define the view and the indexes of the catalog")
    }

    /// Deletes what offers and products say in an own column that the catalog no longer has. Edits keep it: the column may come back.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn drop_own_column(&mut self, column: &str) -> Result<(), Error> {
        let sql = Sql::of(self.connection.kind());
        for table in ["products", "shadowed"] {
            let own = (sql.without_column)(column);
            let has_text = format!("{} IS NOT NULL", (sql.text_in)("own", column));
            let statement = format!("UPDATE {table} SET own = {own} WHERE {has_text}");
            self.connection.batch_execute(&statement).or_cannot(|| format!("drop the column `{column}` of {table}"))?;
        }
        Ok(())
    }

    /// Counts all products again by the text of a column, for `aggr`.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn count_by(&mut self, column: &str) -> Result<(), Error> {
        let text = Sql::of(self.connection.kind()).text_of(column);
        let statements = format!(
            "DELETE FROM aggr; INSERT INTO aggr (name, no_of_products) SELECT {text}, count(*) FROM products GROUP BY 1 ORDER BY 1; \
             UPDATE tally SET names = (SELECT count(*) FROM aggr);"
        );
        self.connection.batch_execute(&statements).or_cannot(|| format!("count the products by `{column}`"))
    }

    /// All skus that are shown or offered, each once, in order: at most `limit` after the sku `after`, or from the first on.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn all_skus(&mut self, after: Option<&str>, limit: i64) -> Result<Vec<String>, Error> {
        #[derive(QueryableByName)]
        struct Sku {
            #[diesel(sql_type = Text)]
            sku: String,
        }
        // Each sku is longer than the empty text, which comes before all.
        let after = after.unwrap_or_default();
        let skus: Vec<Sku> = sql_query(
            "SELECT sku FROM products WHERE sku > $1 UNION SELECT sku FROM shadowed WHERE sku > $2 ORDER BY sku LIMIT $3",
        )
        .bind::<Text, _>(after)
        .bind::<Text, _>(after)
        .bind::<BigInt, _>(limit)
        .load(&mut self.connection)
        .or_cannot(|| "read all skus")?;
        Ok(skus.into_iter().map(|row| row.sku).collect())
    }
}
