//! The types that the template of the page shows.

use askama::Template;

use crate::http::{api::upload_view::UploadView, pages::text::wording::counted};

/// The page at `/upload`.
#[derive(Template)]
#[template(path = "upload.html")]
pub(crate) struct UploadPage {
    uploads: Vec<UploadLine>,
}

/// One upload.
struct UploadLine {
    upload: UploadView,
    /// Its size and progress, for people.
    facts: String,
}

impl UploadPage {
    pub(crate) fn new(uploads: Vec<UploadView>) -> Self {
        Self { uploads: uploads.into_iter().map(UploadLine::from).collect() }
    }
}

impl From<UploadView> for UploadLine {
    fn from(upload: UploadView) -> Self {
        let count = |count: u64, what: &str| counted(i64::try_from(count).unwrap_or(i64::MAX), what);
        let bytes = tributary_cli_common::bars::HumanBytes(upload.bytes);
        let rejects = if upload.rejects > 0 { format!(", {}", count(upload.rejects, "reject")) } else { String::new() };
        let rows = if upload.rows > 0 { format!(", {}{rejects}", count(upload.rows, "row")) } else { String::new() };
        Self { facts: format!("{bytes}{rows}"), upload }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::text::escaping::{EVIL, check};

    #[test]
    fn whatever_people_send_is_text_on_the_page() {
        let upload = UploadView {
            id: EVIL.into(),
            filename: EVIL.into(),
            state: "failed",
            bytes: 1,
            total: None,
            rows: 1,
            percent: None,
            rejects: 1,
            error: Some(EVIL.into()),
            results: vec![],
            created_at: EVIL.into(),
            finished_at: None,
        };
        check(&UploadPage::new(vec![upload]));
    }
}
