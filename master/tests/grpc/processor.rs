//! `processor.CsvProcessor`.

use std::{fs, time::Duration};

use futures_util::{StreamExt, stream};
use tonic::{Code, Request, Status, metadata::MetadataValue, transport::Channel};
use tributary_grpc::processor::{
    CsvChunk, ProcessSummary, ProcessingStatus, csv_processor_client::CsvProcessorClient, progress_update::Content,
};
use tributary_testkit::{
    http,
    s3::{Fault, S3Server},
};

use super::Master;
use crate::system::System;

impl Master {
    async fn client(&self) -> CsvProcessorClient<Channel> {
        CsvProcessorClient::new(self.channel().await)
    }

    /// The names of all files of results.
    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.results).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Sends chunks and takes all messages.
    pub(super) async fn process(
        &self,
        chunks: Vec<CsvChunk>,
    ) -> Result<(Vec<ProcessingStatus>, ProcessSummary), Status> {
        let mut updates = self.client().await.process_csv(stream::iter(chunks)).await?.into_inner();
        let (mut statuses, mut summary) = (Vec::new(), None);
        while let Some(update) = updates.message().await? {
            assert!(summary.is_none(), "the summary is the last message");
            match update.content.unwrap() {
                Content::StatusUpdate(status) => statuses.push(status),
                Content::Summary(last) => summary = Some(last),
            }
        }
        Ok((statuses, summary.unwrap()))
    }

    pub(super) fn totals(&self, summary: &ProcessSummary) -> String {
        fs::read_to_string(self.results.join(&summary.result_file_name)).unwrap()
    }
}

pub(super) fn chunks(text: &[u8], size: usize, is_said: bool) -> Vec<CsvChunk> {
    let parts = text.chunks(size).enumerate().map(|(number, part)| CsvChunk {
        data: part.to_vec().into(),
        file_size_bytes: (is_said && number == 0).then_some(text.len() as u64),
    });
    parts.collect()
}

const SALES: &str =
    "Department Name,Date,Number of Sales\r\nToys,2024-01-01,10\nVêtements,x,7\n\"Toys\",\"a\nb\",5\nToys,,1.5\n";
const TOTALS: &str = "Department Name,Total Number of Sales\r\nToys,15\r\nVêtements,7\r\n";

#[tokio::test]
async fn totals_go_to_s3_too_and_the_summary_links_to_them() {
    let (server, system) = (S3Server::start("bucket"), System::new());
    system.configure("[results]\nurl = \"s3://bucket/p\"\n");
    let master = Master::start_with(&system, &[], &server.variables());
    let (_, summary) = master.process(chunks(SALES.as_bytes(), 7, true)).await.unwrap();
    let link = summary.storage_result_file_url.unwrap();
    assert!(link.contains(&format!("/bucket/p/sales/{}?", summary.result_file_name)), "{link}");
    assert_eq!(http::get(&link).unwrap(), (200, TOTALS.as_bytes().to_vec()));
    // Without the server the stream has its totals all the same.
    server.misbehave(Some(Fault::Status(403, "AccessDenied")));
    let (_, summary) = master.process(chunks(SALES.as_bytes(), 7, true)).await.unwrap();
    assert_eq!((&summary.storage_result_file_url, master.totals(&summary)), (&None, TOTALS.to_owned()));
}

#[tokio::test]
async fn a_stream_ends_in_a_summary_and_a_file_of_totals() {
    let system = System::new();
    let master = Master::start(&system, &[]);
    for (size, is_said) in [(1, true), (7, false), (1 << 20, true)] {
        let (statuses, summary) = master.process(chunks(SALES.as_bytes(), size, is_said)).await.unwrap();
        let last = statuses.last().unwrap();
        assert_eq!((last.rows_processed, last.malformed_rows, last.processed_percentage), (3, 1, 100.0));
        assert_eq!((summary.rows_processed, summary.malformed_rows), (3, 1));
        assert_eq!((summary.total_sales, summary.unique_departments, summary.processed_percentage), (22, 2, 100.0));
        assert!(summary.storage_result_file_url.is_none() && summary.processing_time_seconds < 60.0);
        assert_eq!(master.totals(&summary), TOTALS);
    }
    let (statuses, summary) = master.process(Vec::new()).await.unwrap();
    assert_eq!((statuses.len(), summary.rows_processed, summary.total_sales), (1, 0, 0));
    assert_eq!(master.totals(&summary), "Department Name,Total Number of Sales\r\n");
    assert_eq!(master.files().len(), 4);
}

