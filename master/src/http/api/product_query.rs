//! The query of a list of products: which of them, in which order, with which columns. The API and the pages understand the same.

use tributary_engine::{ColumnFilter, Comparison, ProductFilter, ProductOrder, ProductQuery};

use crate::http::server::{error::ApiError, input};

/// Parameters of every list of products.
const KNOWN: [&str; 8] = ["q", "name", "source", "edited", "after", "before", "sort", "columns"];

/// The query of a list of products.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// Which products, and in which order.
    pub(crate) query: ProductQuery,
    /// The columns that are wanted; none for the usual ones.
    pub(crate) columns: Vec<String>,
    /// The conditions on columns as they were written.
    pub(crate) conditions: Vec<(String, String)>,
}

impl Asked {
    /// Takes the parameters of a list out of `fields`; what is left, apart from those in `others`, are conditions on columns.
    ///
    /// # Errors
    /// A parameter stands there twice, or has a value that it cannot have.
    pub(crate) fn take(
        fields: &mut Vec<(String, String)>,
        others: &[&str],
        has: impl Fn(&str) -> bool,
    ) -> Result<Self, ApiError> {
        let mut asked = Self::default();
        for (at, (key, _)) in fields.iter().enumerate() {
            if key != "columns" && fields[..at].iter().any(|(other, _)| other == key) {
                return Err(ApiError::BadRequest(format!(
                    "the query cannot be understood: `{key}` stands there twice"
                )));
            }
        }
        let mut rest = Vec::new();
        for (key, text) in std::mem::take(fields) {
            match key.as_str() {
                "q" => asked.query.filter.part = input::unless_blank(Some(text)),
                "name" => asked.query.filter.name = Some(text),
                "source" => asked.query.filter.source = input::unless_blank(Some(text)),
                "edited" => asked.query.filter.edited = edited(&text)?,
                "after" => asked.query.after = Some(text),
                // Catalogs could have a column of this name before it was a parameter.
                "before" if !has("before") => asked.query.before = Some(text),
                "sort" => asked.query.order = order(&text),
                "columns" => {
                    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
                    asked.columns.extend(names.map(str::to_owned));
                }
                other if others.contains(&other) => rest.push((key, text)),
                _ => asked.conditions.push((key, text)),
            }
        }
        asked.query.filter.columns =
            asked.conditions.iter().map(|(column, text)| condition(column.clone(), text)).collect();
        *fields = rest;
        Ok(asked)
    }

    /// Drops the conditions on columns that say nothing.
    pub(crate) fn leave_blank_ones(&mut self) {
        self.conditions.retain(|(_, text)| !text.is_empty());
        self.query.filter.columns =
            self.conditions.iter().map(|(column, text)| condition(column.clone(), text)).collect();
    }

    /// Refuses a condition on a column that the catalog does not have: a mistyped parameter must not look as if it were heard.
    ///
    /// # Errors
    /// It names the parameters and columns that there are.
    pub(crate) fn check(&self, has: impl Fn(&str) -> bool, others: &[&str]) -> Result<(), ApiError> {
        let Some((unknown, _)) = self.conditions.iter().find(|(column, _)| !has(column)) else { return Ok(()) };
        let known: Vec<_> = KNOWN.iter().chain(others).map(|name| format!("`{name}`")).collect();
        Err(ApiError::BadRequest(format!(
            "the query cannot be understood: `{unknown}` is unknown; known are {}, and the columns of the catalog",
            known.join(", ")
        )))
    }

    /// The parameters as they were asked, without the place: for links to other pages and files of the same list.
    pub(crate) fn parameters(&self) -> Vec<(&str, String)> {
        let ProductFilter { part, name, source, edited, .. } = &self.query.filter;
        let texts = [("q", part), ("name", name), ("source", source)];
        let mut all: Vec<(&str, String)> =
            texts.into_iter().filter_map(|(key, text)| Some((key, text.clone()?))).collect();
        all.extend(edited.map(|edited| ("edited", edited.to_string())));
        all.extend(self.conditions.iter().map(|(column, text)| (column.as_str(), text.clone())));
        all.extend(self.query.order.as_ref().map(|order| ("sort", written(order))));
        all.extend((!self.columns.is_empty()).then(|| ("columns", self.columns.join(","))));
        all
    }
}

