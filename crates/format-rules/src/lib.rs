//! Rules that say how which files are read: the tables `[[format]]` of a configuration, of the file that `data-source --formats`
//! names, and of a manifest. Here their patterns are compiled and matched, and their settings become those of the CSV gate
//! and of the report engine. Reading a file is the gate's work.
#![warn(missing_docs)]

mod announced;
mod glob;
mod order;
mod patterns;
mod rules;
mod settings;
mod size;
mod toml_file;

pub use announced::bounded;
pub use order::{misordered, rank_key};
pub use patterns::{Patterns, PatternsError, Selection};
pub use rules::{FormatRules, RuleError, SourceFormats};
pub use settings::{SettingError, file_format, op_words, settings};
pub use size::{size, size_text};
pub use toml_file::{FormatFileError, check_files_typed, key_at, key_of_value, line_of, read_formats, to_toml};
