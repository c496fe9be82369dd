//! The edges that all programs share: logs on stderr, exit codes, texts and progress bars on a terminal. It knows nothing
//! of what the programs do.
#![warn(missing_docs)]

#[cfg(feature = "bars")]
pub mod bars;
mod log_lines;
#[cfg(feature = "tokio")]
mod signals;
pub mod terminal;
pub mod text;
mod threads;
mod variables;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Args, ValueEnum};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use self::log_lines::LogLines;

#[cfg(feature = "tokio")]
pub use signals::stop_on_signals;
pub use threads::check_threads;
pub use variables::{Server, with_variables};

/// Log options, flattened into each program's arguments.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Format of the log lines on stderr; RUST_LOG chooses which events are logged
    #[arg(long, env = "TRIBUTARY_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
}

/// The format of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object per line, for programs
    Json,
}

impl LogArgs {
    /// Starts logging to stderr: what `RUST_LOG` asks for, else `default`.
    pub fn start(&self, default: &str) {
        self.start_on(default, io::stderr);
    }

    /// Like [`LogArgs::start`], but writes through `stderr`, for a program that draws there too.
    pub fn start_on(&self, default: &str, stderr: impl for<'a> MakeWriter<'a> + Send + Sync + 'static) {
        let directives = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|directives| !directives.is_empty());
        let filter = EnvFilter::builder().parse_lossy(directives.as_deref().unwrap_or(default));
        // A log line that cannot be written must not end the program: the default panics where stderr is closed or full.
        let logs = tracing_subscriber::fmt().with_env_filter(filter).log_internal_errors(false);
        match self.log_format {
            LogFormat::Text => {
                logs.with_writer(LogLines(stderr)).with_ansi(!terminal::is_plain(&io::stderr())).init();
            }
            LogFormat::Json => logs.with_writer(stderr).json().init(),
        }
    }
}

/// Maps a program's result to its exit code: 0 on success, or if the reader of its output went away; 2 for an error that
/// `is_usage` calls wrong usage; else 1. Prints an error once, with its causes.
pub fn exit_code(result: anyhow::Result<()>, is_usage: impl Fn(&anyhow::Error) -> bool) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    let is_broken_pipe = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    if error.chain().filter_map(|cause| cause.downcast_ref()).any(is_broken_pipe) {
        return ExitCode::SUCCESS;
    }
    // Not `eprintln!`, which panics if nobody reads stderr either.
    let _ = writeln!(io::stderr(), "error: {}", text::lines(&format!("{error:#}")));
    if is_usage(&error) { ExitCode::from(2) } else { ExitCode::FAILURE }
}
