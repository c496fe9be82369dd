//! Lists as JSON that are not held twice: as rows and as text.

use actix_web::{HttpResponse, http::header::ContentType, web::Bytes};
use anyhow::Result;
use futures_util::{StreamExt, stream};
use serde::Serialize;
use tributary_engine::Batches;
use tributary_http_common::spilled;

/// Answers with `{"items":[…], …}`, whose further members are those of `rest`. Each row is dropped once it is written. `texts` is the number of
/// bytes that they have, because a text that grows is copied again and again.
pub(crate) fn page<R: Serialize>(rows: Vec<R>, texts: usize, rest: &impl Serialize) -> Result<HttpResponse> {
    let rest = serde_json::to_vec(rest)?;
    let mut out = Vec::with_capacity(texts + rows.len() * ROW_BYTES + rest.len() + BEGIN.len());
    out.extend_from_slice(BEGIN);
    let begin = out.len();
    for row in rows {
        if out.len() > begin {
            out.push(b',');
        }
        serde_json::to_writer(&mut out, &row)?;
    }
    out.push(b']');
    // The members behind the list, with the brace that ends all.
    if rest.len() > 2 {
        out.push(b',');
    }
    out.extend_from_slice(&rest[1..]);
    Ok(HttpResponse::Ok().insert_header(ContentType::json()).body(out))
}

const BEGIN: &[u8] = b"{\"items\":[";
/// Bytes of a row beside its texts, about: names of members, and moments.
const ROW_BYTES: usize = 256;

/// Streams `{"items":[…]` with each row as `each` writes it, and `end`. A failure cuts the body.
pub(crate) fn streamed<R: 'static>(
    rows: Batches<R>,
    end: Vec<u8>,
    mut each: impl FnMut(&mut Vec<u8>, R) -> Result<()> + 'static,
) -> HttpResponse {
    let part = |bytes: Vec<u8>| stream::iter([Ok(Bytes::from(bytes))]);
    let mut is_first = true;
    let body = rows.map(move |batch| {
        let mut out = Vec::new();
        for row in batch? {
            if !std::mem::take(&mut is_first) {
                out.extend_from_slice(b",\n");
            }
            each(&mut out, row)?;
        }
        anyhow::Ok(Bytes::from(out))
    });
    let body = part(BEGIN.to_vec()).chain(body).chain(part([b"]".to_vec(), end].concat()));
    HttpResponse::Ok().insert_header(ContentType::json()).streaming(spilled(body))
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use serde_json::json;

    use super::*;

    #[actix_web::test]
    async fn lists_are_written_as_a_whole_would_be() {
        for rows in [vec![], vec![json!("a")], vec![json!({"b": 1}), json!(null)]] {
            for rest in [json!({}), json!({"next": null, "total": 3})] {
                let mut expect = json!({ "items": rows.clone() });
                expect.as_object_mut().unwrap().append(&mut rest.as_object().unwrap().clone());
                let whole = page(rows.clone(), 0, &rest).unwrap();
                let batches = stream::iter(rows.clone().into_iter().map(|row| Ok(vec![row]))).boxed();
                let end = if rest.as_object().unwrap().is_empty() { "}" } else { ",\"next\":null,\"total\":3}" };
                let each = |out: &mut Vec<u8>, row: serde_json::Value| Ok(serde_json::to_writer(out, &row)?);
                let streamed = streamed(batches, end.into(), each);
                for answer in [whole, streamed] {
                    let body = to_bytes(answer.into_body()).await.unwrap();
                    assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).unwrap(), expect);
                }
            }
        }
    }
}
