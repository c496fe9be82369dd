//! Reports as a plain model computes them from what folders hold: rows as the `csv` crate splits them, one after another, in memory.
//! It shares no code with the programs.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value, json};

/// A report, in the words of the test.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    /// The whole section but its name.
    pub(crate) toml: &'static str,
    pub(crate) claims: fn(&str) -> bool,
    /// Columns without which a file is rejected.
    pub(crate) needs: &'static [&'static str],
    /// Turns a row into a result.
    pub(crate) row: fn(&Row<'_>) -> Made,
    /// The columns of a group, as spelled in the results.
    pub(crate) group_by: &'static [&'static str],
    /// The metrics, computed of the numbers that rows of a group gave; none of those whose cell was empty.
    pub(crate) metrics: fn(&[Option<i64>]) -> Value,
}

/// One row by its header.
pub(crate) type Row<'a> = dyn Fn(&str) -> String + 'a;

/// The part of a row in a report.
pub(crate) enum Made {
    PassedOver,
    Reject,
    /// Its group and its number.
    Counts(Vec<String>, Option<i64>),
}

impl Spec {
    pub(crate) fn section(&self) -> String {
        format!("[[report]]\nname = \"{}\"\n{}\n", self.name, self.toml)
    }

    /// The rows over these files, of which each is in a shape that is accepted.
    pub(crate) fn rows<'a>(&self, files: impl IntoIterator<Item = &'a Vec<u8>>) -> Value {
        let mut groups: BTreeMap<Vec<String>, Vec<Option<i64>>> = BTreeMap::new();
        if self.group_by.is_empty() {
            groups.insert(Vec::new(), Vec::new());
        }
        for content in files {
            for made in self.file(content) {
                if let Made::Counts(group, number) = made {
                    groups.entry(group).or_default().push(number);
                }
            }
        }
        let row = |(group, numbers): (Vec<String>, Vec<Option<i64>>)| {
            let keys = self.group_by.iter().map(|name| (*name).to_owned()).zip(group.into_iter().map(Value::String));
            let mut row: Map<String, Value> = keys.collect();
            row.extend((self.metrics)(&numbers).as_object().unwrap().clone());
            Value::Object(row)
        };
        groups.into_iter().map(row).collect()
    }

    /// Whether a file of this content is rejected.
    pub(crate) fn rejects(&self, content: &[u8]) -> bool {
        let header = header(content);
        self.needs.iter().any(|needed| !header.iter().any(|name| name == needed))
    }

    fn file(&self, content: &[u8]) -> Vec<Made> {
        let header = header(content);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(content);
        let made = |record: csv::StringRecord| {
            if record.len() != header.len() {
                return Made::Reject;
            }
            (self.row)(&|name: &str| record[header.iter().position(|column| column == name).unwrap()].trim().to_owned())
        };
        reader.records().map(|record| made(record.unwrap())).collect()
    }
}

fn header(content: &[u8]) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(content);
    // A file that nobody can read has no names that anybody needs.
    reader.byte_headers().unwrap().iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
}

/// The files of a folder by path.
pub(crate) fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |path: String| (path.clone(), std::fs::read(folder.join(path)).unwrap());
    crate::model::files(folder).into_iter().map(read).collect()
}

fn sum(numbers: &[Option<i64>]) -> Value {
    let there: Vec<i64> = numbers.iter().flatten().copied().collect();
    if there.is_empty() { Value::Null } else { json!(there.iter().sum::<i64>()) }
}

fn department(row: &Row<'_>) -> Option<String> {
    Some(row("dept")).filter(|text| !text.is_empty())
}

/// Sales a department; a sale must be a number and not negative.
pub(crate) const SALES: Spec = Spec {
    name: "sales",
    toml: r#"files = "*sales*.csv"
check = "n >= 0"
group_by = "dept"
metrics = { rows = "count()", total = "sum(n)", least = "min(n)" }"#,
    claims: |path| path.contains("sales") && path.ends_with(".csv"),
    needs: &["dept", "n"],
    row: |row| match (row("n").parse(), department(row)) {
        (Ok(n), Some(dept)) if n >= 0 => Made::Counts(vec![dept], Some(n)),
        _ => Made::Reject,
    },
    group_by: &["dept"],
    metrics: |n| json!({ "rows": n.len(), "total": sum(n), "least": n.iter().flatten().min() }),
};

