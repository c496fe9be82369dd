//! `[uploads]` of the file.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use tributary_format_rules::size;
use tributary_protocol::{FormatSpec, OneOrMany};

use super::{CatalogConfig, ConfigError, Place, UploadsConfig, duration};
use crate::uploads;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UploadsAsTyped {
    dir: Option<Spanned<String>>,
    #[serde(default)]
    priority: i64,
    #[serde(default)]
    columns: BTreeMap<Spanned<String>, Spanned<OneOrMany>>,
    max_size: Option<Spanned<String>>,
    keep_free: Option<Spanned<String>>,
    keep_messages: Option<u64>,
    keep_messages_for: Option<Spanned<String>>,
    #[serde(default)]
    format: Vec<Spanned<FormatSpec>>,
}

impl Place<'_> {
    pub(super) fn uploads(
        &self,
        typed: &UploadsAsTyped,
        of_all: Option<u64>,
        catalog: &CatalogConfig,
    ) -> Result<UploadsConfig, ConfigError> {
        let default = UploadsConfig::default();
        let dir = self.optional(typed.dir.as_ref(), uploads::folder)?.map(|dir| self.beside(&dir));
        let max_size = self.optional(typed.max_size.as_ref(), uploads::max_size)?.unwrap_or(default.max_size);
        let keep_free = self.optional(typed.keep_free.as_ref(), size)?.or(of_all).unwrap_or(default.keep_free);
        let keep_messages_for = self.optional(typed.keep_messages_for.as_ref(), duration)?;
        Ok(UploadsConfig {
            dir,
            priority: typed.priority,
            max_size,
            keep_free,
            keep_messages: typed.keep_messages.unwrap_or(default.keep_messages),
            keep_messages_for: keep_messages_for.unwrap_or(default.keep_messages_for),
            columns: self.columns(&typed.columns, catalog)?,
            formats: self.formats(&typed.format, catalog)?,
        })
    }
}