/// An order as `sort` has it: the name of a column, with `-` in front the greatest first.
pub(crate) fn written(ProductOrder { column, descending }: &ProductOrder) -> String {
    format!("{}{column}", if *descending { "-" } else { "" })
}

fn order(text: &str) -> Option<ProductOrder> {
    let (column, descending) = match text.strip_prefix('-') {
        Some(column) => (column, true),
        None => (text, false),
    };
    (!column.is_empty()).then(|| ProductOrder { column: column.to_owned(), descending })
}

/// Whether an edit must apply; a blank text says nothing.
fn edited(text: &str) -> Result<Option<bool>, ApiError> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| {
            ApiError::BadRequest(format!("the query cannot be understood: `edited` is `true` or `false`, not `{text}`"))
        }),
    }
}

/// A condition: a text, or one behind `=`, `!=`, `<`, `<=`, `>` or `>=`.
fn condition(column: String, text: &str) -> ColumnFilter {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    let signs =
        [("!=", NotEqual), ("<=", LessOrEqual), (">=", GreaterOrEqual), ("=", Equal), ("<", Less), (">", Greater)];
    let found = signs.into_iter().find_map(|(sign, comparison)| Some((comparison, text.strip_prefix(sign)?)));
    let (comparison, text) = found.unwrap_or((Equal, text));
    // `> 10` is meant as `>10`; an exact text is exact.
    let text = if [Equal, NotEqual].contains(&comparison) { text } else { text.trim() };
    ColumnFilter { column, comparison, text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(fields: &[(&str, &str)]) -> (Asked, Vec<(String, String)>) {
        let mut fields: Vec<_> = fields.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        let asked = Asked::take(&mut fields, &["limit"], |_| false).unwrap();
        (asked, fields)
    }

    #[test]
    fn what_is_no_parameter_is_a_condition() {
        let (asked, rest) =
            asked(&[("q", ""), ("price", ">=10"), ("limit", "5"), ("brand", "Acme"), ("sort", "-price")]);
        assert_eq!(rest, [("limit".to_owned(), "5".to_owned())]);
        let conditions: Vec<_> =
            asked.query.filter.columns.iter().map(|one| (one.comparison, one.text.as_str())).collect();
        assert_eq!(conditions, [(Comparison::GreaterOrEqual, "10"), (Comparison::Equal, "Acme")]);
        assert_eq!(asked.query.order, Some(ProductOrder { column: "price".into(), descending: true }));
        let parameters = asked.parameters();
        assert_eq!(
            parameters,
            [("price", ">=10".to_owned()), ("brand", "Acme".to_owned()), ("sort", "-price".to_owned())]
        );
        assert!(asked.check(|name| ["price", "brand"].contains(&name), &[]).is_ok());
        let wrong = asked.check(|name| name == "price", &["limit"]).unwrap_err().to_string();
        assert!(wrong.contains("`brand` is unknown") && wrong.contains("`limit`"), "{wrong}");
    }

    #[test]
    fn signs_before_a_text_compare() {
        use Comparison::{Equal, Greater, Less, LessOrEqual, NotEqual};
        for (typed, comparison, text) in [
            ("Acme", Equal, "Acme"),
            ("", Equal, ""),
            ("=>x", Equal, ">x"),
            ("!=", NotEqual, ""),
            ("< 5", Less, "5"),
            ("<=5", LessOrEqual, "5"),
            (">-1", Greater, "-1"),
        ] {
            let found = condition("c".into(), typed);
            assert_eq!((found.comparison, found.text.as_str()), (comparison, text), "{typed}");
        }
    }
}
