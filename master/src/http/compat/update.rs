//! `POST /update` with a list in JSON: its rows replace the document `compat/update.csv`, and nothing else.

use std::{collections::HashMap, time::Duration};

use actix_web::{HttpRequest, HttpResponse, guard::GuardContext, http::header::CONTENT_TYPE, web};
use futures_util::stream;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{json, value::RawValue};
use tributary_engine::{Arrived, Offer, Removal, Stage};

use crate::http::{
    api::upload::apart,
    server::{App, error::ApiError, input, sender},
};

/// The document that the rows become.
const DOCUMENT: &str = "compat/update.csv";
/// Longest wait for the document to be applied.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Whether a request says that its body is JSON. Any other is the form of the page.
pub(crate) fn is_json(context: &GuardContext<'_>) -> bool {
    let kind = context.head().headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// Replaces the rows that were sent before. An empty list deletes them.
pub(crate) async fn update(
    request: HttpRequest,
    app: web::Data<App>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    let body = input::body(payload, input::BODY_BYTES).await?;
    let csv = csv(&body)?;
    let inbox = app.engine.inbox().clone();
    let Some(csv) = csv else {
        inbox.remove(DOCUMENT, Removal { by: sender::user(&request), ..Removal::default() }).await?;
        return Ok(HttpResponse::Ok().json(json!({ "status": "success" })));
    };
    let size = csv.len() as u64;
    let offer = Offer {
        path: DOCUMENT.to_owned(),
        may_replace: true,
        size: Some(size),
        at_least: size,
        sent_by: sender::user(&request),
        ..Offer::default()
    };
    let body = stream::iter([Ok::<_, std::convert::Infallible>(web::Bytes::from(csv))]);
    let arrived = apart(async move { Ok(inbox.admit(offer).await?.receive(body).await?) }).await?;
    let document = match arrived {
        Arrived::Stored(id) => app.engine.inbox().wait(&id, MAX_WAIT).await?,
        Arrived::Known(..) | Arrived::Superseded => None,
    };
    match document {
        Some(document) if document.stage == Stage::Failed => {
            let why = document.error.unwrap_or_default();
            Err(ApiError::Invalid(format!("the rows cannot be used: {why}")))
        }
        Some(document) if !matches!(document.stage, Stage::Complete | Stage::Superseded) => {
            Ok(HttpResponse::Accepted().json(json!({ "status": "accepted" })))
        }
        // Without one, it was taken back meanwhile.
        _ => Ok(HttpResponse::Ok().json(json!({ "status": "success" }))),
    }
}

/// The rows as CSV; `None` if there are none.
fn csv(body: &[u8]) -> Result<Option<Vec<u8>>, ApiError> {
    let rows: Vec<Box<RawValue>> = serde_json::from_slice(body).map_err(|why| match why.classify() {
        serde_json::error::Category::Data => ApiError::Invalid("the body must be a list of objects".to_owned()),
        _ => ApiError::BadRequest(format!("the body is no JSON: {why}")),
    })?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut table = Table::default();
    for (at, row) in rows.iter().enumerate() {
        table.add(row).map_err(|why| ApiError::Invalid(format!("row {}: {why}", at + 1)))?;
    }
    table.csv().map(Some)
}

/// Most columns, as in a file.
const MAX_COLUMNS: usize = 4_096;

/// Rows of different members.
#[derive(Default)]
struct Table {
    /// In the order in which they come first.
    columns: Vec<String>,
    places: HashMap<String, usize>,
    /// The cells of each row with the places of their columns.
    rows: Vec<Vec<(usize, String)>>,
}

impl Table {
    fn add(&mut self, row: &RawValue) -> Result<(), String> {
        let members: Members = serde_json::from_str(row.get()).map_err(|_| "it is not an object".to_owned())?;
        let mut cells: Vec<(usize, String)> = Vec::with_capacity(members.0.len());
        for (name, value) in members.0 {
            let text = cell(&value).map_err(|why| format!("`{name}` {why}"))?;
            let place = match self.places.get(&name) {
                Some(place) => *place,
                None if self.columns.len() == MAX_COLUMNS => {
                    return Err(format!("`{name}` is one column too many; {MAX_COLUMNS} are allowed"));
                }
                None => {
                    self.columns.push(name.clone());
                    self.places.insert(name.clone(), self.columns.len() - 1);
                    self.columns.len() - 1
                }
            };
            cells.push((place, text));
        }
        cells.sort_by_key(|(place, _)| *place);
        if let Some(twice) = cells.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(format!("`{}` stands there twice", self.columns[twice[0].0]));
        }
        self.rows.push(cells);
        Ok(())
    }

    fn csv(&self) -> Result<Vec<u8>, ApiError> {
        if self.columns.is_empty() {
            return Err(ApiError::Invalid("the rows have no members".to_owned()));
        }
        let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
        let failed = |why: csv::Error| ApiError::from(anyhow::Error::new(why));
        writer.write_record(&self.columns).map_err(failed)?;
        for row in &self.rows {
            let mut record = vec![""; self.columns.len()];
            row.iter().for_each(|(place, text)| record[*place] = text);
            writer.write_record(record).map_err(failed)?;
        }
        writer.into_inner().map_err(|why| ApiError::from(anyhow::anyhow!("memory takes no more: {why}")))
    }
}

