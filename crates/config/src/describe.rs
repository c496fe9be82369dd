//! The configuration in words, for `master --check`.

use std::fmt;

use tributary_csv_gate::Columns;
use tributary_format_rules::size_text;
use tributary_protocol::{ColumnSpec, GroupSpec};

use crate::{
    AmqpConfig, Brake, CatalogConfig, ClusterConfig, CompatConfig, Config, GrpcConfig, MaxRemoval, Origins, Reload,
    ReportConfig, ResultsConfig, SalesGatewayConfig, SourceConfig, SourceLimits,
};

impl fmt::Display for Config {
    /// Lists what the configuration means: settings, sources in the order in which they win, reports, bounds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(path) => writeln!(f, "configuration  {}", path.display())?,
            None => writeln!(f, "configuration  no file")?,
        }
        writeln!(f, "database       {}", self.database)?;
        writeln!(f, "listen         {}", self.listen)?;
        if let Some(url) = &self.public_url {
            writeln!(f, "public url     {url}")?;
        }
        let access = match (&self.access.token_file, self.access.allow_anonymous) {
            (Some(path), _) => format!("the tokens in {}", path.display()),
            (None, true) => "anyone".to_owned(),
            (None, false) => "this machine only".to_owned(),
        };
        writeln!(f, "access         {access}")?;
        if let Ok(Some((certificate, _))) = self.tls.both() {
            writeln!(f, "tls            the certificate in {}", certificate.display())?;
        }
        if !self.allowed_hosts.is_empty() {
            writeln!(f, "allowed hosts  {}", self.allowed_hosts.join(", "))?;
        }
        let reload = if self.reload == Reload::Watch { "SIGHUP, or a change of the file" } else { "SIGHUP" };
        writeln!(f, "reload         {reload}")?;
        writeln!(f, "poll interval  {}", humantime::format_duration(self.poll_interval))?;
        writeln!(f, "keep free      {} on each disk", size_text(self.keep_free))?;
        writeln!(f, "patience       {}", humantime::format_duration(self.patience))?;
        catalog_lines(f, &self.catalog)?;
        let folder = self.uploads.folder(&self.database);
        writeln!(f, "uploads        {}, priority {}", folder.display(), self.uploads.priority)?;
        let (max, free) = (size_text(self.uploads.max_size), size_text(self.uploads.keep_free));
        writeln!(f, "               at most {max} each, {free} stay free on the disk")?;
        let (messages, age) = (self.uploads.keep_messages, humantime::format_duration(self.uploads.keep_messages_for));
        writeln!(f, "               the last {messages} messages are remembered for {age}")?;
        match self.cache.size {
            0 => writeln!(f, "cache          off")?,
            size => writeln!(
                f,
                "cache          {}, at most {}",
                self.cache.folder(&self.database).display(),
                size_text(size)
            )?,
        }
        amqp_lines(f, &self.amqp)?;
        sales_lines(f, self)?;
        if let ResultsConfig { url: Some(url), export } = &self.results {
            writeln!(f, "results        {url}, after each change of a report")?;
            if let Some(export) = export {
                writeln!(f, "               products and aggr {export}")?;
            }
        }
        if let Some(CompatConfig { data, limit }) = &self.compat {
            writeln!(f, "compat         GET /data gives {data}, at most {limit} rows")?;
        }
        writeln!(f, "sources        {}", self.sources.len())?;
        self.sources.iter().try_for_each(|source| source_lines(f, source))?;
        writeln!(f, "reports        {}", self.reports.len())?;
        self.reports.iter().try_for_each(|report| report_lines(f, report))
    }
}

fn sales_lines(f: &mut fmt::Formatter<'_>, config: &Config) -> fmt::Result {
    let Config { grpc: grpc @ GrpcConfig { streams, keep, .. }, sales_gateway, .. } = config;
    let SalesGatewayConfig { listen, origins } = sales_gateway;
    if let Some(listen) = &grpc.listen {
        writeln!(f, "grpc           {listen}")?;
    }
    if let Some(listen) = listen {
        let pages = match origins {
            Origins::Any => "pages of any site".to_owned(),
            Origins::Named(names) if names.is_empty() => "no page of another site".to_owned(),
            Origins::Named(names) => format!("pages of {}", names.join(", ")),
        };
        writeln!(f, "sales gateway  {listen}, for {pages}")?;
    }
    if grpc.listen.is_none() && listen.is_none() {
        return Ok(());
    }
    let kept = if *keep { "; the file of each becomes an upload, too" } else { "" };
    writeln!(f, "sales streams  at most {streams} at a time{kept}")?;
    writeln!(f, "               their totals go to {}", grpc.results(&config.database).display())
}

fn amqp_lines(f: &mut fmt::Formatter<'_>, amqp: &AmqpConfig) -> fmt::Result {
    let AmqpConfig { url: Some(url), operations_queue, results_exchange, .. } = amqp else { return Ok(()) };
    writeln!(f, "broker         {url}")?;
    writeln!(f, "               operations come from the queue {operations_queue}")?;
    match results_exchange {
        Some(exchange) => writeln!(f, "               events go to the exchange {exchange}"),
        None => Ok(()),
    }
}

