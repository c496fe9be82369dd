//! The table, printed row by row as the figures come.

use super::{
    figures::{Spread, mean, mebibytes, seconds},
    running::Pass,
    usage::Usage,
};

/// The titles of the columns, and the line below them in Markdown.
const HEAD: &str = "| what | wall time: median (min-max) | CPU: mean | peak memory | ratio: median (min-max) | target | |\n| --- | --- | --- | --- | --- | --- | --- |";

/// A row. Cells that do not apply are empty.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) what: String,
    pub(super) wall: String,
    pub(super) cpu: String,
    pub(super) memory: String,
    pub(super) ratio: String,
    pub(super) target: String,
    /// Whether the target is met, where there is one.
    pub(super) is_met: Option<bool>,
}

impl Row {
    /// Sums up passes of our programs: the median of wall time, the mean of processor time, and the highest peak.
    pub(super) fn of_passes(what: String, passes: &[Pass]) -> Self {
        let source = seconds(mean(passes.iter().map(|pass| pass.source_cpu)));
        let row = Self::of_usages(what, passes.iter().map(|pass| pass.master));
        Self { cpu: format!("{} + {source} data-source", row.cpu), ..row }
    }

    /// The same for one program.
    pub(super) fn of_usages(what: String, usages: impl Iterator<Item = Usage> + Clone) -> Self {
        Self {
            what,
            wall: Spread::of_times(usages.clone().map(|usage| usage.wall)).seconds(),
            cpu: seconds(mean(usages.clone().map(|usage| usage.cpu))),
            memory: mebibytes(usages.map(|usage| usage.peak_bytes).max().unwrap_or_default()),
            ..Self::default()
        }
    }

    /// Adds a target.
    pub(super) fn target(self, target: impl Into<String>, is_met: bool) -> Self {
        Self { target: target.into(), is_met: Some(is_met), ..self }
    }

    fn markdown(&self) -> String {
        let met = self.is_met.map_or("", |is_met| if is_met { "met" } else { "**missed**" });
        let cells = [&self.what, &self.wall, &self.cpu, &self.memory, &self.ratio, &self.target].map(String::as_str);
        format!("| {} | {met} |", cells.join(" | "))
    }
}

/// All rows so far.
pub(super) struct Table(Vec<Row>);

impl Table {
    /// Prints the head.
    pub(super) fn begin() -> Self {
        println!("{HEAD}");
        Self(Vec::new())
    }

    /// Prints rows and keeps them.
    pub(super) fn add(&mut self, rows: Vec<Row>) {
        rows.iter().for_each(|row| println!("{}", row.markdown()));
        self.0.extend(rows);
    }

    /// The whole table.
    pub(super) fn markdown(&self) -> String {
        let rows: Vec<String> = self.0.iter().map(Row::markdown).collect();
        format!("{HEAD}\n{}", rows.join("\n"))
    }
}
