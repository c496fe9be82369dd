//! The types that the template of the page shows.

use askama::Template;

use crate::http::{
    api::upload_view::UploadView,
    pages::text::wording::{counted, sentence, thousands},
};

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
    /// A sentence: why it failed.
    error: Option<String>,
    /// The label of its button.
    remove: &'static str,
}

impl UploadPage {
    pub(crate) fn new(uploads: Vec<UploadView>) -> Self {
        Self { uploads: uploads.into_iter().map(UploadLine::from).collect() }
    }
}

impl From<UploadView> for UploadLine {
    fn from(upload: UploadView) -> Self {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let bytes = tributary_cli_common::bars::HumanBytes(upload.bytes);
        let rejects = if upload.rejects > 0 {
            format!(", {} set aside", thousands(number(upload.rejects)))
        } else {
            String::new()
        };
        let rows =
            if upload.rows > 0 { format!(", {}{rejects}", counted(number(upload.rows), "row")) } else { String::new() };
        let error = upload.error.as_deref().map(sentence);
        let remove = match upload.state {
            "complete" => "Remove file and rows",
            "failed" => "Remove",
            _ => "Cancel",
        };
        let by = upload.sent_by.as_ref().map(|by| format!(", sent by {by}")).unwrap_or_default();
        Self { facts: format!("{bytes}{rows}{by}"), error, remove, upload }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{
        api::suggestions::Suggestion,
        pages::text::escaping::{EVIL, check},
    };

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
            sent_by: Some(EVIL.into()),
            created_at: EVIL.into(),
            finished_at: None,
            suggestions: vec![Suggestion { title: EVIL.into(), lines: EVIL.into() }],
        };
        check(&UploadPage::new(vec![upload]));
    }
}
