//! A `[[source]]` as typed, and its validation.

use std::path::Path;

use toml::Spanned;
use tributary_admission::{Role, read_client_token};
use tributary_format_rules::{FormatRules, Patterns, Selection, check_files_typed, key_at};
use tributary_protocol::{FormatSpec, OneOrMany};

use super::{Place, SourceAsTyped};
use crate::{
    Brake, CatalogConfig, ConfigError, SourceConfig, SourceLimits, brake, duration, limits, secrets,
    source::{BUCKET_SCHEME, source_name, source_url},
    uploads,
};

impl Place<'_> {
    pub(super) fn source(&self, typed: SourceAsTyped, catalog: &CatalogConfig) -> Result<SourceConfig, ConfigError> {
        self.checked(&typed.name, source_name)?;
        let url = self.checked(&typed.url, source_url)?;
        let is_bucket = url.scheme() == BUCKET_SCHEME;
        if let Some(setting) = typed.ca_file.as_ref().or(typed.pin.as_ref()).filter(|_| is_bucket) {
            let why = "a bucket has no certificate of its own; name the authority of its server in AWS_CA_BUNDLE";
            return Err(self.error(setting.span().start, why));
        }
        let token = self.optional(typed.token_file.as_ref(), |token_file: &str| {
            if is_bucket {
                return Err("a bucket takes no token; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment of the master".to_owned());
            }
            let path = self.beside(Path::new(token_file));
            // A source only serves readers.
            read_client_token(&path, Role::Read).map_err(|why| secrets::in_full(&why))
        })?;
        let trust =
            secrets::trust(&url, typed.ca_file.as_ref(), typed.pin.as_ref(), |file| self.beside(Path::new(file)));
        let trust = trust.map_err(|(at, why)| self.error(at, &why))?;
        let columns = self.columns(&typed.columns, catalog)?;
        let formats = self.formats(&typed.format, catalog)?;
        let patterns = |typed: &OneOrMany| Patterns::new(&typed.to_vec()).map_err(|why| why.to_string());
        let included = |typed: &OneOrMany| match patterns(typed)? {
            none if none.is_empty() => {
                Err("an empty list chooses no file: leave `include` out for every file".to_owned())
            }
            some => Ok(some),
        };
        let selection = Selection {
            include: self.optional(typed.include.as_ref(), included)?.unwrap_or_default(),
            exclude: self.optional(typed.exclude.as_ref(), patterns)?.unwrap_or_default(),
        };
        let default = Brake::default();
        let brake = Brake {
            max_removal: self.optional(typed.max_removal.as_ref(), brake::max_removal)?.unwrap_or(default.max_removal),
            hold_for: self.optional(typed.hold_for.as_ref(), brake::hold_for)?.unwrap_or(default.hold_for),
        };
        let limits = self.limits(&typed)?;
        let poll_interval = self.optional(typed.poll_interval.as_ref(), duration)?;
        let (name, priority) = (typed.name.into_inner(), typed.priority);
        Ok(SourceConfig {
            name,
            url,
            priority,
            columns,
            selection,
            formats,
            brake,
            limits,
            token,
            trust,
            folder: None,
            poll_interval,
        })
    }

    fn limits(&self, typed: &SourceAsTyped) -> Result<SourceLimits, ConfigError> {
        let default = SourceLimits::default();
        let max_file_size = self.optional(typed.max_file_size.as_ref(), uploads::max_size)?;
        Ok(SourceLimits {
            max_files: self.optional(typed.max_files.as_ref(), limits::max_files)?.unwrap_or(default.max_files),
            max_file_size: max_file_size.unwrap_or(default.max_file_size),
            max_rejects: typed.max_rejects.unwrap_or(default.max_rejects),
        })
    }

    pub(super) fn formats(
        &self,
        typed: &[Spanned<FormatSpec>],
        catalog: &CatalogConfig,
    ) -> Result<FormatRules, ConfigError> {
        for spec in typed {
            let mut filled = spec.get_ref().fill_down.iter().flatten();
            if let Some(name) = filled.find(|name| *name == "sku" || !catalog.has(name)) {
                let at = key_at(self.text, spec.span().start, Some("fill_down"));
                let why = match name.as_str() {
                    "sku" => "a sku is never inherited: leave `sku` out".to_owned(),
                    name => catalog.no_column(name),
                };
                return Err(self.error(at, &format!("fill_down: {why}")));
            }
            check_files_typed(self.text, spec).map_err(|(at, why)| self.error(at, &why))?;
        }
        let specs: Vec<FormatSpec> = typed.iter().map(|spec| spec.get_ref().clone()).collect();
        FormatRules::new(&specs).map_err(|why| {
            let at = key_at(self.text, typed[why.index].span().start, why.error.key);
            self.error(at, &why.error.to_string())
        })
    }
}
