//! Truth: whether people are told while something is wrong.

use std::{fs, io::Write, process::Command, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use tributary_testkit::{disk, http};

use super::{
    Attack, How,
    hostile::{head, reply, sensed},
    stage::{Plan, Stage, plain},
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack("6", "a report cannot be computed", How::On(failing_report, report_says_so)),
    Attack("6", "a file is rejected", How::On(plain, rejected_says_so)),
    Attack("6", "a source sends a file for a long time, just fast enough", How::On(long_file, long_file_says_so)),
    Attack("6", "the disk of the database is full for a while", How::On(small_disk, full_disk_says_so)),
    Attack("6", "the database is locked by another program for a while", How::On(plain, locked_says_so)),
];

fn page(stage: &Stage, path: &str) -> Result<String> {
    Ok(stage.ask("GET", path, &[("Accept", "text/html")], b"")?.text())
}

fn failing_report() -> Result<Plan> {
    let report = "[[report]]\nname = \"totals\"\nfiles = \"*.csv\"\nfeed = true\ngroup_by = \"nowhere\"\nmetrics = { rows = \"count()\" }";
    Ok(Plan::new().section(report))
}

fn report_says_so(stage: &Stage) -> Result<String> {
    let error = stage.until("the report says why", || {
        let report = stage.json("/api/v1/reports").ok()?["items"][0].clone();
        ["failed", "rejected"]
            .contains(&report["state"].as_str()?)
            .then(|| report["error"].as_str().map(str::to_owned))?
    })?;
    let shown = page(stage, "/reports/totals")?;
    ensure!(shown.contains("nowhere"), "the page does not say why");
    let metrics = stage.ask("GET", "/metrics", &[], b"")?.text();
    let told = metrics.lines().any(|line| line.contains("report") && line.contains("totals") && !line.ends_with(" 0"));
    ensure!(told, "no metric says so");
    Ok(error)
}

fn rejected_says_so(stage: &Stage) -> Result<String> {
    let path = stage.folder().join("odd.csv");
    fs::write(&path, "what,is,this\n1,2,3\n")?;
    let error = stage.says("north", "odd.csv")?;
    ensure!(stage.state_of("north")?["state"] == "rejected", "the source is not `rejected`");
    for path in ["/sources/north", "/rejects", "/sources"] {
        let shown = page(stage, path)?;
        ensure!(
            shown.contains("odd.csv") || path == "/sources" && shown.contains("reject"),
            "{path} does not name the file"
        );
    }
    fs::remove_file(path)?;
    stage.until("it is up again", || (stage.state_of("north").ok()?["state"] == "up").then_some(()))?;
    Ok(error.chars().take(160).collect())
}

fn long_file() -> Result<Plan> {
    Plan::new().hostile("bad", "", |path, out| match path {
        "/read" => {
            head(out, "text/csv")?;
            out.write_all(b"sku,name\n")?;
            for row in 0..600 {
                let rows = (0..64).map(|_| "long,Enough to be fast enough, if only just\n").collect::<String>();
                out.write_all(rows.as_bytes())?;
                thread::sleep(Duration::from_millis(100 + row % 2));
            }
            Ok(())
        }
        "/sense" => reply(out, "application/json", br#"{"status":1}"#),
        _ => sensed(path, out),
    })
}

fn long_file_says_so(stage: &Stage) -> Result<String> {
    let running = stage.until("it says since when it reads", || {
        let source = stage.state_of("bad").ok()?;
        (source["slow_since"].is_string() && source["running"]["seconds"].as_f64()? > 10.0)
            .then(|| source["running"].clone())
    })?;
    let shown = page(stage, "/sources/bad")?;
    ensure!(shown.contains("reading") || shown.contains("since"), "the page does not say so");
    Ok(format!("after {} s", running["seconds"]))
}

fn small_disk() -> Result<Plan> {
    Ok(Plan::new().setting("database_url = \"disk/database.db\"").setting("keep_free = \"0B\"").small_disk())
}

fn full_disk_says_so(stage: &Stage) -> Result<String> {
    let filler = disk::fill(&stage.home().join("disk"))?;
    let rows: String = (0..40_000).map(|row| format!("full{row:05},Name {row}\n")).collect();
    fs::write(stage.folder().join("more.csv"), format!("sku,name\n{rows}"))?;
    let ready = || http::get(&stage.master("/readyz"));
    let text = stage.until("it says that it cannot write", || {
        let (status, body) = ready().ok()?;
        (status == 503).then(|| String::from_utf8_lossy(&body).into_owned())
    })?;
    fs::remove_file(filler)?;
    stage.until("it is ready again", || (ready().ok()?.0 == 200).then_some(()))?;
    add_and_remove(stage, "more.csv", "full39999")?;
    Ok(text.trim().to_owned())
}

/// Waits until a product of a file is applied, and removes the file.
fn add_and_remove(stage: &Stage, file: &str, sku: &str) -> Result<()> {
    stage.until("the new rows are applied", || stage.shows(sku)?.then_some(()))?;
    fs::remove_file(stage.folder().join(file))?;
    stage.until("they are gone", || (!stage.shows(sku)?).then_some(()))
}

fn locked_says_so(stage: &Stage) -> Result<String> {
    let script = "begin immediate;\n.shell sleep 8\nrollback;\n";
    let mut shell = Command::new("sqlite3");
    shell.args(["-cmd", ".timeout 5000", "database.db"]).current_dir(stage.home()).stdin(std::process::Stdio::piped());
    let mut locked = shell.spawn().context("failed to start sqlite3: install the Debian package of this name")?;
    locked.stdin.take().context("stdin is piped")?.write_all(script.as_bytes())?;
    thread::sleep(Duration::from_millis(500));
    fs::write(stage.folder().join("more.csv"), "sku,name\nlocked,Name\n")?;
    let answer = stage.ask("PUT", "/api/v1/products/mine", &[], br#"{"name":"Mine","description":""}"#)?;
    ensure!([201, 503].contains(&answer.status), "an edit was answered with {}", answer.status);
    ensure!(locked.wait()?.success(), "sqlite3 failed");
    add_and_remove(stage, "more.csv", "locked")?;
    let kept = stage.ask("GET", "/api/v1/products/mine", &[], b"")?.status == 200;
    ensure!(
        kept == (answer.status == 201),
        "the edit was answered with {}, and its product is shown: {kept}",
        answer.status
    );
    Ok(format!("an edit meanwhile got {}", answer.status))
}