#[tokio::test]
async fn messages_of_many_mebibytes_are_taken_and_larger_ones_refused() {
    let system = System::new();
    let master = Master::start(&system, &[]);
    let text = format!("h\n{}", "Toys,2024-01-01,10\n".repeat(2_000_000));
    let (_, summary) = master.process(chunks(text.as_bytes(), 32 << 20, true)).await.unwrap();
    assert_eq!(summary.total_sales, 20_000_000);
    system.configure("[grpc]\nmax_message = \"64KiB\"");
    let small = Master::start(&system, &["--database-url", "small.db"]);
    let error = small.process(chunks(text.as_bytes(), 1 << 20, true)).await.unwrap_err();
    assert_eq!(error.code(), Code::OutOfRange, "{error}");
}

#[tokio::test]
async fn a_part_of_a_file_has_no_result() {
    let system = System::new();
    let master = Master::start(&system, &[]);
    let mut short = chunks(SALES.as_bytes(), 10, true);
    short.pop();
    let error = master.process(short).await.unwrap_err();
    assert!(error.code() == Code::DataLoss && error.message().contains("send it again"), "{error}");
    // Whoever breaks off without having said how long the file is.
    for number in 0..20 {
        let sent = stream::iter(chunks(SALES.as_bytes(), 10, false)).chain(stream::pending());
        let mut client = master.client().await;
        let call = client.process_csv(sent).await.unwrap();
        tokio::time::sleep(Duration::from_millis(number)).await;
        drop(call);
    }
    let (_, whole) = master.process(chunks(SALES.as_bytes(), 10, true)).await.unwrap();
    assert_eq!(master.files(), [whole.result_file_name]);
}

#[tokio::test]
async fn two_hundred_streams_at_once_get_their_own_totals() {
    let system = System::new();
    system.configure("[grpc]\nstreams = 4");
    let master = Master::start(&system, &[]);
    let one = async |number: u64| {
        let text = format!("h\n{}", format!("d{number},,{number}\n").repeat(5000));
        let (_, summary) = master.process(chunks(text.as_bytes(), 8 << 10, true)).await.unwrap();
        assert_eq!(summary.total_sales, 5000 * number);
        let expect = format!("Department Name,Total Number of Sales\r\nd{number},{}\r\n", 5000 * number);
        assert_eq!(master.totals(&summary), expect);
    };
    futures_util::future::join_all((0..200).map(one)).await;
    assert_eq!(master.files().len(), 200);
}

#[tokio::test]
async fn a_call_needs_a_token_with_the_role() {
    let system = System::new();
    let (reader, sender) = ("reader-0123456789".repeat(2), "sender-0123456789".repeat(2));
    fs::write(system.home().join("tokens"), format!("ann read {reader}\nbob upload {sender}\n")).unwrap();
    let master = Master::start(&system, &["--token-file", "tokens"]);
    let call = async |token: Option<&str>| {
        let mut request = Request::new(stream::iter(chunks(SALES.as_bytes(), 10, true)));
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", MetadataValue::try_from(format!("Bearer {token}")).unwrap());
        }
        master.client().await.process_csv(request).await.map(drop).map_err(|status| status.code())
    };
    assert_eq!(call(None).await, Err(Code::Unauthenticated));
    assert_eq!(call(Some("wrong")).await, Err(Code::Unauthenticated));
    assert_eq!(call(Some(&reader)).await, Err(Code::PermissionDenied));
    assert_eq!(call(Some(&sender)).await, Ok(()));
}

#[tokio::test]
async fn a_killed_master_leaves_no_half_result() {
    let system = System::new();
    let mut master = Master::start(&system, &[]);
    let part = master.results.join(".00000000-0000-4000-8000-000000000000.part");
    fs::write(&part, "Department").unwrap();
    let sent = stream::iter(chunks(SALES.as_bytes(), 10, false)).chain(stream::pending());
    let mut updates = master.client().await.process_csv(sent).await.unwrap().into_inner();
    master.daemon.kill();
    updates.message().await.unwrap_err();
    let again = Master::start(&system, &[]);
    assert!(again.files().is_empty(), "{:?}", again.files());
}

#[tokio::test]
async fn the_file_of_a_stream_is_kept_if_it_is_to_be() {
    let system = System::new();
    system.configure("[grpc]\nkeep = true");
    let master = Master::start(&system, &[]);
    let (_, summary) = master.process(chunks(SALES.as_bytes(), 7, true)).await.unwrap();
    assert_eq!(master.totals(&summary), TOTALS);
    // It is there before the summary comes.
    let (_, body) = http::get(&format!("{}/api/v1/uploads", master.daemon.url)).unwrap();
    let uploads: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(uploads["items"][0]["filename"], format!("sales/{}", summary.result_file_name));
    assert_eq!(uploads["items"][0]["bytes"], SALES.len());
}
