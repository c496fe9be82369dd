//! Everything that a step with a cluster can fail with, in words that name the scheduler.

use std::time::Duration;

use arrow_flight::error::FlightError;
use tonic::{Code, Status};

/// A step that failed. The session it belongs to must be dropped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The scheduler cannot be reached, or the connection to it broke.
    #[error("the Ballista scheduler {scheduler} cannot be reached: {cause}")]
    Away {
        /// The address.
        scheduler: String,
        /// The cause, for people.
        cause: String,
    },
    /// A step took too long.
    #[error("the Ballista scheduler {scheduler} did not {step} within {} s", .limit.as_secs())]
    TimedOut {
        /// The address.
        scheduler: String,
        /// The step, such as "finish a query".
        step: &'static str,
        /// The time limit.
        limit: Duration,
    },
    /// There is no executor.
    #[error("the Ballista scheduler {scheduler} has no executor that is ready; start one")]
    NoExecutor {
        /// The address.
        scheduler: String,
    },
    /// The scheduler knows no Flight SQL.
    #[error(
        "the Ballista scheduler {scheduler} has no Flight SQL; install it with \
         `cargo install --locked ballista-scheduler --features flight-sql`"
    )]
    NoFlightSql {
        /// The address.
        scheduler: String,
    },
    /// The cluster refused a statement, or a query failed in it.
    #[error("the Ballista cluster failed to {step}: {cause}")]
    Failed {
        /// The step.
        step: &'static str,
        /// The words of the cluster.
        cause: String,
    },
    /// The rows are not those that were asked for.
    #[error("the Ballista cluster answers with other rows than were asked for: {0}")]
    Unreadable(String),
}

/// Words of the cluster that are kept: it quotes whole plans.
const MAX_CAUSE_CHARS: usize = 600;

impl Error {
    /// Whether the cluster as a whole is of no use now, whatever is asked of it.
    #[must_use]
    pub fn is_away(&self) -> bool {
        !matches!(self, Self::Failed { .. } | Self::Unreadable(_))
    }

    /// Sorts the answer to a step.
    pub(crate) fn of_status(status: &Status, scheduler: &str, step: &'static str) -> Self {
        let scheduler = scheduler.to_owned();
        match status.code() {
            Code::Unimplemented => Self::NoFlightSql { scheduler },
            // A session that a restarted scheduler has forgotten is `Unauthenticated`.
            Code::Unavailable | Code::Cancelled | Code::Unauthenticated | Code::DeadlineExceeded => {
                Self::Away { scheduler, cause: cause(status) }
            }
            // A connection that broke has a cause, and what a server says has none.
            Code::Unknown if std::error::Error::source(status).is_some() => {
                Self::Away { scheduler, cause: cause(status) }
            }
            _ => Self::Failed { step, cause: cause(status) },
        }
    }

    pub(crate) fn of_flight(error: FlightError, scheduler: &str, step: &'static str) -> Self {
        match error {
            FlightError::Tonic(status) => Self::of_status(&status, scheduler, step),
            FlightError::Arrow(error) => Self::Unreadable(shortened(&error.to_string())),
            error => Self::Unreadable(shortened(&error.to_string())),
        }
    }
}

/// The innermost words on a connection that broke, or those of the cluster.
fn cause(status: &Status) -> String {
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(status);
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    shortened(&cause.map_or_else(|| status.message().to_owned(), ToString::to_string))
}

fn shortened(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MAX_CAUSE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_something_of_one_query_says_nothing_of_the_cluster() {
        let check = |code, is_away| {
            let error = Error::of_status(&Status::new(code, "x"), "http://a", "run a query");
            assert_eq!(error.is_away(), is_away, "{error}");
        };
        for code in [Code::Unavailable, Code::Unauthenticated, Code::Unimplemented] {
            check(code, true);
        }
        for code in [Code::Unknown, Code::Internal, Code::InvalidArgument, Code::NotFound, Code::ResourceExhausted] {
            check(code, false);
        }
    }

    #[test]
    fn words_of_the_cluster_are_cut() {
        let status = Status::internal("plan\n  ".repeat(1_000));
        let error = Error::of_status(&status, "http://a", "run a query").to_string();
        assert!(error.chars().count() < MAX_CAUSE_CHARS + 100 && !error.contains('\n'), "{error}");
    }
}
