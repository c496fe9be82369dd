//! `POST /aggregate`: the request for a report's partial result, and the JSON lines of the answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    ColumnSpec, FormatSpec, GroupSpec,
    bounds::{self, MAX_GROUP_TEXTS, MAX_REJECT_BYTES, MAX_TEXT_BYTES},
};

/// Most rejects of a partial that are kept; the others are counted.
const MAX_REJECTS: usize = 1_000;
/// Most notes of a partial that are kept.
const MAX_NOTES: usize = 20;

/// A report as declared, without its name and its files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportSpec {
    /// Names that the report uses, each with its place in a file.
    #[serde(default)]
    pub columns: BTreeMap<String, ColumnSpec>,
    /// Condition; rows for which it is not true are skipped.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Condition; rows for which it is not true are rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Columns whose values form a group; without any, all rows are one group.
    #[serde(default)]
    pub group_by: Vec<GroupSpec>,
    /// Values to compute for each group.
    pub metrics: Vec<MetricSpec>,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSpec {
    /// Name in the results.
    pub name: String,
    /// Expression, such as `sum(price * quantity)`.
    pub expression: String,
}

/// The body of `POST /aggregate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregate {
    /// Path of the file in the manifest.
    pub path: String,
    /// Hash of the file in the manifest; a file with other content is refused.
    pub hash: String,
    /// Format of partials that the caller understands. A source with another one refuses.
    pub format: String,
    /// The report to compute.
    pub report: ReportSpec,
    /// The format of the file. Left out where the source's own settings count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<FormatSpec>,
}

/// One line of the answer to `POST /aggregate`. A line of progress is sent at least every second, so that each side knows that the
/// other is alive. The last line is `end`, `rejected`, `changed` or `failed`; without one of
/// these the answer is incomplete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateLine {
    /// Progress of reading, at least every few seconds.
    Progress {
        /// Bytes read, as on disk.
        bytes: u64,
        /// Rows read, good and bad.
        rows: u64,
    },
    /// The file was read to its end, and its groups follow.
    Partial(PartialHead),
    /// One group.
    Group(GroupLine),
    /// The digest of the lines `partial` and `group`, as a [`BodyDigest`](crate::BodyDigest) has it. Only sent to those who ask for it.
    Digest(String),
    /// The last group was sent.
    End,
    /// The whole file cannot be used for this report.
    Rejected {
        /// Number of the faulty line; 0 if no single line is at fault.
        line: u64,
        /// The fault, and how to fix it.
        #[serde(deserialize_with = "bounds::cut::<_, MAX_TEXT_BYTES>")]
        reason: String,
        /// Text of the line, shortened.
        #[serde(deserialize_with = "bounds::cut::<_, MAX_TEXT_BYTES>")]
        raw: String,
    },
    /// The file changed meanwhile.
    Changed,
    /// The source could not read it.
    Failed {
        /// The reason.
        #[serde(deserialize_with = "bounds::cut::<_, MAX_TEXT_BYTES>")]
        detail: String,
    },
}

/// A partial without its groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartialHead {
    /// Rows in the file, good and bad.
    pub rows: u64,
    /// Rows that `where` skipped.
    pub passed_over: u64,
    /// Rows that could not be used.
    pub rejected: u64,
    /// The first rejected rows.
    #[serde(deserialize_with = "bounds::first::<_, RowReject, MAX_REJECTS>")]
    pub rejects: Vec<RowReject>,
    /// Rows with quotes that lenient reading took for text.
    #[serde(default)]
    pub repaired: u64,
    /// Texts for people on how the file was read, a sentence each: at most 20.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "bounds::cut_texts::<_, MAX_NOTES, MAX_TEXT_BYTES>"
    )]
    pub notes: Vec<String>,
    /// Format of the file, in a few words for people.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "bounds::cut_optional::<_, MAX_TEXT_BYTES>"
    )]
    pub format: Option<String>,
    /// Number of groups that follow.
    pub groups: u64,
}

/// One row that could not be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowReject {
    /// Number of the line on which it begins.
    pub line: u64,
    /// Offset in the decoded text at which it begins.
    pub byte: u64,
    /// The reason.
    #[serde(deserialize_with = "bounds::cut::<_, MAX_REJECT_BYTES>")]
    pub reason: String,
    /// Text of the row, shortened.
    #[serde(deserialize_with = "bounds::cut::<_, MAX_REJECT_BYTES>")]
    pub raw: String,
}

/// One group of a partial: its key in the order of `group_by`, its number of rows, and the parts to merge, in a form that only
/// the report engine can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupLine(
    /// Key.
    #[serde(deserialize_with = "bounds::few_texts::<_, MAX_GROUP_TEXTS>")]
    pub Vec<String>,
    /// Rows.
    pub u64,
    /// Parts.
    #[serde(deserialize_with = "bounds::few::<_, String, MAX_GROUP_TEXTS>")]
    pub Vec<String>,
);
