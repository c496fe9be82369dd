//! Hostile clients of the entrance for gRPC. While they are at work, an honest one asks for products, and afterwards it sends sales.

mod client;
mod frames;

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use tokio::{
    runtime::{Builder, Runtime},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tonic::{Code, transport::Channel};
use tributary_grpc::{
    processor::{CsvChunk, csv_processor_client::CsvProcessorClient, progress_update::Content},
    tributary_v1::{ListProductsRequest, tributary_client::TributaryClient},
};
use tributary_testkit::process::logged_address;

use self::client::{Line, begun, chunk, many, message};
use super::{
    Attack, How,
    stage::{Plan, Stage},
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack("gRPC", "half of a message of 64 MiB in each of 96 streams", How::On(plan, |stage| run(stage, halves))),
    Attack("gRPC", "messages of 63 MiB in 96 streams at once", How::On(plan, |stage| run(stage, greatest))),
    Attack("gRPC", "half of a message of 4 MiB in each of 2,000 calls", How::On(plan, |stage| run(stage, half_calls))),
    Attack("gRPC", "chunks of a byte without end in 200 streams", How::On(plan, |stage| run(stage, bytes))),
    Attack("gRPC", "1,600 streams that send nothing", How::On(plan, |stage| run(stage, silent))),
    Attack("gRPC", "a million departments in each of 24 streams", How::On(plan, |stage| run(stage, departments))),
    Attack("gRPC", "64 streams whose clients never take an answer", How::On(plan, |stage| run(stage, takes_nothing))),
    Attack("gRPC", "reports of a million groups from 12 clients", How::On(plan, |stage| run(stage, groups))),
    Attack("gRPC", "1,200 followers that take nothing, while 1,000 products change", How::On(plan, followers)),
    Attack(
        "gRPC",
        "calls opened and reset, 20,000 from each of 16 connections",
        How::On(plan, |stage| run(stage, resets)),
    ),
    Attack(
        "gRPC",
        "3,000 connections that say nothing, a half greeting, or hang up",
        How::On(plan, |stage| run(stage, frames::connections)),
    ),
    Attack(
        "gRPC",
        "noise, HTTP/1.1 and floods of small frames in place of calls",
        How::On(plan, |stage| run(stage, frames::noise)),
    ),
    Attack("gRPC", "messages that are no messages", How::On(plan, |stage| run(stage, garbage))),
    Attack("gRPC", "heads of 16 KiB in 4,000 calls that send nothing", How::On(plan, |stage| run(stage, heads))),
];

const PROCESS: &str = "/processor.CsvProcessor/ProcessCsv";
const AGGREGATE: &str = "/tributary.v1.Tributary/Aggregate";
const LIST: &str = "/tributary.v1.Tributary/ListProducts";
const EDIT: &str = "/tributary.v1.Tributary/EditProduct";
const FOLLOW: &str = "/tributary.v1.Tributary/Follow";
const UPLOAD: &str = "/tributary.v1.Tributary/Upload";
/// The longest message of `ProcessCsv`.
const MAX_MESSAGE: usize = 64 << 20;
/// The time for which an attack that has no end goes on.
const GOES_ON: Duration = Duration::from_secs(10);
/// Longest wait of the honest client for products.
const MAX_TIME: Duration = Duration::from_secs(5);

fn plan() -> Result<Plan> {
    Ok(Plan::new().section("[grpc]\nlisten = \"127.0.0.1:0\""))
}

/// Runs an attack on the address, with the honest client beside it.
fn run<F: Future<Output = Result<String>>>(stage: &Stage, attack: impl FnOnce(String) -> F) -> Result<String> {
    let address = address(stage)?;
    let (stopped, honest) = (CancellationToken::new(), address.clone());
    // On a thread of its own, which hostile clients do not keep busy.
    let asking = thread::spawn({
        let stopped = stopped.clone();
        move || {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(stopped.run_until_cancelled(products(&honest))).unwrap_or(Ok(()))
        }
    });
    Runtime::new()?.block_on(async {
        let detail = attack(address.clone()).await;
        stopped.cancel();
        asking.join().map_err(|_| anyhow!("the honest client panicked"))??;
        // The places of hostile streams are free after their patience.
        timeout(Duration::from_secs(60), sales(&address)).await.context("honest sales were not added up in time")??;
        detail
    })
}

fn address(stage: &Stage) -> Result<String> {
    logged_address(&stage.home().join("master.log"), "gRPC").context("the log does not say where gRPC is")
}

async fn channel(address: &str) -> Result<Channel> {
    Ok(Channel::from_shared(format!("http://{address}"))?.connect().await?)
}

/// Asks for products all the time. A refusal because of too many others is obeyed; the wait counts as that for the answer.
async fn products(address: &str) -> Result<()> {
    loop {
        let asked = async {
            loop {
                let mut client = TributaryClient::new(channel(address).await?);
                let asked = ListProductsRequest { page_size: 10, ..ListProductsRequest::default() };
                match client.list_products(asked).await {
                    Err(status) if status.code() == Code::ResourceExhausted => sleep(Duration::from_millis(200)).await,
                    found => return Ok::<_, anyhow::Error>(found?.into_inner().products.len()),
                }
            }
        };
        let found =
            timeout(MAX_TIME, asked).await.context("an honest client of gRPC waited too long for products")??;
        ensure!(found == 10, "an honest client of gRPC got {found} products");
        sleep(Duration::from_millis(100)).await;
    }
}

/// Sends sales, and asks again as long as too many others wait.
async fn sales(address: &str) -> Result<()> {
    loop {
        let data = Bytes::from_static(b"Department Name,Date,Number of Sales\nToys,x,2\nToys,x,3\n");
        let sent = stream::iter([CsvChunk { data, file_size_bytes: None }]);
        let updates = CsvProcessorClient::new(channel(address).await?).process_csv(sent).await;
        let mut updates = match updates {
            Err(status) if status.code() == Code::ResourceExhausted => {
                sleep(Duration::from_millis(200)).await;
                continue;
            }
            updates => updates?.into_inner(),
        };
        while let Some(update) = updates.message().await? {
            if let Some(Content::Summary(summary)) = update.content {
                ensure!(summary.total_sales == 5, "honest sales came to {}", summary.total_sales);
                return Ok(());
            }
        }
        bail!("honest sales got no summary");
    }
}

async fn halves(address: String) -> Result<String> {
    let whole = chunk(&vec![b'x'; MAX_MESSAGE - 100]);
    let half = whole.slice(..MAX_MESSAGE - (1 << 20));
    many(&address, (96, 4), move |line, _| {
        let half = half.clone();
        async move {
            let mut call = line.call(PROCESS).await?;
            let _ = call.write(&half).await;
            Ok(call.end().await)
        }
    })
    .await
}

async fn greatest(address: String) -> Result<String> {
    // No line break, so that it takes no time to add up.
    let great = chunk(&vec![b'x'; MAX_MESSAGE - (1 << 20)]);
    many(&address, (96, 4), move |line, _| {
        let great = great.clone();
        async move {
            let mut call = line.call(PROCESS).await?;
            call.write(&great).await?;
            call.sender.send_data(Bytes::new(), true)?;
            Ok(call.end().await)
        }
    })
    .await
}

async fn half_calls(address: String) -> Result<String> {
    let (half, file) = (begun((4 << 20) - 1, (4 << 20) - (64 << 10)), chunk(&vec![b'x'; (4 << 20) - 100]));
    // The tag of the bytes of a file.
    let file = Bytes::from([&file[..5], &[0x12], &file[6..file.len() - 1_000]].concat());
    many(&address, (2_000, 100), move |line, number| {
        let (method, half) = [(EDIT, &half), (AGGREGATE, &file), (UPLOAD, &file), (FOLLOW, &half)][number % 4];
        let half = half.clone();
        async move {
            let mut call = line.call(method).await?;
            let _ = timeout(GOES_ON, call.write(&half)).await;
            drop(timeout(GOES_ON, call.end()).await);
            Ok("a call".to_owned())
        }
    })
    .await
}

async fn bytes(address: String) -> Result<String> {
    let text: Vec<Bytes> = b"Toys,2026-05-01,3\n".iter().map(|byte| chunk(&[*byte])).collect();
    many(&address, (200, 10), move |line, _| {
        let text = text.clone();
        async move {
            let mut call = line.call(PROCESS).await?;
            let began = Instant::now();
            let sent = async {
                for byte in text.iter().cycle() {
                    call.write(byte).await?;
                    if began.elapsed() > GOES_ON {
                        break;
                    }
                }
                Ok::<_, anyhow::Error>(())
            };
            Ok(if timeout(2 * GOES_ON, sent).await.is_ok() { "sent" } else { "waited" }.to_owned())
        }
    })
    .await
}

async fn silent(address: String) -> Result<String> {
    many(&address, (1_600, 100), move |line, number| async move {
        let call = line.call([PROCESS, PROCESS, AGGREGATE, UPLOAD][number % 4]).await?;
        Ok(call.end().await)
    })
    .await
}

async fn departments(address: String) -> Result<String> {
    many(&address, (24, 4), move |line, number| async move {
        let mut call = line.call(PROCESS).await?;
        for part in 0..100_u32 {
            let rows: String = (0..10_000).map(|row| format!("department {number} {part} {row},,1\n")).collect();
            if call.write(&chunk(rows.as_bytes())).await.is_err() {
                break;
            }
        }
        let _ = call.sender.send_data(Bytes::new(), true);
        Ok(call.end().await)
    })
    .await
}

async fn takes_nothing(address: String) -> Result<String> {
    let rows = chunk("Toys,,1\n".repeat(1_000).as_bytes());
    many(&address, (64, 8), move |line, _| {
        let rows = rows.clone();
        async move {
            let mut call = line.call(PROCESS).await?;
            let began = Instant::now();
            while began.elapsed() < GOES_ON {
                call.write(&rows).await?;
            }
            Ok("sent".to_owned())
        }
    })
    .await
}

async fn groups(address: String) -> Result<String> {
    const REPORT: &str = "columns = { g = 1, n = 2 }\ngroup_by = \"g\"\nmetrics = { s = \"sum(n)\", m = \"min(n)\" }\n";
    let text = |tag: u8, text: &[u8]| {
        let part = chunk(text);
        // The same encoding with another tag: `report` is a field of `start`, and `data` one beside it.
        let mut body = part[5..].to_vec();
        body[0] = tag;
        body
    };
    let start = text(0x0a, &text(0x0a, REPORT.as_bytes()));
    let start = message(&start);
    many(&address, (12, 4), move |line, number| {
        let start = start.clone();
        async move {
            let mut call = line.call(AGGREGATE).await?;
            call.write(&start).await?;
            for part in 0..100 {
                let rows: String = (0..10_000).map(|row| format!("group {number} {part} {row},{row}\n")).collect();
                call.write(&message(&text(0x12, rows.as_bytes()))).await?;
            }
            call.sender.send_data(Bytes::new(), true)?;
            Ok(call.end().await)
        }
    })
    .await
}

fn followers(stage: &Stage) -> Result<String> {
    run(stage, |address| async move {
        let mut lines = Vec::new();
        for _ in 0..12 {
            let line = Line::open(&address).await?;
            for _ in 0..100 {
                let mut call = line.call(FOLLOW).await?;
                call.write(&message(&[])).await?;
                call.sender.send_data(Bytes::new(), true)?;
                lines.push(call);
            }
        }
        tokio::task::block_in_place(|| {
            for number in 0..1_000 {
                let body = json!({ "name": "x".repeat(1_000), "description": format!("{number}") }).to_string();
                stage.ask("PUT", "/api/v1/products/followed", &[], body.as_bytes())?;
            }
            stage.ask("DELETE", "/api/v1/products/followed/edit", &[], b"")
        })?;
        Ok(format!("{} followers", lines.len()))
    })
}

async fn resets(address: String) -> Result<String> {
    many(&address, (16, 1), move |line, _| async move {
        for number in 0..20_000 {
            let Ok(mut call) = line.call([PROCESS, LIST][number % 2]).await else {
                return Ok("cut".to_owned());
            };
            call.sender.send_reset(h2::Reason::CANCEL);
        }
        Ok("all".to_owned())
    })
    .await
}

async fn garbage(address: String) -> Result<String> {
    let noise: Vec<u8> = (0..70_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let compressed = [&[1][..], &message(&noise)[1..]].concat();
    let bodies = [message(&noise), compressed.into(), begun(u32::MAX as usize, 100), begun(10, 3), noise.into()];
    let methods = [PROCESS, AGGREGATE, UPLOAD, LIST, FOLLOW, "/nothing/There"];
    many(&address, (3_000, 100), move |line, number| {
        let body = bodies[number % bodies.len()].clone();
        async move {
            let mut call = line.call(methods[number % methods.len()]).await?;
            let _ = call.write(&body).await;
            let _ = call.sender.send_data(Bytes::new(), true);
            let end = call.end().await;
            ensure!(end != "\"0\"", "garbage was taken");
            Ok(end)
        }
    })
    .await
}

async fn heads(address: String) -> Result<String> {
    many(&address, (4_000, 100), move |line, number| async move {
        let call = line.call_with(PROCESS, &format!("{number:04}").repeat(3_900)).await?;
        Ok(timeout(GOES_ON, call.end()).await.unwrap_or_else(|_| "waits".to_owned()))
    })
    .await
}
