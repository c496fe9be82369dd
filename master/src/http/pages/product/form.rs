//! The form that corrects a product: a field for each column of the catalog.

use tributary_config::CatalogConfig;
use tributary_engine::{Author, EditRequest, EditTerms, Expected};

use crate::http::{
    api::product_views::Product,
    server::{error::ApiError, input},
};

/// Length from which on a text gets several lines.
const MAX_SHORT_CHARS: usize = 80;

/// The field of a form that creates the product of this sku, rather than correcting it. No column has such a name.
const CREATE: &str = "form-create";

/// Begins the name of the field that empties a column. No column has a `-` in its name.
const EMPTY: &str = "empty-";

/// Contents of the form.
#[derive(Default)]
pub(crate) struct Form {
    pub(crate) sku: String,
    /// The typed texts, by column.
    pub(crate) typed: Vec<(String, String)>,
    /// The columns that are to become empty: a blank text says nothing.
    pub(crate) emptied: Vec<String>,
    /// The version of the product that the form was filled in for.
    pub(crate) version: Option<String>,
    /// The value of the button that creates a product.
    pub(crate) create: Option<String>,
    /// The error message.
    pub(crate) complaint: Option<String>,
}

/// A field of the form.
pub(crate) struct Field {
    /// Its id on the page, where own columns have a prefix: a page has ids of its own.
    pub(crate) id: String,
    /// The name of the column.
    pub(crate) name: String,
    /// Words for it.
    pub(crate) label: String,
    /// The typed text.
    pub(crate) typed: String,
    /// The text that is shown now.
    pub(crate) shown: String,
    /// Whether it is to become empty.
    pub(crate) is_emptied: bool,
    pub(crate) kind: Kind,
}

/// The input that fits a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Link,
    Long,
}

impl Kind {
    /// The one that fits this text.
    fn of(text: &str) -> Self {
        let is_number = |text: &str| {
            text.bytes().any(|byte| byte.is_ascii_digit())
                && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-., ".contains(&byte))
        };
        if text.contains('\n') || text.chars().count() > MAX_SHORT_CHARS {
            Self::Long
        } else if text.starts_with("http://") || text.starts_with("https://") {
            Self::Link
        } else if is_number(text) {
            Self::Number
        } else {
            Self::Text
        }
    }

    pub(crate) fn is_long(self) -> bool {
        self == Self::Long
    }

    /// The keyboard that a phone shows. Not the type of the input: a browser would refuse or change a text that does not fit it.
    pub(crate) fn keyboard(self) -> Option<&'static str> {
        match self {
            Self::Number => Some("decimal"),
            Self::Link => Some("url"),
            Self::Text | Self::Long => None,
        }
    }
}

impl Form {
    /// A form with what was typed. `fields` are those of the request; every one must be a column of the catalog or the sku.
    ///
    /// # Errors
    /// A field is neither.
    pub(crate) fn new(fields: Vec<(String, String)>, catalog: &CatalogConfig) -> Result<Self, ApiError> {
        let mut form = Self::default();
        for (at, (name, _)) in fields.iter().enumerate() {
            if fields[..at].iter().any(|(other, _)| other == name) {
                return Err(ApiError::BadRequest(format!("the form cannot be understood: duplicate field `{name}`")));
            }
        }
        let mut version_of = None;
        for (name, text) in fields {
            match name.as_str() {
                "form-of" => version_of = Some(text),
                CREATE => form.create = Some(text),
                // A catalog may have a column of this name.
                "version" if !catalog.has("version") => form.version = Some(text).filter(|text| !text.is_empty()),
                "sku" => form.sku = text.trim().to_owned(),
                column if catalog.has(column) => form.typed.push((name, text)),
                other if other.strip_prefix(EMPTY).is_some_and(|column| catalog.has(column)) => {
                    form.emptied.extend(other.strip_prefix(EMPTY).map(str::to_owned));
                }
                other => {
                    let own = catalog.columns.iter().map(|column| column.name.as_str());
                    let known: Vec<_> = ["sku", "name", "description"].into_iter().chain(own).collect();
                    let why = format!("`{other}` is unknown; known are `{}`", known.join("`, `"));
                    return Err(ApiError::BadRequest(format!("the form cannot be understood: {why}")));
                }
            }
        }
        // Somebody looked one product up and then typed the SKU of another one.
        if version_of.is_some_and(|sku| sku != form.sku) {
            form.version = None;
        }
        Ok(form)
    }