/// A value as a cell: a text as it is, null as nothing, a number or a boolean as it is written. The same as `relay --compat` has it.
fn cell(value: &RawValue) -> Result<String, &'static str> {
    match value.get().as_bytes() {
        b"null" => Ok(String::new()),
        [b'"', ..] => serde_json::from_str(value.get()).map_err(|_| "is a text that is not Unicode"),
        [b'[', ..] => Err("is a list; a value must be a text, a number, a boolean or null"),
        [b'{', ..] => Err("is an object; a value must be a text, a number, a boolean or null"),
        _ => Ok(value.get().to_owned()),
    }
}

/// The members of an object, in their order.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_a_file_with_all_their_members_as_columns() {
        let check = |json: &str, expect: &str| {
            let csv = csv(json.as_bytes()).unwrap().map(|csv| String::from_utf8(csv).unwrap());
            assert_eq!(csv.unwrap_or_default(), expect, "{json}");
        };
        check("[]", "");
        check(r#"[{"z":"1","a":"2"}]"#, "\"z\",\"a\"\n\"1\",\"2\"\n");
        check(
            r#"[{"a":1.50,"b":null},{"c":true,"a":"x, \"y\"\n"}]"#,
            "\"a\",\"b\",\"c\"\n\"1.50\",\"\",\"\"\n\"x, \"\"y\"\"\n\",\"\",\"true\"\n",
        );
        check(r#"[{"a":12345678901234567890123},{}]"#, "\"a\"\n\"12345678901234567890123\"\n\"\"\n");
    }

    #[test]
    fn what_is_no_list_of_flat_objects_is_refused_with_its_row() {
        let check = |json: &str, part: &str, is_invalid: bool| {
            let why = csv(json.as_bytes()).unwrap_err();
            assert_eq!(matches!(why, ApiError::Invalid(_)), is_invalid, "{json}: {why}");
            assert!(why.to_string().contains(part), "{json}: {why}");
        };
        check("", "no JSON", false);
        check("[{}", "no JSON", false);
        check("{}", "list of objects", true);
        check("\"a\"", "list of objects", true);
        check("[{}]", "no members", true);
        check("[{\"a\":1},2]", "row 2: it is not an object", true);
        check("[{\"a\":1},{\"b\":[1]}]", "row 2: `b` is a list", true);
        check("[{\"a\":{}}]", "row 1: `a` is an object", true);
        check("[{\"a\":1,\"a\":2}]", "row 1: `a` stands there twice", true);
        check("[{\"a\":\"\\ud800\"}]", "row 1: `a` is a text that is not Unicode", true);
    }
}
