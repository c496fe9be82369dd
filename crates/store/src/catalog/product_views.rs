//! Lists of products, filtered and in any order, with the source and the file of each, for people and programs. Writes are in
//! `products`.

use diesel::{
    dsl::sql,
    prelude::*,
    sql_types::{Bool, Double, Nullable, Text},
};

use super::{
    own_columns::Sql,
    product_order::{ProductOrder, ProductPlace, Segment, is_number},
};
use crate::{
    Error, Store,
    database::{
        connection::on_either,
        error::OrCannot,
        functions::instr,
        schema::{edits, files, products, sources},
    },
};

/// A product with the winner's source and file; both are `None` for a product that no source offers.
#[derive(Debug, Clone, PartialEq, Queryable)]
pub struct ProductView {
    /// The key.
    pub sku: String,
    /// As shown.
    pub name: String,
    /// As shown.
    pub description: String,
    /// The texts of own columns, as [`crate::read_own`] reads them.
    pub own: Option<String>,
    /// Name of the winner's source.
    pub source: Option<String>,
    /// Path of the winner's file.
    pub file: Option<String>,
    /// True if an edit is applied.
    pub edited: bool,
    /// When it appeared, in seconds since 1970; `None` if that was before it was recorded.
    pub first_seen: Option<i64>,
    /// When its texts last changed; `None` if they have not since it appeared.
    pub changed_at: Option<i64>,
}

/// Bytes of texts after which a page of products ends. One product may exceed it.
pub const MAX_PAGE_BYTES: usize = 4 << 20;

impl ProductView {
    /// Bytes of its texts.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        let Self { sku, name, description, own, .. } = self;
        sku.len() + name.len() + description.len() + own.as_ref().map_or(0, String::len)
    }
}

/// A filter for products. All conditions that are set must hold; none means all products.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProductFilter {
    /// Exactly this sku.
    pub sku: Option<String>,
    /// Exactly this name.
    pub name: Option<String>,
    /// Text that the sku or the name contains, compared byte by byte.
    pub part: Option<String>,
    /// Name of the winner's source.
    pub source: Option<String>,
    /// Whether an edit is applied.
    pub edited: Option<bool>,
    /// Conditions on columns of the catalog.
    pub columns: Vec<ColumnFilter>,
    /// Only skus of this part of the table.
    pub range: SkuRange,
}

/// A part of the table: the skus that a search looks at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SkuRange {
    /// None before this sku.
    pub first: Option<String>,
    /// None behind this sku.
    pub last: Option<String>,
    /// Whether only skus with an edit are looked at, found by their edits.
    pub has_edit: bool,
}

/// A condition on the text of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnFilter {
    /// The name of a column of the catalog.
    pub column: String,
    /// The comparison.
    pub comparison: Comparison,
    /// The text to compare with. If it is a number as JSON writes one, an order compares numbers and leaves out texts that are none; else it compares
    /// texts byte by byte and leaves out empty ones.
    pub text: String,
}

/// A comparison of a column with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The same text.
    Equal,
    /// Another text.
    NotEqual,
    /// Before it.
    Less,
    /// Before it, or equal.
    LessOrEqual,
    /// Behind it.
    Greater,
    /// Behind it, or equal.
    GreaterOrEqual,
}

impl ColumnFilter {
    /// Whether an order compares numbers, and not texts.
    #[must_use]
    pub fn compares_numbers(&self) -> bool {
        is_number(&self.text)
    }
}

