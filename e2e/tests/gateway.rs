//! The sales gateway as the page of a sales processor uses it: from another site, in a real browser.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    thread,
};

use e2e::{Kind, block, browse};
use serde_json::json;
use tempfile::TempDir;
use tributary_testkit::{
    process::{self, Daemon},
    wait,
};

const KEY: &str = "page-0123456789-abcdef-0123456789";

/// Requests of the original page once somebody has chosen a file, in their order, with their headers.
const PAGE: &str = r#"
const [api, key, rows] = [API, KEY, ROWS];
const done = arguments[arguments.length - 1];
const text = "Department Name,Date,Number of Sales\n" + "Toys,2024-01-01,2\nB\u00fccher,2024-01-01,3\n".repeat(rows / 2) + "Toys,,x\n";
const file = new File([text], "sales.csv", { type: "text/csv" });
const form = new FormData();
form.append("file", file, file.name);
form.append("file_size_bytes", file.size.toString());
let percent = 0;
const upload = () => new Promise((resolve, reject) => {
  const request = new XMLHttpRequest();
  request.open("POST", `${api}/upload`, true);
  request.setRequestHeader("Accept", "application/json, text/plain, */*");
  request.setRequestHeader("X-API-Key", key);
  request.upload.addEventListener("progress", (event) => { percent = Math.round((event.loaded * 100) / event.total); });
  request.onload = () => resolve([request.status, JSON.parse(request.responseText)]);
  request.onerror = () => reject(new Error("network"));
  request.send(form);
});
const get = (path) => fetch(`${api}${path}`, { headers: { "X-API-Key": key } });
(async () => {
  const [status, answer] = await upload();
  if (status !== 202) return { status, answer };
  let job = {};
  while (job.status !== "complete" && job.status !== "failed") job = await (await get(`/status/${answer.job_id}`)).json();
  const response = await get(job.result_file_url);
  const saved = response.headers.get("Content-Disposition").match(/filename="(.+)"/)[1];
  return { percent, job, size: file.size, saved, totals: await (await response.blob()).text() };
})().then(done, (error) => done({ error: String(error) }));
"#;

/// Serves an empty page, as the site of the page does.
fn site() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            // A browser opens connections before it needs them.
            thread::spawn(move || {
                let _ = client.read(&mut [0; 4096]);
                let _ = client.write_all(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<p>hi\n",
                );
            });
        }
    });
    port
}

struct Master {
    _daemon: Daemon,
    address: String,
    home: TempDir,
}

impl Master {
    fn start(flags: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("tokens"), format!("page upload {KEY}\n")).unwrap();
        let log = home.path().join("log");
        let mut command = process::command("master", home.path());
        command.args(["--listen", "127.0.0.1:0", "--sales-gateway", "127.0.0.1:0"]);
        command.args(flags).stderr(File::create(&log).unwrap());
        let daemon = Daemon::start(command);
        let address = wait::until("the address of the gateway", || process::logged_address(&log, "gateway"));
        Self { _daemon: daemon, address, home }
    }

    fn page(&self, key: &str, rows: u32) -> String {
        let api = json!(format!("http://localhost:{}", self.address.split(':').nth(1).unwrap()));
        PAGE.replace("API,", &format!("{api},"))
            .replace("KEY,", &format!("{},", json!(key)))
            .replace("ROWS]", &format!("{rows}]"))
    }
}

#[test]
fn a_page_of_another_site_sends_a_file_and_gets_its_totals() {
    let port = site();
    let origin = format!("http://localhost:{port}");
    let master = Master::start(&["--token-file", "tokens", "--sales-gateway-origin", &origin]);
    browse(Kind::Desktop, async |browser| {
        browser.goto(&origin).await;
        let seen = browser.run_async(&master.page(KEY, 200_000)).await;
        let job = &seen["job"];
        assert_eq!((&seen["percent"], &job["status"]), (&json!(100), &json!("complete")), "{seen}");
        assert_eq!((&job["filename"], &job["file_size_bytes"]), (&json!("sales.csv"), &seen["size"]));
        assert_eq!((&job["rows_processed"], &job["malformed_rows"]), (&json!(200_000), &json!(1)));
        assert_eq!(seen["totals"], "Department Name,Total Number of Sales\r\nBücher,300000\r\nToys,200000\r\n");
        assert!(seen["saved"].as_str().unwrap().starts_with("Processed_sales_"), "{seen}");
        let wrong = browser.run_async(&master.page("wrong", 2)).await;
        assert_eq!(wrong, json!({"status": 401, "answer": {"detail": "Invalid API key"}}), "the page reads why");
        // The same page under a name that is not allowed.
        browser.goto(&format!("http://127.0.0.1:{port}")).await;
        assert_eq!(browser.run_async(&master.page(KEY, 2)).await, json!({"error": "Error: network"}));
    });
}

#[test]
fn the_lines_of_the_guide_get_totals() {
    let master = Master::start(&[]);
    let shell = |lines: &str| {
        let output =
            std::process::Command::new("bash").args(["-euc", lines]).current_dir(master.home.path()).output().unwrap();
        assert!(output.status.success(), "{}{}", process::stdout(&output), process::stderr(&output));
        process::stdout(&output)
    };
    let file = block("grpc.md", "sh", "printf").lines().next().unwrap().to_owned();
    let lines = block("grpc.md", "sh", "curl -F").replace("127.0.0.1:8000", &master.address);
    let lines: Vec<_> = lines.lines().collect();
    shell(&file);
    let job: serde_json::Value = serde_json::from_str(&shell(lines[0])).unwrap();
    let job = job["job_id"].as_str().unwrap();
    wait::until("the job is complete", || shell(&lines[1].replace("JOB_ID", job)).contains("complete").then_some(()));
    shell(&lines[2].replace("JOB_ID", job));
    let is_saved = |path: &Path| path.file_name().unwrap().to_str().unwrap().starts_with("Processed_sales_");
    let mut files = fs::read_dir(master.home.path()).unwrap().map(|entry| entry.unwrap().path());
    let totals = fs::read_to_string(files.find(|path| is_saved(path)).unwrap()).unwrap();
    assert_eq!(totals, "Department Name,Total Number of Sales\r\nBooks,4\r\nToys,8\r\n");
}
