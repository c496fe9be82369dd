//! `[results]` of the file.

use super::{ConfigError, Place};
use crate::results::{self, ResultsAsTyped, ResultsConfig};

impl Place<'_> {
    pub(super) fn results(&self, typed: &ResultsAsTyped) -> Result<ResultsConfig, ConfigError> {
        let url = self.optional(typed.url.as_ref(), results::url)?;
        let export = self.optional(typed.export.as_ref(), results::export_times)?;
        if let (None, Some(export)) = (&url, &typed.export) {
            return Err(
                self.error(export.span().start, "`export` needs a place: set `url`, such as s3://BUCKET/PREFIX")
            );
        }
        Ok(ResultsConfig { url, export })
    }
}