impl Comparison {
    fn operator(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// Adds the conditions of a filter to a query. A macro, because the queries have different types.
macro_rules! filtered {
    ($query:expr, $filter:expr, $sql:expr) => {{
        let ProductFilter { sku, name, part, source, edited, columns, range } = $filter;
        let mut query = $query;
        if let Some(sku) = sku {
            query = query.filter(products::sku.eq(sku));
        }
        if let Some(name) = name {
            query = query.filter(products::name.eq(name));
        }
        if let Some(part) = part {
            query = query.filter(instr(products::sku, part).gt(0).or(instr(products::name, part).gt(0)));
        }
        if let Some(source) = source {
            query = query.filter(sources::name.nullable().eq(source));
        }
        if let Some(edited) = edited {
            query = query.filter(products::edited.eq(edited));
        }
        let SkuRange { first, last, has_edit } = range;
        if *has_edit {
            // The bounds stand with the edits alone, or SQLite would read all products between them.
            let with_edit = edits::table.select(edits::sku).filter(edits::sku.ge(first.as_deref().unwrap_or_default()));
            query = match last {
                Some(last) => query.filter(products::sku.eq_any(with_edit.filter(edits::sku.le(last)))),
                None => query.filter(products::sku.eq_any(with_edit)),
            };
        } else {
            if let Some(first) = first {
                query = query.filter(products::sku.ge(first));
            }
            if let Some(last) = last {
                query = query.filter(products::sku.le(last));
            }
        }
        for ColumnFilter { column, comparison, text } in columns {
            let (of, number, operator) = ($sql.text_of(column), $sql.number_of(column), comparison.operator());
            let (before, behind) = $sql.as_number;
            let with_text = |before: String| sql::<Bool>(&before).bind::<Text, _>(text);
            query = match (comparison, is_number(text)) {
                (Comparison::NotEqual, _) => query.filter(with_text(format!("{of} <> "))),
                // The second condition says nothing new; with it, an index on the column serves both.
                (Comparison::Equal, false) => {
                    query.filter(with_text(format!("{of} = ")).sql(&format!(" AND {number} IS NULL")))
                }
                (Comparison::Equal, true) => query.filter(
                    with_text(format!("{of} = "))
                        .sql(&format!(" AND {number} = {before}"))
                        .bind::<Text, _>(text)
                        .sql(behind),
                ),
                (_, true) => query.filter(with_text(format!("{number} {operator} {before}")).sql(behind)),
                (_, false) => query.filter(with_text(format!("{of} <> '' AND {of} {operator} "))),
            };
        }
        query
    }};
}

/// Every product, with its file and source if it has them. Both are joined to the product itself: with an inner join of files and
/// sources on the right, SQLite reads all files first, even for a single sku.
#[diesel::dsl::auto_type]
fn with_origin() -> _ {
    products::table.left_join(files::table).left_join(sources::table.on(files::source_id.eq(sources::id)))
}

impl Store {
    /// At most `limit` products after the sku `after`, by sku; fewer as in [`Store::products_in_order`].
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn products_page(
        &mut self,
        filter: &ProductFilter,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<ProductView>, Error> {
        let order = ProductOrder { column: "sku".to_owned(), descending: false };
        let after = after.map(|sku| ProductPlace { text: sku.to_owned(), sku: sku.to_owned() });
        self.products_in_order(filter, &order, after.as_ref(), limit)
    }

    /// At most `limit` products behind the place `after`, in an order; fewer if their texts take more than [`MAX_PAGE_BYTES`].
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn products_in_order(
        &mut self,
        filter: &ProductFilter,
        order: &ProductOrder,
        after: Option<&ProductPlace>,
        limit: i64,
    ) -> Result<Vec<ProductView>, Error> {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        self.each_product(filter, order, after, limit, |row| {
            bytes += row.text_bytes();
            rows.push(row);
            Ok::<_, Error>(bytes < MAX_PAGE_BYTES)
        })?;
        Ok(rows)
    }

    /// Passes at most `limit` products behind the place `after` to `take`, in an order and as they are read, until it returns false.
    ///
    /// # Errors
    /// [`Error::Query`], and those of `take`.
    pub fn each_product<E: From<Error>>(
        &mut self,
        filter: &ProductFilter,
        order: &ProductOrder,
        after: Option<&ProductPlace>,
        mut limit: i64,
        mut take: impl FnMut(ProductView) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut is_wanted = true;
        for segment in Segment::behind(order, after) {
            if limit > 0 && is_wanted {
                self.each_of_segment((filter, order), &segment, limit, &mut |row| -> Result<_, E> {
                    limit -= 1;
                    is_wanted = take(row)?;
                    Ok(is_wanted)
                })?;
            }
        }
        Ok(())
    }

    fn each_of_segment<E: From<Error>>(
        &mut self,
        (filter, ProductOrder { column, descending }): (&ProductFilter, &ProductOrder),
        segment: &Segment<'_>,
        limit: i64,
        take: &mut dyn FnMut(ProductView) -> Result<bool, E>,
    ) -> Result<(), E> {
        let dialect = Sql::of(self.connection.kind());
        on_either!(&mut self.connection, connection, Rows => {
            let query = with_origin()
                .select((
                    products::sku,
                    products::name,
                    products::description,
                    products::own,
                    sources::name.nullable(),
                    files::path.nullable(),
                    products::edited,
                    products::first_seen,
                    products::changed_at,
                ))
                .limit(limit)
                .into_boxed();
            let mut query = filtered!(query, filter, dialect);
            let (number, of) = (dialect.number_of(column), dialect.text_of(column));
            let (direction, behind) = if *descending { (" DESC", "<") } else { ("", ">") };
            let behind_place = |ProductPlace { text, sku }: &ProductPlace| {
                let texts = sql::<Bool>(&format!("({of}, products.sku) {behind} (")).bind::<Text, _>(text.clone());
                texts.sql(", ").bind::<Text, _>(sku.clone()).sql(")")
            };
            let number_of_text = |operator: &str, text: &str| {
                sql::<Bool>(&format!("{number} {operator} {}", dialect.as_number.0))
                    .bind::<Text, _>(text.to_owned())
                    .sql(dialect.as_number.1)
            };
            query = match segment {
                Segment::All => query,
                Segment::BehindSku(sku) if *descending => query.filter(products::sku.lt(*sku)),
                Segment::BehindSku(sku) => query.filter(products::sku.gt(*sku)),
                Segment::TextsBehind(place) => {
                    query.filter(sql::<Bool>(&format!("{number} IS NULL"))).filter(behind_place(place))
                }
                Segment::EqualBehind(place) => query.filter(number_of_text("=", &place.text)).filter(behind_place(place)),
                Segment::NumbersBehind(text) => query.filter(number_of_text(behind, text)),
                Segment::Texts => query.filter(sql::<Bool>(&format!("{number} IS NULL"))),
                // All from the infinity on: `IS NOT NULL` would scan the index from its beginning.
                Segment::Numbers => query.filter(sql::<Bool>(&format!("{number} >= {}", dialect.least_number))),
            };
            if column == "sku" {
                query = if *descending { query.order(products::sku.desc()) } else { query.order(products::sku) };
            } else {
                // Where all have the same number, ordering by it would make SQLite sort what the index has in order.
                let first = if segment.is_of_one_number() {
                    String::new()
                } else {
                    format!("{number}{direction}{}, ", dialect.nulls[usize::from(*descending)])
                };
                let order = format!("{first}{of}{direction}, products.sku{direction}");
                query = query.order(sql::<Nullable<Double>>(&order));
            }
            let rows = query.load_iter::<ProductView, Rows>(connection);
            for row in rows.or_cannot(|| "read products")? {
                if !take(row.or_cannot(|| "read products")?)? {
                    break;
                }
            }
            Ok(())
        })
    }

    /// The sku that lies `rows` rows behind the sku `from`, or at the front without one, in ascending order or in descending order. `None`
    /// if there are not so many. With `has_edit`, edits are counted instead of products.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn sku_at_distance(
        &mut self,
        from: Option<&str>,
        rows: i64,
        descending: bool,
        has_edit: bool,
    ) -> Result<Option<String>, Error> {
        /// The sku of a table at a distance. A macro, because the tables have different types.
        macro_rules! at_distance {
            ($table:ident) => {{
                let mut query = $table::table.select($table::sku).offset(rows).limit(1).into_boxed();
                if let Some(from) = from {
                    query = match descending {
                        true => query.filter($table::sku.lt(from)),
                        false => query.filter($table::sku.gt(from)),
                    };
                }
                let query = match descending {
                    true => query.order($table::sku.desc()),
                    false => query.order($table::sku.asc()),
                };
                query.first(&mut self.connection).optional().or_cannot(|| "read skus")
            }};
        }
        if has_edit { at_distance!(edits) } else { at_distance!(products) }
    }

    /// The number of products that pass a filter, but at most `limit`.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn products_count_up_to(&mut self, filter: &ProductFilter, limit: i64) -> Result<i64, Error> {
        let query = with_origin().select(products::sku).limit(limit).into_boxed();
        let found: Vec<String> = filtered!(query, filter, Sql::of(self.connection.kind()))
            .load(&mut self.connection)
            .or_cannot(|| "count products")?;
        Ok(found.len() as i64)
    }

    /// The number of products that pass a filter. Without conditions it comes from the tally; otherwise all products may be read.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub fn products_count(&mut self, filter: &ProductFilter) -> Result<i64, Error> {
        if *filter == ProductFilter::default() {
            return Ok(self.tally()?.products);
        }
        let query = filtered!(with_origin().count().into_boxed(), filter, Sql::of(self.connection.kind()));
        query.get_result(&mut self.connection).or_cannot(|| "count products")
    }
}
