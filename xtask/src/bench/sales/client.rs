//! A client of `processor.CsvProcessor` in this program. It sends a file in chunks of 1 MiB as it reads it, and does nothing else.

use std::{
    fs::File,
    io::Read,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures_util::{
    future::try_join_all,
    stream::{self, Stream},
};
use tonic::transport::Channel;
use tributary_grpc::processor::{
    CsvChunk, ProcessSummary, csv_processor_client::CsvProcessorClient, progress_update::Content,
};

const CHUNK_BYTES: u64 = 1 << 20;

/// Sends a file in `streams` streams at once, each on a connection of its own. Returns the time from the first call to the last summary,
/// and the summaries.
pub(super) fn send(address: &str, file: &Path, streams: usize) -> Result<(Duration, Vec<ProcessSummary>)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("failed to start the client")?.block_on(async {
        let channel =
            || async { Channel::from_shared(address.to_owned())?.connect().await.map_err(anyhow::Error::from) };
        let channels =
            try_join_all((0..streams).map(|_| channel())).await.context("failed to connect to the server")?;
        let began = Instant::now();
        let summaries = try_join_all(channels.into_iter().map(|channel| process(channel, file))).await?;
        Ok((began.elapsed(), summaries))
    })
}

async fn process(channel: Channel, file: &Path) -> Result<ProcessSummary> {
    let answered = CsvProcessorClient::new(channel).process_csv(chunks(file)?).await;
    let mut updates = answered.context("the server refuses the stream")?.into_inner();
    while let Some(update) = updates.message().await.context("the stream failed")? {
        if let Some(Content::Summary(summary)) = update.content {
            return Ok(summary);
        }
    }
    anyhow::bail!("the stream ends without a summary")
}

/// The file in chunks. One that cannot be read ends early, which the server notices by its length.
fn chunks(file: &Path) -> Result<impl Stream<Item = CsvChunk> + use<>> {
    let file = File::open(file)?;
    let length = file.metadata()?.len();
    let next = move |(mut file, mut announced): (File, Option<u64>)| async move {
        let mut data = Vec::with_capacity(CHUNK_BYTES as usize);
        let read = (&mut file).take(CHUNK_BYTES).read_to_end(&mut data).ok()?;
        let chunk = CsvChunk { data: data.into(), file_size_bytes: announced.take() };
        (read > 0).then_some((chunk, (file, announced)))
    };
    Ok(stream::unfold((file, Some(length)), next))
}
