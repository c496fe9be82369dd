//! A new configuration for a running engine.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use anyhow::Result;
use tributary_config::{Config, SourceConfig, UploadsConfig};
use tributary_store::Store;

use super::{Current, Engine, adopt::Adoption};
use crate::{
    inbox::PollSettings,
    ingest::StoredSource,
    progress::Unobserved,
    reports::{ReportMemory, Reports},
};

/// The pause before another attempt to go back to the old configuration.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

impl Engine {
    /// Puts a new configuration into force: sources, their order and settings, reports and the poll interval are added, changed and
    /// dropped by the same adoption as at a start, except that a source that holds rows and is gone is held until someone accepts that
    /// they go. Sources that stay as they are go on undisturbed. Settings that only a start can change are named in the log.
    ///
    /// # Errors
    /// The database fails. The old configuration stays in force.
    pub async fn reload(&self, config: Config) -> Result<()> {
        let mut current = self.0.current.lock().await;
        let _uploads = self.0.inbox.source().hold().await;
        let put_off = settings_for_the_next_start(&current.config, &config);
        if !put_off.is_empty() {
            let settings = put_off.join(", ");
            tracing::warn!(%settings, "changed settings that only the next start applies: {settings}");
        }
        if !self.is_active() {
            self.show(&config);
            current.config = config;
            tracing::info!("a new configuration is in force: its reports and columns are shown");
            return Ok(());
        }
        let memory = current.context.reports.memory().clone();
        let (old, new) = (self.adoption(&current.config, &memory), self.adoption(&config, &memory));
        let is_same = (&old.sources, &old.reports, &old.catalog) == (&new.sources, &new.reports, &new.catalog)
            && config.poll_interval == current.config.poll_interval
            && with_changes(&current.config.uploads, &config.uploads) == current.config.uploads;
        if is_same {
            if put_off.is_empty() {
                tracing::info!("the configuration was read again; nothing in it has changed");
            }
            return Ok(());
        }
        let changed = changed_sources(&current.config, &config, &old.sources, &new.sources);
        let is_gone = |source: &SourceConfig| !new.sources.iter().any(|other| other.name == source.name);
        let stopped = old.sources.iter().filter(|source| is_gone(source) || changed.contains(&source.name));
        let stopped: Vec<_> = stopped.map(|source| source.name.clone()).collect();
        for name in &stopped {
            self.0.loops.remove(name).await;
        }
        let stored = match self.adopt(new.clone()).await {
            Ok(stored) => stored,
            Err(error) => {
                // What was stopped goes on as before.
                let stored = self.adopt_until_done(old.clone()).await;
                self.poll_those(&current, &stopped, old.sources, stored);
                return Err(error);
            }
        };
        let mut context = current.context.clone();
        if config.reports != current.config.reports {
            context.reports = Reports::new(&config.reports, config.database.clone(), memory);
        }
        self.show(&config);
        let (sources, reports) = (config.sources.len(), config.reports.len());
        *current = Current { config, context };
        self.poll_those(&current, &changed, new.sources, stored);
        tracing::info!(sources, reports, "a new configuration is in force: {sources} sources, {reports} reports");
        Ok(())
    }

    /// Shows the reports and columns of a configuration.
    fn show(&self, config: &Config) {
        *self.0.reports.write().unwrap_or_else(PoisonError::into_inner) = config.reports.clone().into();
        *self.0.catalog.write().unwrap_or_else(PoisonError::into_inner) = config.catalog.clone().into();
    }

    fn adoption(&self, config: &Config, memory: &ReportMemory) -> Adoption {
        let mut sources = config.sources.clone();
        let uploads = self.0.inbox.source().running();
        sources.extend(uploads.map(|source| {
            let UploadsConfig { formats, columns, .. } = config.uploads.clone();
            SourceConfig { formats, columns, ..source }
        }));
        let (reports, catalog) = (memory.of(&config.reports), config.catalog.clone());
        Adoption { sources, reports, catalog, drop: config.drop_sources.clone(), is_reload: true }
    }

    async fn adopt(&self, adoption: Adoption) -> Result<Vec<StoredSource>> {
        let adopt = move |store: &mut Store| Ok(adoption.run(store)?.0);
        self.0.writer.run("a new configuration", adopt).await
    }

