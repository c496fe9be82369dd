//! `tributary.v1`, and the standard services beside it.

use std::fs;

use futures_util::{StreamExt, stream};
use serde_json::Value;
use tonic::{
    Code, Request, Status,
    metadata::MetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::Channel,
};
use tributary_grpc::tributary_v1::{
    EditProductRequest, Event, FollowRequest, GetProductRequest, ListProductsRequest, Nothing, Product, Stage, Texts,
    UploadRequest, UploadStart, UploadState, edit_product_request::Change, tributary_client::TributaryClient,
    upload_request::Content,
};
use tributary_testkit::{http, wait};

use super::Master;
use crate::system::System;

const FEED: &str = "sku,name,description,price\nk1,Pen,blue,1.20\nk2,Pen,red,1.30\nk3,Cup,,4\n";
const CATALOG: &str = "[catalog]\ncolumns = [\"price\"]\n";

#[derive(Clone)]
pub(super) struct Bearer(Option<String>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", MetadataValue::try_from(format!("Bearer {token}")).unwrap());
        }
        Ok(request)
    }
}

pub(super) type Client = TributaryClient<InterceptedService<Channel, Bearer>>;

impl Master {
    pub(super) async fn own(&self, token: Option<&str>) -> Client {
        TributaryClient::with_interceptor(self.channel().await, Bearer(token.map(str::to_owned)))
    }
}

fn started(path: &str, text: &str, size: usize) -> Vec<UploadRequest> {
    let start = UploadStart { path: path.to_owned(), size: Some(text.len() as u64), ..UploadStart::default() };
    let data = text.as_bytes().chunks(size).map(|data| Content::Data(data.to_vec().into()));
    [Content::Start(start)].into_iter().chain(data).map(|content| UploadRequest { content: Some(content) }).collect()
}

/// Sends messages and takes all states.
async fn upload(client: &mut Client, messages: Vec<UploadRequest>) -> Result<Vec<UploadState>, Status> {
    let states = client.upload(stream::iter(messages)).await?.into_inner();
    states.collect::<Vec<_>>().await.into_iter().collect()
}

async fn product(client: &mut Client, sku: &str) -> Result<Product, Code> {
    let asked = GetProductRequest { sku: sku.to_owned() };
    client.get_product(asked).await.map(tonic::Response::into_inner).map_err(|status| status.code())
}

/// Calls that change something are refused with the address of the master that makes changes: gRPC has no redirects.
#[tokio::test]
async fn a_master_that_only_reads_answers_reads() {
    let system = System::new();
    system.configure(CATALOG);
    let active = Master::start(&system, &["--public-url", "https://shop.example"]);
    let mut client = active.own(None).await;
    upload(&mut client, started("a.csv", FEED, 64)).await.unwrap();
    let reader = Master::start(&system, &["--read-only"]);
    let mut client = reader.own(None).await;
    wait::until("it can read", || (http::get(&format!("{}/readyz", reader.daemon.url)).ok()?.0 == 200).then_some(()));
    assert_eq!(product(&mut client, "k1").await.unwrap().name, "Pen");
    let edit = EditProductRequest { sku: "k1".into(), change: Some(Change::Hide(Nothing {})), ..Default::default() };
    let refused = [
        client.edit_product(edit).await.unwrap_err(),
        upload(&mut client, started("b.csv", FEED, 64)).await.unwrap_err(),
    ];
    for status in refused {
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        assert!(status.message().contains("https://shop.example"), "{status}");
    }
}

#[tokio::test]
async fn an_upload_is_followed_to_its_end() {
    let system = System::new();
    system.configure(CATALOG);
    let master = Master::start(&system, &[]);
    let mut client = master.own(None).await;
    let states = upload(&mut client, started("prices/a.csv", FEED, 7)).await.unwrap();
    let last = states.last().unwrap();
    assert_eq!((last.stage(), last.rows, last.rejects, last.error.as_str()), (Stage::Complete, 3, 0, ""));
    assert_eq!((last.path.as_str(), last.bytes, last.total), ("prices/a.csv", FEED.len() as u64, Some(last.bytes)));
    assert_eq!(states.iter().filter(|state| state.id == last.id).count(), states.len());
    assert_eq!(states.iter().filter(|state| matches!(state.stage(), Stage::Complete | Stage::Failed)).count(), 1);
    let shown = product(&mut client, "k1").await.unwrap();
    assert_eq!((shown.name.as_str(), shown.columns["price"].as_str()), ("Pen", "1.20"));
    assert_eq!((shown.source.as_str(), shown.file.as_str(), shown.edited), ("uploads", "prices/a.csv", false));
    // The HTTP API knows it, too.
    let (_, body) = http::get(&format!("{}/api/v1/uploads/{}", master.daemon.url, last.id)).unwrap();
    let seen: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((&seen["state"], &seen["rows"]), (&"complete".into(), &3.into()));
    let taken = upload(&mut client, started("prices/a.csv", FEED, 100)).await.unwrap_err();
    assert_eq!(taken.code(), Code::AlreadyExists, "{taken}");
}

