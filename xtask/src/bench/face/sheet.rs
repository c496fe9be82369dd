//! Tables with columns of their own, printed row by row as the figures come.

/// All tables so far, as Markdown.
#[derive(Default)]
pub(super) struct Sheet(String);

impl Sheet {
    /// Begins a table below a line of text.
    pub(super) fn begin(&mut self, caption: &str, columns: &[&str]) {
        let break_before = if self.0.is_empty() { "" } else { "\n" };
        self.put(&format!("{break_before}{caption}\n"));
        self.put(&format!("| {} |", columns.join(" | ")));
        self.put(&format!("|{}", " --- |".repeat(columns.len())));
    }

    /// Adds a row.
    pub(super) fn add<const N: usize>(&mut self, cells: [String; N]) {
        self.put(&format!("| {} |", cells.join(" | ")));
    }

    /// All of it.
    pub(super) fn markdown(&self) -> &str {
        self.0.trim_end()
    }

    fn put(&mut self, line: &str) {
        println!("{line}");
        self.0.push_str(line);
        self.0.push('\n');
    }
}

/// The last cell of a row that has a target.
pub(super) fn met(is_met: bool) -> String {
    if is_met { "met" } else { "**missed**" }.to_owned()
}
