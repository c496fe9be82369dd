//! Changes and corrections of a product as its page lists them.

use tributary_config::CatalogConfig;
use tributary_engine::{ChangeCause, ChangedValue, ColumnChange, EditView, ProductChange};

use super::known::label;
use crate::http::pages::text::{moment::Moment, wording::encoded};

/// A change in the history.
pub(super) struct HistoryLine {
    pub(super) id: i64,
    pub(super) at: Option<Moment>,
    /// Its author or its cause.
    pub(super) who: String,
    /// The link to more about it.
    pub(super) link: Option<String>,
    /// Words for the effect on the product.
    pub(super) what: &'static str,
    pub(super) columns: Vec<ColumnLine>,
    pub(super) can_undo: bool,
}

/// A column before and after a change.
pub(super) struct ColumnLine {
    pub(super) label: String,
    pub(super) before: String,
    pub(super) after: String,
}

impl HistoryLine {
    pub(super) fn new(change: ProductChange, catalog: &CatalogConfig) -> Self {
        let ProductChange { id, at, cause, columns, edit, can_undo } = change;
        let has = |side: fn(&(ChangedValue, ChangedValue)) -> &ChangedValue| {
            let is_none = |column: &ColumnChange| {
                column.values.as_ref().is_some_and(|values| *side(values) == ChangedValue::Text(None))
            };
            !columns.iter().any(is_none)
        };
        let what = match (columns.is_empty(), has(|values| &values.0), has(|values| &values.1)) {
            (true, ..) => "changed nothing that is shown",
            (_, false, _) => "made it appear",
            (_, _, false) => "took it away",
            _ => "changed it",
        };
        // What is shown tells more than the edit; where nothing is shown the edit has to do.
        let lines = if columns.is_empty() { &edit } else { &columns };
        let columns = lines.iter().map(|column| ColumnLine::new(column, catalog)).collect();
        let (who, link) = cause_words(&cause);
        Self { id, at: at.as_deref().and_then(Moment::new), who, link, what, columns, can_undo }
    }
}

impl ColumnLine {
    fn new(ColumnChange { column, values }: &ColumnChange, catalog: &CatalogConfig) -> Self {
        let [before, after] = match values {
            Some((before, after)) => [words(before), words(after)],
            None => ["too long to be kept", "too long to be kept"].map(str::to_owned),
        };
        Self { label: column_label(column, catalog), before, after }
    }
}

fn column_label(column: &str, catalog: &CatalogConfig) -> String {
    match column {
        "hidden" => "Hidden".to_owned(),
        "stands" => "Shown without a source".to_owned(),
        other => label(other, catalog),
    }
}

fn words(value: &ChangedValue) -> String {
    match value {
        ChangedValue::Flag(true) => "yes".to_owned(),
        ChangedValue::Flag(false) => "no".to_owned(),
        ChangedValue::Text(None) => "nothing".to_owned(),
        ChangedValue::Text(Some(text)) if text.is_empty() => "empty".to_owned(),
        ChangedValue::Text(Some(text)) => format!("“{text}”"),
    }
}

/// Words for a cause, and a link.
fn cause_words(cause: &ChangeCause) -> (String, Option<String>) {
    match cause {
        ChangeCause::Version { source, file } => {
            let (source_in_link, link) = (encoded(source), file.as_ref().map(|file| encoded(file)));
            match (file, link) {
                (Some(file), Some(path)) => {
                    (format!("{source}, {file}"), Some(format!("/rejects?source={source_in_link}&file={path}")))
                }
                _ => (source.clone(), Some(format!("/files?source={source_in_link}"))),
            }
        }
        ChangeCause::Configuration => ("The configuration".to_owned(), None),
        ChangeCause::Edit { entrance, user } => (author(entrance, user.as_deref()), None),
    }
}

/// Words for who made an edit.
fn author(entrance: &str, user: Option<&str>) -> String {
    let through = match entrance {
        "form" => "on a page",
        "api" => "through the API",
        "queue" => "through a queue",
        "grpc" => "through gRPC",
        other => other,
    };
    format!("{}, {through}", user.unwrap_or("Somebody"))
}

/// A column that is corrected, or another thing that an edit does.
pub(super) struct Correction {
    pub(super) label: String,
    /// The text in place of what the files say.
    pub(super) text: String,
    /// The author, if that is still known.
    pub(super) who: Option<String>,
    pub(super) at: Option<Moment>,
    /// The column, if it can be taken back by itself.
    pub(super) column: Option<String>,
}

/// Lists the corrections of an edit, with their authors and times.
pub(super) fn corrections(
    edit: Option<&EditView>,
    history: &[ProductChange],
    catalog: &CatalogConfig,
) -> Vec<Correction> {
    let Some(edit) = edit else { return Vec::new() };
    let own = edit.own.iter().map(|(name, text)| (name, text.as_ref()));
    let texts = [("name", edit.name.as_ref()), ("description", edit.description.as_ref())].into_iter().chain(own);
    let set = texts.filter_map(|(column, text)| Some((column, words(&ChangedValue::Text(Some(text?.clone()))))));
    let flags = [("hidden", edit.hidden), ("stands", edit.stands)].into_iter().filter(|(_, is_set)| *is_set);
    let all = set.chain(flags.map(|(flag, _)| (flag, words(&ChangedValue::Flag(true)))));
    all.map(|(column, text)| {
        let by = history.iter().find(|change| change.edit.iter().any(|changed| changed.column == column));
        let who = by.and_then(|change| match &change.cause {
            ChangeCause::Edit { entrance, user } => Some(author(entrance, user.as_deref())),
            _ => None,
        });
        let at = by.and_then(|change| Moment::new(change.at.as_deref()?));
        let is_flag = ["hidden", "stands"].contains(&column);
        Correction {
            label: column_label(column, catalog),
            text,
            who,
            at,
            column: (!is_flag).then(|| column.to_owned()),
        }
    })
    .collect()
}