#[tokio::test]
async fn a_file_that_is_not_sent_as_a_whole_is_none() {
    let system = System::new();
    let master = Master::start(&system, &[]);
    let mut client = master.own(None).await;
    let check = async |client: &mut Client, messages: Vec<UploadRequest>, code: Code| {
        let error = upload(client, messages).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    };
    let mut short = started("a.csv", FEED, 7);
    short.pop();
    check(&mut client, short, Code::DataLoss).await;
    check(&mut client, started("a.csv", FEED, 7).split_off(1), Code::InvalidArgument).await;
    check(&mut client, Vec::new(), Code::InvalidArgument).await;
    check(&mut client, started("../a.csv", FEED, 7), Code::InvalidArgument).await;
    let twice = [started("a.csv", FEED, 7), started("a.csv", FEED, 7)].concat();
    check(&mut client, twice, Code::DataLoss).await;
    // Whoever goes.
    let mut begun = started("a.csv", FEED, 7);
    let Some(UploadRequest { content: Some(Content::Start(start)) }) = begun.first_mut() else { panic!() };
    start.size = None;
    let id = begun_and_gone(&master, begun);
    tributary_testkit::wait::until("the upload has failed", || {
        let (_, body) = http::get(&format!("{}/api/v1/uploads/{id}", master.daemon.url)).ok()?;
        let seen: Value = serde_json::from_slice(&body).unwrap();
        (seen["state"] == "failed").then_some(())
    });
    assert_eq!(product(&mut client, "k1").await, Err(Code::NotFound));
}

/// The id of an upload whose client goes in the middle.
fn begun_and_gone(master: &Master, begun: Vec<UploadRequest>) -> String {
    let begin = async || {
        let sent = stream::iter(begun).chain(stream::pending());
        let mut states = master.own(None).await.upload(sent).await.unwrap().into_inner();
        states.message().await.unwrap().unwrap().id
    };
    // The connection ends with its runtime, and with nothing less: the client would go on to send.
    std::thread::scope(|scope| {
        scope.spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(begin())).join().unwrap()
    })
}

#[tokio::test]
async fn products_are_listed_and_corrected_and_their_events_followed() {
    let system = System::new();
    system.configure(CATALOG);
    let master = Master::start(&system, &[]);
    let mut client = master.own(None).await;
    let mut events = client.follow(FollowRequest::default()).await.unwrap().into_inner();
    let begin = events.message().await.unwrap().unwrap();
    assert_eq!((begin.kind.as_str(), begin.data.as_str()), ("start", "{}"));
    upload(&mut client, started("a.csv", FEED, 100)).await.unwrap();
    pages(&mut client).await;
    edits(&mut client).await;
    // Every event, and again from where one stopped.
    let mut seen: Vec<Event> = Vec::new();
    while seen.iter().filter(|event| event.kind == "edit").count() < 4 {
        seen.push(events.message().await.unwrap().unwrap());
    }
    assert!(seen.iter().any(|event| event.kind == "applied"), "{seen:?}");
    assert!(seen.iter().any(|event| event.data.contains("\"k1\"")), "{seen:?}");
    let mut again = client.follow(FollowRequest { after: Some(seen[0].id) }).await.unwrap().into_inner();
    assert_eq!(again.message().await.unwrap().unwrap().kind, "start");
    for event in &seen[1..] {
        assert_eq!(again.message().await.unwrap().unwrap(), *event);
    }
    let mut lost = client.follow(FollowRequest { after: Some(1_000_000) }).await.unwrap().into_inner();
    assert_eq!(lost.message().await.unwrap().unwrap().kind, "reset");
}

async fn pages(client: &mut Client) {
    let mut list = async |asked: ListProductsRequest| {
        client.list_products(asked).await.map(tonic::Response::into_inner).map_err(|status| status.code())
    };
    let (mut asked, mut skus) = (ListProductsRequest { page_size: 1, ..ListProductsRequest::default() }, Vec::new());
    loop {
        let page = list(asked.clone()).await.unwrap();
        skus.extend(page.products.into_iter().map(|product| product.sku));
        if page.next_page_token.is_empty() {
            break;
        }
        asked.page_token = page.next_page_token;
    }
    assert_eq!(skus, ["k1", "k2", "k3"]);
    let pens = ListProductsRequest { name: Some("Pen".into()), order_by: "-price".into(), ..Default::default() };
    let skus: Vec<_> = list(pens).await.unwrap().products.into_iter().map(|product| product.sku).collect();
    assert_eq!(skus, ["k2", "k1"]);
    for wrong in [
        ListProductsRequest { page_size: -1, ..Default::default() },
        ListProductsRequest { page_size: 10_001, ..Default::default() },
        ListProductsRequest { order_by: "colour".into(), ..Default::default() },
        ListProductsRequest { order_by: "name".into(), page_token: "k1".into(), ..Default::default() },
    ] {
        assert_eq!(list(wrong).await, Err(Code::InvalidArgument));
    }
}

