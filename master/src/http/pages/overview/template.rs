//! The types that the template of the page shows.

use std::time::Duration;

use askama::Template;

use super::{
    change::Change,
    dashboard::{Bar, Count},
    export_line::ExportLine,
    queue_line::QueueLine,
    source_line::SourceLine,
};
use crate::http::pages::{
    plot::{Plot, SpanLink},
    product::{self, Field, Form, Known},
    text::moment::Moment,
};

/// The page at `/`.
#[derive(Template)]
#[template(path = "home.html")]
pub(crate) struct Home {
    pub(crate) form: Form,
    /// Announcement of the last deed.
    pub(crate) done: Option<&'static str>,
    /// The fields of the form, one for each column.
    pub(crate) fields: Vec<Field>,
    /// The product of the form's sku, if it has one.
    pub(crate) known: Option<Known>,
    /// Its version, which a save of the form expects.
    pub(crate) version: Option<String>,
    pub(crate) counts: Vec<Count>,
    /// Plots of the history.
    pub(crate) plots: Vec<Plot>,
    /// The spans that the plots can cover.
    pub(crate) spans: Vec<SpanLink>,
    /// The largest names, or values of the column that is counted in their place.
    pub(crate) bars: Vec<Bar>,
    /// Words for what the bars count by.
    pub(crate) bars_of: String,
    /// The reason why the database cannot be written, and the time since when it cannot.
    pub(crate) unwritable: Option<(String, Option<Moment>)>,
    /// A long write in progress.
    pub(crate) busy: Option<Busy>,
    /// Those that need somebody first.
    pub(crate) sources: Vec<SourceLine>,
    /// Words for the sources that are not listed.
    pub(crate) more_sources: Option<String>,
    pub(crate) queues: Vec<QueueLine>,
    pub(crate) exports: Vec<ExportLine>,
    /// The latest changes, the newest first.
    pub(crate) changes: Vec<Change>,
}

impl Home {
    fn can_create(&self) -> bool {
        self.known.as_ref().is_some_and(Known::can_be_created)
    }

    fn can_empty(&self) -> bool {
        self.fields.iter().any(|field| !field.shown.is_empty() || field.is_emptied)
    }

    fn product_link(&self, sku: &str) -> String {
        product::link(sku)
    }
}

/// A write in progress.
pub(crate) struct Busy {
    pub(crate) what: String,
    pub(crate) seconds: String,
}

impl From<(String, Duration)> for Busy {
    fn from((what, since): (String, Duration)) -> Self {
        Self { what, seconds: format!("{:.1}", since.as_secs_f64()) }
    }
}

#[cfg(test)]
mod tests {
    use tributary_engine::{Event, OwnColumns};

    use super::*;
    use crate::http::{
        api::product_views::{Offer, Product},
        pages::{
            product::{Kind, OfferLine},
            sources::source::tests::evil_source,
            text::escaping::{EVIL, check},
        },
    };

    #[test]
    #[allow(clippy::too_many_lines, reason = "every text of the page")]
    fn whatever_feeds_and_people_write_is_text_on_the_page() {
        let product = Product {
            sku: EVIL.into(),
            name: EVIL.into(),
            description: EVIL.into(),
            source: Some(EVIL.into()),
            file: Some(EVIL.into()),
            edited: true,
            own: OwnColumns::default(),
            first_seen: None,
            changed_at: Some(EVIL.into()),
        };
        let offer = Offer {
            source: EVIL.into(),
            file: EVIL.into(),
            row: Some(1),
            name: EVIL.into(),
            description: EVIL.into(),
            own: OwnColumns::default(),
            deletes: false,
            wins: true,
            gives: vec![EVIL.into()],
        };
        let form = Form { sku: EVIL.into(), typed: vec![], complaint: Some(EVIL.into()), ..Form::default() };
        let field = |kind| Field {
            id: EVIL.into(),
            name: EVIL.into(),
            label: EVIL.into(),
            typed: EVIL.into(),
            shown: EVIL.into(),
            is_emptied: false,
            kind,
        };
        let own = || vec![(EVIL.to_owned(), EVIL.to_owned())];
        let home = Home {
            form,
            done: None,
            fields: vec![field(Kind::Long), field(Kind::Number)],
            version: Some(EVIL.into()),
            known: Some(Known {
                sku: EVIL.into(),
                product: Some(product),
                own: own(),
                offers: vec![OfferLine { offer, own: own(), gives: Some(EVIL.into()), rule: Some(EVIL.into()) }],
                edit: None,
                edited: None,
            }),
            queues: vec![QueueLine { name: EVIL.into(), state: "down", facts: EVIL.into(), error: Some(EVIL.into()) }],
            exports: vec![ExportLine {
                name: EVIL.into(),
                state: "down",
                state_text: "",
                url: EVIL.into(),
                written: None,
                error: Some(EVIL.into()),
            }],
            counts: vec![],
            plots: vec![],
            spans: vec![],
            bars: vec![Bar { name: EVIL.into(), link: String::new(), count: EVIL.into(), width: String::new() }],
            bars_of: EVIL.into(),
            more_sources: None,
            unwritable: Some((EVIL.into(), None)),
            busy: Some((EVIL.to_owned(), Duration::from_secs(1)).into()),
            sources: vec![evil_source().into()],
            changes: vec![Change::new(EVIL, Event::Edit { sku: EVIL.into() })],
        };
        check(&home);
    }
}
