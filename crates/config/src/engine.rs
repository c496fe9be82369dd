//! `[engine]`: a Ballista cluster that computes reports beside the sources and this master.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::{duration, secrets::shown};

/// Time limit of a query by default.
const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(3600);

/// The cluster of a report with `engine = "ballista"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterConfig {
    /// The address of its scheduler.
    pub url: Url,
    /// Whether sources and this master compute what the cluster should, while it is away. Default: no, the report waits.
    pub fallback: bool,
    /// The time limit of a query. Default: 1 h.
    pub time_limit: Duration,
}

/// `[engine]` as typed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EngineAsTyped {
    ballista: Option<Spanned<String>>,
    fallback: Option<Spanned<bool>>,
    time_limit: Option<Spanned<String>>,
}

/// Checks the section. An error comes with its position in the file.
pub(super) fn engine(typed: &EngineAsTyped) -> Result<Option<ClusterConfig>, (usize, String)> {
    let at = |place: usize| move |why: String| (place, why);
    let limit = typed.time_limit.as_ref();
    let limit = limit.map(|limit| duration(limit.get_ref()).map_err(at(limit.span().start))).transpose()?;
    let Some(ballista) = &typed.ballista else {
        let others = typed.fallback.as_ref().map(Spanned::span).or(typed.time_limit.as_ref().map(Spanned::span));
        return match others {
            None => Ok(None),
            Some(span) => {
                Err((span.start, "it needs a cluster: set `ballista`, the address of its scheduler".to_owned()))
            }
        };
    };
    Ok(Some(ClusterConfig {
        url: cluster_url(ballista.get_ref()).map_err(at(ballista.span().start))?,
        fallback: typed.fallback.as_ref().is_some_and(|fallback| *fallback.get_ref()),
        time_limit: limit.unwrap_or(DEFAULT_TIME_LIMIT),
    }))
}

/// The cluster that a report names by `engine`.
pub(super) fn cluster_of(engine: &str, cluster: Option<&ClusterConfig>) -> Result<Option<ClusterConfig>, String> {
    match (engine, cluster) {
        ("push-down", _) => Ok(None),
        ("ballista", Some(cluster)) => Ok(Some(cluster.clone())),
        ("ballista", None) => {
            Err("there is no cluster: set `ballista` in [engine] to the address of its scheduler".to_owned())
        }
        _ => Err(format!("`{engine}` is not an engine; write \"push-down\" or \"ballista\"")),
    }
}

fn cluster_url(typed: &str) -> Result<Url, String> {
    let wrong = |why: &str| {
        let typed = shown(typed);
        Err(format!(
            "`{typed}` is not the address of a Ballista scheduler: {why}; write one such as \"http://127.0.0.1:50050\""
        ))
    };
    let Ok(url) = Url::parse(typed) else { return wrong("it is not a URL") };
    match url.scheme() {
        "http" => {}
        "https" => return wrong("a stock scheduler speaks no TLS"),
        _ => return wrong("it does not begin with http://"),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return wrong("it names no host");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("a stock scheduler knows no password");
    }
    if url.path().len() > 1 || url.query().is_some() || url.fragment().is_some() {
        return wrong("something stands behind host and port");
    }
    Ok(url)
}
