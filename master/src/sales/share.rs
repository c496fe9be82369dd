//! The totals of a stream in S3 or a folder, besides the folder of results.

use std::{fs::File, time::Duration};

use tokio::time::timeout;
use tributary_formats::CSV_UTF8_WITH_HEADER;
use tributary_object_storage::ObjectStorage;

/// The longest time for it. The client waits for its summary, and the totals are in the folder of results already.
const PATIENCE: Duration = Duration::from_secs(10);

/// Writes a file of totals to `sales/NAME`, and returns a link to it. What fails is logged: the stream has its totals without it.
pub(super) async fn share(storage: &ObjectStorage, name: &str, file: File) -> Option<String> {
    let key = format!("sales/{name}");
    let write = async {
        storage.replace(&key, file, CSV_UTF8_WITH_HEADER).await?;
        storage.link(&key).await
    };
    let url = storage.location().url_of(&key);
    match timeout(PATIENCE, write).await {
        Ok(Ok(link)) => link.map(String::from),
        Ok(Err(error)) => {
            tracing::warn!("failed to write totals: {error}");
            None
        }
        Err(_) => {
            tracing::warn!("failed to write totals: {url}: it took more than {} s", PATIENCE.as_secs());
            None
        }
    }
}
