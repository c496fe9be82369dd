//! Columns of the catalog as SQL: the text of one, its number, the view `catalog`, the indexes, and what follows when columns change.
//! The names stand in statements as they are, because an index only serves an expression that is spelled as its own; the configuration
//! allows letters, digits and `_`.

use diesel::{
    connection::SimpleConnection,
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};

use super::tables::index_names;
use crate::{CatalogSettings, Error, Store, database::error::OrCannot};

/// The columns of the table itself.
const BUILT_IN: [&str; 3] = ["sku", "name", "description"];
/// Begins the name of each index on a column of the catalog.
const INDEX: &str = "catalog_by_";

/// The text of a column of `products`; empty if it has none.
pub(crate) fn text_of(column: &str) -> String {
    match BUILT_IN.contains(&column) {
        true => format!("products.{column}"),
        false => format!("coalesce(json_extract(products.own, '$.{column}'), '')"),
    }
}

/// The number in a column of `products`; null unless the text is a number as JSON writes one. A text such as `00123` is none.
pub(crate) fn number_of(column: &str) -> String {
    let text = text_of(column);
    format!(
        "CASE WHEN json_valid({text}) THEN CASE WHEN json_type({text}) IN ('integer', 'real') THEN CAST({text} AS REAL) END END"
    )
}

impl Store {
    /// Makes the view `catalog` and the indexes anew, those that stay aside.
    pub(crate) fn define_catalog(&mut self, settings: &CatalogSettings) -> Result<(), Error> {
        let own = settings.shown.iter().map(|name| format!("{} AS \"{name}\"", text_of(name)));
        let columns: Vec<String> = BUILT_IN.map(str::to_owned).into_iter().chain(own).collect();
        let time = |seconds: &str| format!("strftime('%Y-%m-%dT%H:%M:%SZ', {seconds}, 'unixepoch')");
        let mut statements = format!(
            "DROP VIEW IF EXISTS catalog;\nCREATE VIEW catalog AS SELECT {}, {} AS first_seen, {} AS changed_at FROM products;\n",
            columns.join(", "),
            time("first_seen"),
            time("coalesce(changed_at, first_seen)"),
        );
        let old = index_names(&mut self.connection, INDEX).or_cannot(|| "read the indexes of the catalog")?;
        let is_kept = |index: &String| settings.index.iter().any(|column| format!("{INDEX}{column}") == *index);
        old.iter().filter(|index| !is_kept(index)).for_each(|index| statements += &format!("DROP INDEX {index};\n"));
        for column in settings.index.iter().filter(|column| !old.contains(&format!("{INDEX}{column}"))) {
            // A definition may not name the table that it is for.
            let [number, text] = [number_of(column), text_of(column)].map(|sql| sql.replace("products.", ""));
            statements += &format!("CREATE INDEX {INDEX}{column} ON products ({number}, {text}, sku);\n");
        }
        self.connection.batch_execute(&statements).or_cannot(|| "define the view and the indexes of the catalog")
    }

    /// Deletes what offers and products say in an own column that the catalog no longer has. Edits keep it: the column may come back.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn drop_own_column(&mut self, column: &str) -> Result<(), Error> {
        for table in ["products", "shadowed"] {
            let statement = format!(
                "UPDATE {table} SET own = nullif(json_remove(own, '$.{column}'), '{{}}') \
                 WHERE json_type(own, '$.{column}') IS NOT NULL"
            );
            self.connection.batch_execute(&statement).or_cannot(|| format!("drop the column `{column}` of {table}"))?;
        }
        Ok(())
    }

    /// Counts all products again by the text of a column, for `aggr`.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn count_by(&mut self, column: &str) -> Result<(), Error> {
        let text = text_of(column);
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
            "SELECT sku FROM products WHERE sku > ? UNION SELECT sku FROM shadowed WHERE sku > ? ORDER BY sku LIMIT ?",
        )
        .bind::<Text, _>(after)
        .bind::<Text, _>(after)
        .bind::<BigInt, _>(limit)
        .load(&mut self.connection)
        .or_cannot(|| "read all skus")?;
        Ok(skus.into_iter().map(|row| row.sku).collect())
    }
}