/// The same by other names.
pub(crate) const SALES_RENAMED: Spec = Spec {
    toml: r#"files = "*sales*.csv"
check = "n >= 0"
group_by = "dept"
metrics = { number = "count()", "all of it" = "sum(n)", low = "min(n)" }"#,
    metrics: |n| json!({ "number": n.len(), "all of it": sum(n), "low": n.iter().flatten().min() }),
    ..SALES
};

/// The same columns, and others than sales of 2 and more are passed over; fewer files.
pub(crate) const SALES_OTHERWISE: Spec = Spec {
    toml: r#"files = ["sales*.csv"]
where = "n >= 2"
group_by = "dept"
metrics = { rows = "count()", total = "sum(n * 10)", least = "min(n)" }"#,
    claims: |path| path.starts_with("sales") && path.ends_with(".csv"),
    row: |row| match (row("n"), department(row)) {
        (n, _) if n.is_empty() => Made::PassedOver,
        (n, dept) => match (n.parse::<i64>(), dept) {
            (Err(_), _) => Made::Reject,
            (Ok(n), _) if n < 2 => Made::PassedOver,
            (Ok(n), Some(dept)) => Made::Counts(vec![dept], Some(n)),
            (Ok(_), None) => Made::Reject,
        },
    },
    metrics: |n| {
        let total = sum(&n.iter().map(|n| n.map(|n| n * 10)).collect::<Vec<_>>());
        json!({ "rows": n.len(), "total": total, "least": n.iter().flatten().min() })
    },
    ..SALES
};

/// One row over all files, which are product feeds too.
pub(crate) const ALL: Spec = Spec {
    name: "everything",
    toml: r#"files = "**/*"
feed = true
metrics = { rows = "count()", total = "sum(n)", mean = "mean(n)" }"#,
    claims: |_| true,
    needs: &["n"],
    row: |row| match row("n") {
        n if n.is_empty() => Made::Counts(Vec::new(), None),
        n => n.parse().map_or(Made::Reject, |n| Made::Counts(Vec::new(), Some(n))),
    },
    group_by: &[],
    metrics: |n| {
        let there: Vec<i64> = n.iter().flatten().copied().collect();
        let mean = (!there.is_empty()).then(|| there.iter().sum::<i64>() as f64 / there.len() as f64);
        json!({ "rows": n.len(), "total": sum(n), "mean": mean })
    },
};

/// The same, whose files are no product feeds.
pub(crate) const ALL_NO_FEEDS: Spec = Spec {
    toml: r#"files = ["*", "**/*"]
metrics = { rows = "count()", total = "sum(n)", mean = "mean(n)" }"#,
    ..ALL
};

/// By two columns, one of them a filter.
pub(crate) const KINDS: Spec = Spec {
    name: "kinds",
    toml: r#"files = ["b*.csv", "*sales.csv"]
where = "kind IN ('x', 'y')"
group_by = ["kind", "dept"]
metrics = { rows = "count()" }"#,
    claims: |path| path.ends_with(".csv") && (path.starts_with('b') || path.ends_with("sales.csv")),
    needs: &["kind", "dept"],
    row: |row| match (row("kind"), department(row)) {
        (kind, _) if kind != "x" && kind != "y" => Made::PassedOver,
        (kind, Some(dept)) => Made::Counts(vec![kind, dept], None),
        (_, None) => Made::Reject,
    },
    group_by: &["kind", "dept"],
    metrics: |n| json!({ "rows": n.len() }),
};

/// Results are compared as numbers, so a mean must be read back as the one that was written.
#[test]
fn json_gives_back_the_means_that_were_written() {
    for (sum, count) in [(216, 19), (190, 17), (271, 3)] {
        let mean = f64::from(sum) / f64::from(count);
        assert_eq!(serde_json::from_str::<Value>(&mean.to_string()).unwrap(), json!(mean));
    }
}