    /// Adopts a configuration that was in force before; tries again while the database fails.
    async fn adopt_until_done(&self, adoption: Adoption) -> Vec<StoredSource> {
        loop {
            match self.adopt(adoption.clone()).await {
                Ok(stored) => return stored,
                Err(error) => tracing::error!("failed to go back to the old configuration, trying again: {error:#}"),
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Polls those of `sources` that are named in `names`.
    fn poll_those(&self, current: &Current, names: &[String], sources: Vec<SourceConfig>, stored: Vec<StoredSource>) {
        let Current { config, context } = current;
        let uploads = self.0.inbox.source();
        uploads.replace(PollSettings {
            context: context.clone(),
            poll_interval: config.poll_interval,
            formats: config.uploads.formats.clone(),
            columns: config.uploads.columns.clone(),
        });
        for (source, stored) in sources.into_iter().zip(stored).filter(|(source, _)| names.contains(&source.name)) {
            let poll = context.poll(source, stored, uploads.documents(), Arc::new(Unobserved));
            self.0.loops.add(poll, config.poll_interval);
        }
    }
}

/// Names of the sources whose loops must start: new ones, and those that are read or asked in another way than before.
fn changed_sources(old: &Config, new: &Config, before: &[SourceConfig], after: &[SourceConfig]) -> Vec<String> {
    let all = (&old.reports, &old.catalog, old.poll_interval) != (&new.reports, &new.catalog, new.poll_interval);
    // A priority concerns the database alone.
    let is_as = |source: &SourceConfig, other: &SourceConfig| {
        SourceConfig { priority: source.priority, ..other.clone() } == *source
    };
    let is_as_before = |source: &SourceConfig| before.iter().any(|other| is_as(source, other));
    after.iter().filter(|source| all || !is_as_before(source)).map(|source| source.name.clone()).collect()
}

/// The settings of uploads with those of `new` that a reload may change.
fn with_changes(old: &UploadsConfig, new: &UploadsConfig) -> UploadsConfig {
    UploadsConfig { formats: new.formats.clone(), columns: new.columns.clone(), ..old.clone() }
}

/// Names of the settings that differ and that a reload does not apply.
fn settings_for_the_next_start(old: &Config, new: &Config) -> Vec<&'static str> {
    // Each setting is named, so that none is forgotten.
    let Config {
        database,
        listen,
        public_url,
        access,
        tls,
        allowed_hosts,
        poll_interval: _,
        patience,
        sources: _,
        reports: _,
        catalog: _,
        uploads,
        keep_free,
        limits,
        cache,
        amqp,
        grpc,
        sales_gateway,
        results,
        compat,
        drop_sources: _,
        accept: _,
        reload,
        file: _,
        is_blank: _,
        is_demo: _,
    } = new;
    let settings = [
        ("database_url", old.database == *database),
        ("listen", old.listen == *listen),
        ("public_url", old.public_url == *public_url),
        ("allowed_hosts", old.allowed_hosts == *allowed_hosts),
        ("token_file", old.access.token_file == access.token_file),
        ("tls_cert, tls_key", old.tls == *tls),
        ("allow_anonymous", old.access.allow_anonymous == access.allow_anonymous),
        ("patience", old.patience == *patience),
        ("keep_free", old.keep_free == *keep_free),
        ("limits", old.limits == *limits),
        ("uploads", with_changes(&old.uploads, uploads) == *uploads),
        ("cache", old.cache == *cache),
        ("amqp", old.amqp == *amqp),
        ("grpc", old.grpc == *grpc),
        ("sales_gateway", old.sales_gateway == *sales_gateway),
        ("results", old.results == *results),
        ("compat", old.compat == *compat),
        ("reload", old.reload == *reload),
    ];
    settings.into_iter().filter(|(_, is_same)| !is_same).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use tributary_config::CacheConfig;

    use super::*;

    /// "Nothing in it has changed" was logged of another `patience`.
    #[test]
    fn a_setting_that_a_reload_does_not_apply_is_named() {
        let old = Config::default();
        assert!(
            settings_for_the_next_start(&old, &Config { poll_interval: Duration::from_secs(9), ..old.clone() })
                .is_empty()
        );
        let cache = CacheConfig { size: 1, ..old.cache.clone() };
        let new = Config { patience: Duration::from_secs(9), cache, ..old.clone() };
        assert_eq!(settings_for_the_next_start(&old, &new), ["patience", "cache"]);
    }
}
