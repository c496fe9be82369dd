//! The tables that can be printed, and which filters each has.

use clap::ValueEnum;

/// A table that can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Table {
    /// The current products, by sku
    Products,
    /// The number of products per name, by name
    Aggr,
    /// The sources, by name
    Sources,
    /// Versions that wait until a person accepts them, by source
    Held,
    /// The files of all sources, by source and path
    Files,
    /// Rows that were set aside, by source, file and line
    Rejects,
    /// Manual corrections, by sku
    Edits,
    /// Changes of one product, the newest first, as in `readdb changes --sku 1`
    Changes,
    /// Amounts of what happened per minute or a longer step, the newest first
    History,
    /// The reports, by name
    Reports,
    /// The rows of one report, as in `readdb report sales`
    Report,
    /// The queues of the broker, as the master last saw them
    Queues,
}

impl Table {
    /// Returns the word for its rows in a sentence.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Table::Aggr => "names in aggr",
            Table::Held => "held versions",
            Table::History => "steps",
            Table::Report => "groups",
            other => other.key(),
        }
    }

    /// Returns its key in the JSON object that is printed without a table.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Table::Products => "products",
            Table::Aggr => "aggr",
            Table::Sources => "sources",
            Table::Held => "held",
            Table::Files => "files",
            Table::Rejects => "rejects",
            Table::Edits => "edits",
            Table::Changes => "changes",
            Table::History => "history",
            Table::Reports => "reports",
            Table::Report => "report",
            Table::Queues => "queues",
        }
    }

    /// Whether `--sku` applies to it.
    pub(super) fn has_sku(self) -> bool {
        matches!(self, Table::Products | Table::Edits | Table::Changes)
    }

    /// Whether `--name` applies to it.
    pub(super) fn has_name(self) -> bool {
        matches!(self, Table::Products | Table::Aggr)
    }
}
