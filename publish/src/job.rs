//! A run as the command line asks for it, checked. It does not look at the files.

use std::path::PathBuf;

use reqwest::Url;
use tributary_amqp::BrokerUrl;
use tributary_http_client::Trust;

/// The work that the arguments ask for.
#[derive(Debug, Clone)]
pub enum Job {
    /// Upload to a master.
    Upload(UploadJob),
    /// Publish to a queue.
    Publish(PublishJob),
}

/// Files to upload to a master.
#[derive(Debug, Clone)]
pub struct UploadJob {
    /// Paths of the files.
    pub files: Vec<PathBuf>,
    /// Address of the master.
    pub to: Url,
    /// The certificates that prove who it is.
    pub trust: Trust,
    /// File that holds the master's token.
    pub token_file: Option<PathBuf>,
    /// Whether files of the same names are replaced.
    pub replace: bool,
    /// Files to upload at the same time.
    pub jobs: u8,
}

/// Files to publish to a queue of a broker.
#[derive(Debug, Clone)]
pub struct PublishJob {
    /// Paths of the files.
    pub files: Vec<PathBuf>,
    /// Address of the broker.
    pub broker: BrokerUrl,
    /// Name of the queue.
    pub queue: String,
    /// The unit that is one message.
    pub content: Content,
    /// Most messages per second.
    pub rate: Option<u32>,
}

/// The unit that is one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A file.
    Documents,
    /// A line of a file.
    Operations,
}
