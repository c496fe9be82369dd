//! A database, read by the shell of its kind, `sqlite3` or `psql`: a program that is not ours, as any user might have it open. One shell
//! stays open, so that a query does not start a program.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::waiting::until;

/// A shell on one database. It ends when this is dropped.
pub(super) struct Shell {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Shell {
    /// Opens an existing database read-only.
    pub(super) fn open(database: &Path) -> Result<Self> {
        let mut command = Command::new("sqlite3");
        command.args(["-init", "/dev/null", "-batch", "-readonly"]).arg(database);
        Self::start(command).context("failed to start sqlite3 (`apt-get install sqlite3`)")
    }

    /// Opens a PostgreSQL database by its URL.
    pub(super) fn of_postgres(url: &str) -> Result<Self> {
        let mut command = Command::new("psql");
        command.args(["-X", "-q", "-t", "-A", url]);
        Self::start(command).context("failed to start psql (`apt-get install postgresql`)")
    }

    fn start(mut command: Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let questions = child.stdin.take().context("the shell's input is piped")?;
        let answers = BufReader::new(child.stdout.take().context("the shell's output is piped")?);
        Ok(Self { child, questions, answers })
    }

    /// Runs a query whose result is one value without a line end.
    pub(super) fn ask(&mut self, query: &str) -> Result<String> {
        self.questions.write_all(format!("{query};\n").as_bytes()).context("the shell of the database has ended")?;
        let mut line = String::new();
        self.answers.read_line(&mut line).context("the shell of the database has ended")?;
        ensure!(line.ends_with('\n'), "the shell of the database does not answer `{query}`");
        Ok(line.trim_end_matches('\n').to_owned())
    }

    /// Counts products and names, in the form that the peers print.
    pub(super) fn counts(&mut self) -> Result<String> {
        self.ask("select 'products ' || (select count(*) from products) || ' names ' || (select count(*) from aggr)")
    }

    /// The name of a product; empty if there is none.
    pub(super) fn name_of(&mut self, sku: &str) -> Result<String> {
        self.ask(&format!("select coalesce((select name from products where sku = '{sku}'), '')"))
    }

    /// Waits until the product has this name.
    pub(super) fn wait_for(&mut self, sku: &str, name: &str) -> Result<()> {
        let what = format!("`{sku}` is `{name}` in the database");
        until(&what, Duration::from_millis(2), || Ok((self.name_of(sku)? == name).then_some(())))
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
