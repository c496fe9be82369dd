//! What is said about reports: `POST /aggregate`, whose answer is a line of JSON a thing that happens.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A report as it is declared, without what it is called and which files are its.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportSpec {
    /// A name that the report uses, and the header names that it may have in a file; the first that is there counts.
    #[serde(default)]
    pub columns: BTreeMap<String, Vec<String>>,
    /// Rows of which it is not true are passed over.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Rows of which it is not true are rejects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// The columns whose values make a group; none: all rows are one.
    #[serde(default)]
    pub group_by: Vec<String>,
    /// What is computed of each group.
    pub metrics: Vec<MetricSpec>,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSpec {
    /// What it is called in the results.
    pub name: String,
    /// Such as `sum(price * quantity)`.
    pub expression: String,
}

/// The body of `POST /aggregate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// The file, as the manifest lists it.
    pub path: String,
    /// The hash that the manifest gives it: a file of other content is not looked at.
    pub hash: String,
    /// The format of partials that is understood. A source that computes another one refuses.
    pub format: String,
    /// What to compute.
    pub report: ReportSpec,
}

/// A line of the answer to `POST /aggregate`. The last one is `end`, `rejected`, `changed` or `failed`: without it the
/// answer is cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateLine {
    /// How far the file was read: bytes as they lie on disk, and rows. At least every few seconds.
    Progress {
        /// Bytes.
        bytes: u64,
        /// Rows, good and bad.
        rows: u64,
    },
    /// The file was read to its end; its groups follow.
    Partial(PartialHead),
    /// One group.
    Group(GroupLine),
    /// That was all.
    End,
    /// The file as a whole cannot be used for this report.
    Rejected {
        /// The physical line at fault; 0 where it is no one line's fault.
        line: u64,
        /// What is wrong and what would mend it.
        reason: String,
        /// The line's text, cut.
        raw: String,
    },
    /// The file has changed meanwhile.
    Changed,
    /// The source could not read it.
    Failed {
        /// Why.
        detail: String,
    },
}

/// What a partial says beside its groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialHead {
    /// Rows of the file, good and bad.
    pub rows: u64,
    /// Rows that `where` passed over.
    pub passed_over: u64,
    /// Rows that could not be used.
    pub rejected: u64,
    /// The first of them.
    pub rejects: Vec<RowReject>,
    /// How many groups follow.
    pub groups: u64,
}

/// One row that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowReject {
    /// The physical line on which it begins.
    pub line: u64,
    /// Where it begins in the decoded text.
    pub byte: u64,
    /// Why it could not be used.
    pub reason: String,
    /// Its text, cut.
    pub raw: String,
}

/// One group of a partial: its key, in the order of `group_by`; how many rows it has; its mergeable parts, in a form that
/// only who made them can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupLine(
    /// The key.
    pub Vec<String>,
    /// Rows.
    pub u64,
    /// Parts.
    pub Vec<String>,
);