fn catalog_lines(f: &mut fmt::Formatter<'_>, catalog: &CatalogConfig) -> fmt::Result {
    let CatalogConfig { columns, check, newest, from, group_by, index } = catalog;
    let own: String = columns.iter().map(|column| format!(", {}", column.name)).collect();
    writeln!(f, "catalog        sku, name, description{own}")?;
    check.iter().try_for_each(|check| writeln!(f, "               each row: {check}"))?;
    if let Some(newest) = newest {
        writeln!(f, "               of several offers the one with the greatest {newest} wins, then the priority")?;
    }
    for (column, sources) in from {
        writeln!(f, "               {column} comes only from {}", sources.join(", or else "))?;
    }
    if let Some(column) = group_by {
        writeln!(f, "               aggr counts {column}")?;
    }
    match index.is_empty() {
        true => Ok(()),
        false => writeln!(f, "               an index on {}", index.join(", ")),
    }
}

fn source_lines(f: &mut fmt::Formatter<'_>, source: &SourceConfig) -> fmt::Result {
    let SourceConfig { name, url, priority, columns, token, brake, limits, .. } = source;
    let token = if token.is_some() { ", with a token" } else { "" };
    writeln!(f, "  {name}: {url}, priority {priority}{token}")?;
    if let Some(interval) = source.poll_interval {
        writeln!(f, "    asked every {}", humantime::format_duration(interval))?;
    }
    let Columns { sku, name, description, op, own, newest: _ } = columns;
    let built_in = [("sku", sku), ("name", name), ("description", description), ("op", op)];
    for (column, header) in built_in.into_iter().chain(own.iter().map(|own| (own.name.as_str(), &own.headers))) {
        if !header.is_empty() {
            writeln!(f, "    {column} is the column \"{}\"", header.join("\" or \""))?;
        }
    }
    if *limits != SourceLimits::default() {
        let SourceLimits { max_files, max_file_size, max_rejects } = *limits;
        let size = size_text(max_file_size);
        writeln!(f, "    at most {max_files} files of {size}, of which {max_rejects} rows set aside are kept")?;
    }
    if *brake == Brake::default() {
        return Ok(());
    }
    let Some(MaxRemoval { share, rows }) = brake.max_removal else { return writeln!(f, "    no version is held") };
    let until = match brake.hold_for {
        Some(time) => format!("for {}", humantime::format_duration(time)),
        None => "until someone accepts it".to_owned(),
    };
    writeln!(f, "    a version that takes away more than {rows} skus and {} % is held {until}", share * 100.0)
}

fn report_lines(f: &mut fmt::Formatter<'_>, report: &ReportConfig) -> fmt::Result {
    let feed = if report.feed { ", also product feeds" } else { "" };
    writeln!(f, "  {}: files {}{feed}", report.name, report.patterns().collect::<Vec<_>>().join(", "))?;
    if let Some(title) = &report.display.title {
        writeln!(f, "    title {title}")?;
    }
    let position = |(name, column): (&String, &ColumnSpec)| match column {
        ColumnSpec::Position(position) => Some(format!("{name} is column {position}")),
        ColumnSpec::Headers(_) => None,
    };
    let positions: Vec<_> = report.spec.columns.iter().filter_map(position).collect();
    if !positions.is_empty() {
        writeln!(f, "    {}", positions.join(", "))?;
    }
    match report.spec.group_by.iter().map(group_text).collect::<Vec<_>>().as_slice() {
        [] => writeln!(f, "    one row over everything")?,
        columns => writeln!(f, "    grouped by {}", columns.join(", "))?,
    }
    for (what, expression) in [("where", &report.spec.filter), ("check", &report.spec.check)] {
        if let Some(expression) = expression {
            writeln!(f, "    {what} {expression}")?;
        }
    }
    if let Some(ClusterConfig { url, fallback, time_limit }) = &report.cluster {
        let limit = humantime::format_duration(*time_limit);
        let away = if *fallback { "sources and master" } else { "nobody" };
        writeln!(f, "    plain files are computed by Ballista at {url}, within {limit}; while it is away, by {away}")?;
    }
    report.spec.metrics.iter().try_for_each(|metric| {
        let unit = report.unit(&metric.name).map(|unit| format!(" in {unit}")).unwrap_or_default();
        writeln!(f, "    {} = {}{unit}", metric.name, metric.expression)
    })
}

fn group_text(group: &GroupSpec) -> String {
    match group {
        GroupSpec::Column(column) => column.clone(),
        GroupSpec::Date(date) => {
            let part = format!("{:?}", date.by).to_lowercase();
            match &date.name {
                Some(name) => format!("the {part} of {} as {name}", date.column),
                None => format!("the {part} of {}", date.column),
            }
        }
    }
}
