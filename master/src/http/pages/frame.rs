//! The frame of every page: how a page becomes an answer, and the page of a problem.

use std::any::Any;

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, ContentType},
    },
};
use askama::Template;
use tributary_engine::{ActiveMaster, MasterRole};

use crate::http::server::{App, error::ApiError};

/// A problem as a page.
#[derive(Template)]
#[template(path = "problem.html")]
pub(crate) struct ProblemPage {
    pub(crate) status: u16,
    pub(crate) title: String,
    pub(crate) detail: String,
}

/// Renders a page. The layout gets whether there are reports to link to, and in a master that only reads what it says of itself, and the
/// address of the active one.
pub(crate) fn answer(app: &App, status: StatusCode, page: &impl Template) -> Result<HttpResponse, ApiError> {
    let has_reports = !app.engine.reports().is_empty();
    let active = app.engine.active_master();
    let reading = reading(app.engine.role(), active.as_ref());
    let mut frame: Vec<(&str, &dyn Any)> = vec![("has_reports", &has_reports)];
    frame.extend(reading.as_ref().map(|reading| ("reading", reading as &dyn Any)));
    let url = active.and_then(|active| active.public_url);
    frame.extend(url.as_ref().map(|url| ("active", url as &dyn Any)));
    let body = page.render_with_values(&frame).map_err(|error| ApiError::from(anyhow::Error::new(error)))?;
    let mut response = HttpResponse::build(status);
    Ok(response.insert_header(ContentType::html()).insert_header((CACHE_CONTROL, "no-store")).body(body))
}

/// Words of a master that only reads about itself; `None` for the active one.
fn reading(role: MasterRole, active: Option<&ActiveMaster>) -> Option<String> {
    let what = match role {
        MasterRole::Active => return None,
        MasterRole::Standby => {
            "This master is a standby: it shows what is stored, and takes over if the active one fails."
        }
        MasterRole::Reader => "This master only reads: it shows what is stored.",
    };
    let who = match active {
        Some(ActiveMaster { public_url: Some(url), .. }) => format!("Changes are made at {url}."),
        Some(ActiveMaster { holder: Some(holder), .. }) => format!("Changes are made by another one: {holder}."),
        _ => "There is no active master at the moment, so nothing changes.".to_owned(),
    };
    Some(format!("{what} {who}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::text::escaping::{EVIL, check};

    #[test]
    fn a_master_that_only_reads_says_so_and_who_is_active() {
        let active = |url: Option<&str>| ActiveMaster {
            epoch: 0,
            holder: Some("master, process 7".to_owned()),
            public_url: url.map(str::to_owned),
            since: None,
        };
        let check = |role, active: Option<ActiveMaster>, parts: &[&str]| {
            let said = reading(role, active.as_ref()).unwrap();
            parts.iter().for_each(|part| assert!(said.contains(part), "{said}"));
        };
        assert_eq!(reading(MasterRole::Active, None), None);
        check(MasterRole::Reader, Some(active(Some("http://a:1"))), &["only reads", "at http://a:1."]);
        check(MasterRole::Standby, Some(active(None)), &["standby", "by another one: master, process 7."]);
        check(MasterRole::Standby, None, &["standby", "no active master"]);
    }

    #[test]
    fn whatever_was_wrong_is_text_on_the_page() {
        check(&ProblemPage { status: 404, title: EVIL.into(), detail: EVIL.into() });
    }
}