    /// The fields, with what is shown of each column.
    pub(crate) fn fields(&self, catalog: &CatalogConfig, shown: Option<&Product>) -> Vec<Field> {
        let own = catalog.columns.iter().map(|column| (column.name.as_str(), column.label.as_str()));
        let field = |(name, label): (&str, &str)| {
            let shown = match (name, shown) {
                (_, None) => String::new(),
                ("name", Some(product)) => product.name.clone(),
                ("description", Some(product)) => product.description.clone(),
                (own, Some(product)) => product.own.get(own).cloned().unwrap_or_default(),
            };
            let typed = self.typed.iter().find(|(column, _)| column == name).map(|(_, text)| text.clone());
            let typed = typed.unwrap_or_default();
            let kind = match name {
                "name" => Kind::Text,
                "description" => Kind::Long,
                _ if typed.is_empty() => Kind::of(&shown),
                _ => Kind::of(&typed),
            };
            let id = if is_in_every_catalog(name) { name.to_owned() } else { format!("own-{name}") };
            Field {
                id,
                name: name.to_owned(),
                label: label.to_owned(),
                typed,
                shown,
                is_emptied: self.emptied.iter().any(|column| column == name),
                kind,
            }
        };
        [("name", "Name"), ("description", "Description")].into_iter().chain(own).map(field).collect()
    }

    /// Whether nothing but a sku was typed.
    pub(crate) fn is_blank(&self) -> bool {
        self.emptied.is_empty() && self.typed.iter().all(|(_, text)| text.trim().is_empty())
    }

    /// The sku and the change of its edit that the form asks for, with what must hold for it.
    ///
    /// # Errors
    /// There is no sku, no text, or one that is too long; a column is to become empty and has a text; a new product has no name.
    pub(crate) fn request(&self, creates: bool, author: Author) -> Result<(String, EditRequest, EditTerms), ApiError> {
        let sku = input::sku(&self.sku)?;
        let change = if creates { self.creation()? } else { self.correction()? };
        let expected = if creates { Expected::NotShown } else { expected(self.version.clone()) };
        Ok((sku, change, EditTerms { author, expected, only_if_shown: !creates }))
    }

    /// A change to the texts that are not blank, and to the empty text where that is asked for.
    fn correction(&self) -> Result<EditRequest, ApiError> {
        let mut texts: Vec<_> = self.texts()?.into_iter().map(|(column, text)| (column, Some(text))).collect();
        for column in &self.emptied {
            if texts.iter().any(|(typed, _)| typed == column) {
                return Err(ApiError::Invalid(format!("the {column} has a text and is to be empty: choose one")));
            }
            texts.push((column.clone(), Some(String::new())));
        }
        if texts.is_empty() {
            return Err(ApiError::Invalid(
                "give a name, a description or another text; blank ones stay as they are".to_owned(),
            ));
        }
        Ok(EditRequest::Patch(texts))
    }

    /// The change that creates a product of these texts.
    fn creation(&self) -> Result<EditRequest, ApiError> {
        let mut texts = self.texts()?;
        if texts.iter().all(|(column, _)| column != "name") {
            return Err(ApiError::Invalid("a new product needs a name".to_owned()));
        }
        if texts.iter().all(|(column, _)| column != "description") {
            texts.push(("description".to_owned(), String::new()));
        }
        Ok(EditRequest::Replace(texts))
    }

    /// The texts that are not blank, by column.
    fn texts(&self) -> Result<Vec<(String, String)>, ApiError> {
        let typed = self.typed.iter().filter(|(_, text)| !text.trim().is_empty());
        // A browser sends every line end of a text field as CR LF (HTML standard, form submission); files here have LF.
        typed.map(|(column, text)| Ok((column.clone(), input::text_of(column, &text.replace("\r\n", "\n"))?))).collect()
    }
}

/// The product that a form expects which shows this version.
pub(super) fn expected(version: Option<String>) -> Expected {
    version.map_or(Expected::Anything, |version| Expected::Versions(vec![version]))
}

/// Whether the column is one that every catalog has.
fn is_in_every_catalog(name: &str) -> bool {
    ["name", "description"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_fits_its_text() {
        for (text, kind) in [
            ("", Kind::Text),
            ("Acme", Kind::Text),
            ("12 m", Kind::Text),
            ("-", Kind::Text),
            ("1.234,56", Kind::Number),
            ("-3", Kind::Number),
            ("https://example.org/a.jpg", Kind::Link),
            ("two\nlines", Kind::Long),
            (&"long ".repeat(20), Kind::Long),
        ] {
            assert_eq!(Kind::of(text), kind, "{text}");
        }
    }
}