async fn edits(client: &mut Client) {
    let texts = |columns: &[(&str, &str)], back: &[&str]| Texts {
        columns: columns.iter().map(|(column, text)| ((*column).to_owned(), (*text).to_owned())).collect(),
        take_back: back.iter().map(|column| (*column).to_owned()).collect(),
    };
    let version = product(client, "k1").await.unwrap().version;
    let mut edit = async |sku: &str, version: &str, change: Option<Change>| {
        let asked = EditProductRequest { sku: sku.to_owned(), version: version.to_owned(), change };
        client.edit_product(asked).await.map(|done| done.into_inner().product).map_err(|status| status.code())
    };
    let named = |product: Option<Product>| product.map(|product| (product.name, product.edited));
    let correct = |columns: &[(&str, &str)], back: &[&str]| Some(Change::Correct(texts(columns, back)));
    let corrected = edit("k1", &version, correct(&[("name", "Biro")], &[])).await.unwrap();
    assert_eq!(named(corrected), Some(("Biro".into(), true)));
    assert_eq!(edit("k1", &version, Some(Change::Hide(Nothing {}))).await, Err(Code::FailedPrecondition));
    let back = edit("k1", "", correct(&[("price", "2")], &["name"])).await.unwrap();
    assert_eq!(named(back), Some(("Pen".into(), true)));
    assert_eq!(edit("k1", "", Some(Change::Hide(Nothing {}))).await, Ok(None));
    assert_eq!(edit("k1", "", correct(&[("name", "Biro")], &[])).await, Err(Code::NotFound));
    let shown = edit("k1", "", Some(Change::Clear(Nothing {}))).await.unwrap();
    assert_eq!(named(shown), Some(("Pen".into(), false)));
    for wrong in [
        None,
        correct(&[("colour", "red")], &[]),
        correct(&[("sku", "k9")], &[]),
        correct(&[("name", "a")], &["name"]),
        Some(Change::Replace(texts(&[("name", "a")], &[]))),
        Some(Change::Replace(texts(&[("name", "a"), ("description", "")], &["price"]))),
    ] {
        assert_eq!(edit("k1", "", wrong).await, Err(Code::InvalidArgument));
    }
    assert_eq!(edit(" ", "", Some(Change::Clear(Nothing {}))).await, Err(Code::InvalidArgument));
}

#[tokio::test]
async fn each_method_needs_its_role_and_health_needs_none() {
    let system = System::new();
    let (reader, editor) = ("reader-0123456789".repeat(2), "editor-0123456789".repeat(2));
    fs::write(system.home().join("tokens"), format!("ann read {reader}\nbob edit {editor}\n")).unwrap();
    let master = Master::start(&system, &["--token-file", "tokens"]);
    let code = |answer: Result<(), Status>| answer.map_err(|status| status.code());
    for (token, reads, edits, uploads) in [
        (None, Code::Unauthenticated, Code::Unauthenticated, Code::Unauthenticated),
        (Some(reader.as_str()), Code::NotFound, Code::PermissionDenied, Code::PermissionDenied),
        (Some(editor.as_str()), Code::NotFound, Code::Ok, Code::PermissionDenied),
    ] {
        let mut client = master.own(token).await;
        assert_eq!(product(&mut client, "n1").await, Err(reads));
        let change = Texts {
            columns: [("name".into(), "a".into()), ("description".into(), String::new())].into(),
            ..Texts::default()
        };
        let asked =
            EditProductRequest { sku: "n2".into(), change: Some(Change::Replace(change)), ..Default::default() };
        let edited = code(client.edit_product(asked).await.map(drop));
        assert_eq!(edited.err().unwrap_or(Code::Ok), edits, "{token:?}");
        let uploaded = upload(&mut client, started("a.csv", FEED, 100)).await;
        assert_eq!(uploaded.unwrap_err().code(), uploads, "{token:?}");
    }
    // Who did it is known.
    let mut command = system.command("readdb", &["edits"]);
    let printed = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(printed.contains("bob"), "{printed}");
    let mut health = tonic_health::pb::health_client::HealthClient::new(master.channel().await);
    for service in ["", "tributary.v1.Tributary", "processor.CsvProcessor"] {
        let asked = tonic_health::pb::HealthCheckRequest { service: service.to_owned() };
        let status = health.check(asked).await.unwrap().into_inner().status();
        assert_eq!(status, tonic_health::pb::health_check_response::ServingStatus::Serving, "{service}");
    }
}
