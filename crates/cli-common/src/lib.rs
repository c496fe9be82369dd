//! What all programs share at their edges: the logs on stderr and the exit code (the contract's section 3). It knows
//! nothing of what the programs do.
#![warn(missing_docs)]

#[cfg(feature = "tokio")]
mod signals;

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

#[cfg(feature = "tokio")]
pub use signals::stop_on_signals;

/// Options of the logs, to be flattened into a program's own.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// How a line of the log is written on stderr; RUST_LOG says what is logged
    #[arg(long, env = "TRIBUTARY_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

impl LogArgs {
    /// Sends the logs to stderr from here on: what `RUST_LOG` asks for, else `default`.
    pub fn start(&self, default: &str) {
        self.start_on(default, io::stderr);
    }

    /// As [`LogArgs::start`], but writes through `stderr`, for a program that draws there too.
    pub fn start_on(&self, default: &str, stderr: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) {
        let asked = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|asked| !asked.is_empty());
        let filter = EnvFilter::builder().parse_lossy(asked.as_deref().unwrap_or(default));
        // A log that cannot be written is no reason to end: the default would panic where stderr is gone or full.
        let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).log_internal_errors(false);
        match self.log_format {
            LogFormat::Text => logs.with_ansi(io::stderr().is_terminal()).init(),
            LogFormat::Json => logs.json().init(),
        }
    }
}

/// The exit code of a program that has done its work: 0 on success and when the reader of our output went away, 2 for an
/// error that `is_usage` calls wrong usage, else 1. An error is printed once, with its causes.
pub fn exit_code(result: anyhow::Result<()>, is_usage: impl Fn(&anyhow::Error) -> bool) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    let broken = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    if error.chain().filter_map(|cause| cause.downcast_ref()).any(broken) {
        return ExitCode::SUCCESS;
    }
    // Not `eprintln!`, which panics when nobody reads stderr either.
    let _ = writeln!(io::stderr(), "error: {error:#}");
    if is_usage(&error) { ExitCode::from(2) } else { ExitCode::FAILURE }
}
