//! Reads the URL of a bucket or a folder.

use std::{fmt, path::PathBuf, str::FromStr};

use object_store::path::Path;
use url::Url;

/// The forms that a URL may have, for errors.
const FORMS: &str = "write s3://BUCKET/PREFIX, file:///FOLDER or memory:";

/// The place of objects: `s3://bucket/prefix`, `file:///folder`, or `memory:` for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub(crate) root: Root,
    /// Put before each key. It has no `/` at its ends.
    pub(crate) prefix: Path,
}

/// The kind of the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Root {
    /// A bucket.
    S3 {
        /// Its name.
        bucket: String,
    },
    /// A folder of this machine.
    Folder(PathBuf),
    /// A new, empty place that ends with its owner.
    Memory,
}

impl Location {
    /// Whether it is a bucket.
    #[must_use]
    pub fn is_s3(&self) -> bool {
        matches!(self.root, Root::S3 { .. })
    }

    /// The folder, if it is one.
    #[must_use]
    pub fn folder(&self) -> Option<&std::path::Path> {
        match &self.root {
            Root::Folder(path) => Some(path),
            _ => None,
        }
    }

    /// The URL of one object, for people.
    #[must_use]
    pub fn url_of(&self, key: &str) -> String {
        format!("{}/{key}", self.to_string().trim_end_matches('/'))
    }

    fn bucket(rest: &str) -> Result<Self, String> {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        // Buckets of old have capitals and `_`. Nothing else, above all no `@`: what stands before one is a secret, and is not repeated.
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if bucket.is_empty() || !bucket.bytes().all(is_name) {
            return Err(
                "the bucket's name may have letters, digits, `.`, `-` and `_`; credentials do not belong into the \
                        URL, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                    .to_owned(),
            );
        }
        let prefix = Path::parse(prefix).map_err(|why| format!("the prefix cannot be used: {why}"))?;
        Ok(Self { root: Root::S3 { bucket: bucket.to_owned() }, prefix })
    }

    fn in_folder(typed: &str) -> Result<Self, String> {
        let url = Url::parse(typed).map_err(|why| format!("{why}; {FORMS}"))?;
        let is_plain = url.query().is_none() && url.fragment().is_none();
        match url.to_file_path() {
            Ok(path) if is_plain && path.is_absolute() => {
                // Without a `/` at the end.
                Ok(Self { root: Root::Folder(path.components().collect()), prefix: Path::ROOT })
            }
            _ => Err("it names no folder of this machine; write file:///FOLDER, with `%23` for `#` and `%3F` for `?`"
                .to_owned()),
        }
    }
}

impl FromStr for Location {
    type Err = String;

    fn from_str(typed: &str) -> Result<Self, String> {
        match typed.split_once(':') {
            Some(("s3", rest)) => Self::bucket(rest.strip_prefix("//").ok_or(FORMS)?),
            Some(("file", _)) => Self::in_folder(typed),
            Some(("memory", "")) => Ok(Self { root: Root::Memory, prefix: Path::ROOT }),
            _ => Err(FORMS.to_owned()),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            Root::S3 { bucket } if self.prefix.is_root() => write!(f, "s3://{bucket}"),
            Root::S3 { bucket } => write!(f, "s3://{bucket}/{}", self.prefix),
            Root::Folder(path) => match Url::from_file_path(path) {
                Ok(url) => f.write_str(url.as_str()),
                Err(()) => write!(f, "file://{}", path.display()),
            },
            Root::Memory => f.write_str("memory:"),
        }
    }
}
