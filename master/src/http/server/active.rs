//! Requests that only the active master serves, in one that reads: they are sent on, if it is known where that one is.

use actix_web::{HttpRequest, http::header::HeaderValue, web};
use tributary_engine::MasterRole;

use super::App;

/// A request that this master cannot serve, because it only reads.
#[derive(Debug)]
pub(crate) struct Elsewhere {
    role: MasterRole,
    /// The address of the same path at the active master; `None` if that is not known.
    pub(super) location: Option<HeaderValue>,
    /// Whether there is an active master.
    is_there: bool,
}

impl Elsewhere {
    /// Finds where a request goes that changes something; `None` if this master serves it.
    pub(super) fn of(request: &HttpRequest) -> Option<Self> {
        let app = request.app_data::<web::Data<App>>()?;
        let role = app.engine.role();
        if role == MasterRole::Active {
            return None;
        }
        let active = app.engine.active_master();
        let is_there = active.is_some();
        // A standby that takes over at this moment would send the request to itself.
        let url = active.and_then(|active| active.public_url).filter(|url| Some(url) != app.public_url.as_ref());
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let location = url.and_then(|url| HeaderValue::from_str(&format!("{url}{path}")).ok());
        Some(Self { role, location, is_there })
    }

    /// A request that nobody has looked at before the database refused it.
    pub(super) fn unknown() -> Self {
        Self { role: MasterRole::Reader, location: None, is_there: true }
    }
}

impl std::fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let role = self.role.as_str();
        write!(f, "this master is a {role}, which only reads; ")?;
        match (&self.location, self.is_there) {
            (Some(_), _) => f.write_str("`Location` is the same path at the active one, which makes changes"),
            (None, true) => f.write_str("ask the active one, whose address is not known here: it has no `public_url`"),
            (None, false) => f.write_str("there is no active one at the moment; try again in a moment"),
        }
    }
}
