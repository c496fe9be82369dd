//! `GET /download/{file}`: the totals of a job.

use std::{fs::File, io, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue},
    },
    web,
};
use tributary_http_common::file;

use super::{
    jobs::{Job, epoch},
    refusal::Refusal,
    serve::Gateway,
    status::last,
};
use crate::sales::Streams;

/// Answers with a file of totals.
pub(super) async fn get(request: HttpRequest, gateway: web::Data<Gateway>) -> Result<HttpResponse, Refusal> {
    let name = last(&request)?;
    check(&name)?;
    let (streams, result) = (Arc::clone(&gateway.streams), name.clone());
    let opened = web::block(move || open(&streams, &result)).await;
    let opened = opened.unwrap_or_else(|_| Err(io::Error::other("reading it panicked")));
    let opened = opened.map_err(|error| Refusal::failed("failed to open a file of totals", &error))?;
    let (totals, bytes) = opened.ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "Result file not found."))?;
    // A job and its result have one name.
    let job = gateway.jobs.get(name.trim_end_matches(".csv"));
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, disposition(job.as_ref().map(Job::filename), epoch())))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(SizedStream::new(bytes, file(totals))))
}

fn open(streams: &Streams, name: &str) -> io::Result<Option<(File, u64)>> {
    let Some(file) = streams.result(name)? else { return Ok(None) };
    let bytes = file.metadata()?.len();
    Ok(Some((file, bytes)))
}

/// Refuses what can be no name of a result, in the words of the gateway that this one stands for.
fn check(name: &str) -> Result<(), Refusal> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.contains('/') {
        return Err(Refusal::new(StatusCode::NOT_FOUND, "Not Found"));
    }
    let why = if name.trim().is_empty() {
        "Filename cannot be empty."
    } else if ["..", "\\", "~"].iter().any(|part| name.contains(part)) {
        "Invalid filename."
    } else if !name.to_lowercase().ends_with(".csv") {
        "Only CSV files are available for download."
    } else if !name.chars().all(is_plain) {
        "Invalid filename format."
    } else {
        return Ok(());
    };
    Err(Refusal::bad(why))
}

/// The name under which a browser saves the totals of a file.
fn disposition(filename: Option<&str>, now: f64) -> HeaderValue {
    let named = filename.map(|filename| format!("Processed_{}_{now}.csv", stem(filename)));
    let named = named.unwrap_or_else(|| "Processed_results.csv".to_owned());
    // Every character is one byte of ISO 8859-1, which is what a browser takes it for.
    let bytes: Vec<u8> = format!("attachment; filename=\"{named}\"").chars().map(|letter| letter as u8).collect();
    HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// The name of a file without folders, ending, and what a header cannot hold.
fn stem(filename: &str) -> String {
    let base = filename.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let base = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
    let is_kept = |letter: &char| (letter.is_alphanumeric() && *letter < '\u{100}') || "-_".contains(*letter);
    Some(base.chars().filter(is_kept).collect())
        .filter(|stem: &String| !stem.is_empty())
        .unwrap_or("results".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_plain_name_is_looked_for() {
        let check = |name: &str, expect: Option<&str>| {
            assert_eq!(check(name).err().map(|refusal| refusal.to_string()).as_deref(), expect, "{name}");
        };
        check("9f3.csv", None);
        check(" ", Some("Filename cannot be empty."));
        check("a/b.csv", Some("Not Found"));
        for wrong in ["..", "..\\b.csv", "~.csv"] {
            check(wrong, Some("Invalid filename."));
        }
        check("a.txt", Some("Only CSV files are available for download."));
        check("a b.csv", Some("Invalid filename format."));
    }

    #[test]
    fn totals_are_saved_under_the_name_of_their_file() {
        let check = |filename: Option<&str>, expect: &[u8]| {
            let disposition = disposition(filename, 1.5);
            let expect = [b"attachment; filename=\"", expect, b"\""].concat();
            assert_eq!(disposition.as_bytes(), expect, "{filename:?}");
        };
        check(None, b"Processed_results.csv");
        check(Some("a b/sales 2026.v1.csv"), b"Processed_sales2026v1_1.5.csv");
        check(Some("\u{e4}\"\r\n.csv"), b"Processed_\xe4_1.5.csv");
        check(Some("\u{65e5}\u{672c}.csv"), b"Processed_results_1.5.csv");
    }
}
