//! Reports over a bucket that others compute: they read the objects from the bucket, with credentials of their own, and the result is that of the
//! push-down. Others are DataFusion behind a scheduler that stands in for a real one, and a real cluster, if there is one.

use std::{env, fs, path::Path};

use e2e::{Master, python};
use serde_json::{Value, json};
use tempfile::TempDir;
use tributary_testkit::{
    bucket::{BUCKET, Bucket},
    wait,
};

use crate::cluster_reports::{compare_reports, configuration, datafusion, real_cluster, settled, write_files};

/// The beginning of the `User-Agent` of a master.
const MASTER: &str = "tributary-master/";
/// The variables with a key. A master and a cluster have their own.
const KEYS: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

fn put_files(bucket: &Bucket, folder: &Path) {
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        bucket.put(&format!("in/{}", file.file_name().to_str().unwrap()), fs::read(file.path()).unwrap());
    }
}

fn keys(bucket: &Bucket) -> Vec<(&'static str, String)> {
    bucket.variables().into_iter().filter(|(name, _)| KEYS.contains(name)).collect()
}

/// A bucket and the configuration of a master with reports over it.
struct World {
    bucket: Bucket,
    scheduler: String,
}

impl World {
    fn configuration(&self, reports: &str) -> String {
        let Self { scheduler, .. } = self;
        format!(
            "[engine]\nballista = \"{scheduler}\"\n[[source]]\nname = \"cloud\"\nurl = \"s3://{BUCKET}/in\"\n\
             poll_interval = \"1s\"\n{reports}"
        )
    }

    fn start(&self, reports: &str) -> Master {
        Master::start_with(&self.configuration(reports), &[], &self.bucket.variables())
    }
}

fn report(name: &str, lines: &str) -> String {
    format!("[[report]]\nname = \"{name}\"\nfiles = \"*.csv\"\nengine = \"ballista\"\n{lines}\n")
}

/// The rows of a report, once it has no work, and its numbers of files by engine.
fn result(master: &Master, name: &str) -> (Value, Value) {
    let reports = settled(master);
    let report = reports.iter().find(|report| report["name"] == name).unwrap();
    assert_eq!(report["state"], "current", "{report}");
    (master.api(&format!("/api/v1/reports/{name}")).unwrap()["items"].clone(), report["engines"].clone())
}

fn notes(master: &Master, name: &str) -> String {
    let files = master.api(&format!("/api/v1/files?reader={name}")).unwrap();
    files["items"][0]["notes"].as_str().unwrap_or_default().to_owned()
}

const BY_SHOP: &str = "group_by = \"shop\"\nmetrics = { s = \"sum(n)\" }";
const TOTAL: &str = "metrics = { n = \"count()\", s = \"sum(n)\" }";

/// A master that has never read a bucket reads it once; for every other report over it, it reads nothing.
fn check_that_the_master_reads_an_object_once(bucket: Bucket, scheduler: String) {
    let rows: String = (0..40_000).map(|number| format!("s{},{number}\n", number % 3)).collect();
    bucket.put("in/a b+ü.csv", format!("shop,n\n{rows}"));
    let world = World { bucket, scheduler };
    let mut master = world.start(&report("first", BY_SHOP));
    let (first, engines) = result(&master, "first");
    assert_eq!(engines, json!({"ballista": 0, "push_down": 1}));
    let note = notes(&master, "first");
    assert!(note.contains("for the first time; from now on the cluster can"), "{note}");
    let read = world.bucket.bytes_sent(MASTER);
    assert!(read > rows.len() as u64, "{read}");

    master.restart(&world.configuration(&(report("first", BY_SHOP) + &report("second", TOTAL))));
    let total: u64 = (0..40_000).sum();
    let computed = json!({"ballista": 1, "push_down": 0});
    assert_eq!(result(&master, "second"), (json!([{"n": 40_000, "s": total}]), computed.clone()));
    assert_eq!(notes(&master, "second"), "computed by the Ballista cluster");
    // One that takes the place of others, and reads the same columns.
    master.restart(&world.configuration(&report("third", BY_SHOP)));
    assert_eq!(result(&master, "third"), (first, computed));
    assert_eq!(world.bucket.bytes_sent(MASTER), read, "the master has read nothing more");
    assert!(world.bucket.bytes_sent("") >= read + 2 * rows.len() as u64, "others have");

    // A file that is not plain is read by the master, and its note says why, also where it was read for the first time.
    world.bucket.put("in/a b+ü.csv", "shop,n\ns0,1\n\ns1,2\n");
    wait::until("the new content", || {
        notes(&master, "third").starts_with("not computed by the Ballista cluster: line 3 is empty").then_some(())
    });
}

#[test]
fn datafusion_reads_a_bucket_that_the_master_has_read_before() {
    let bucket = Bucket::start();
    let (_scheduler, url) = datafusion(&keys(&bucket));
    check_that_the_master_reads_an_object_once(bucket, url);
}

#[test]
fn a_cluster_reads_a_bucket_that_the_master_has_read_before() {
    if let Some(scheduler) = real_cluster() {
        check_that_the_master_reads_an_object_once(Bucket::start(), scheduler);
    }
}

/// The rows of both contents are as many, so the number of rows does not tell.
#[test]
fn what_was_read_of_an_object_that_is_replaced_meanwhile_does_not_count() {
    let bucket = Bucket::start();
    let (_scheduler, scheduler) = datafusion(&keys(&bucket));
    bucket.put("in/a.csv", "shop,n\nx,1\ny,2\n");
    let world = World { bucket, scheduler };
    let mut master = world.start(&report("first", BY_SHOP));
    let _ = result(&master, "first");
    world.bucket.replace_when_read("in/a.csv", "shop,n\nx,5\ny,7\n");
    master.restart(&world.configuration(&(report("first", BY_SHOP) + &report("second", BY_SHOP))));
    // A wrong result would stand until the bucket is listed again, a second later.
    let rows = || master.api("/api/v1/reports/second").map(|report| report["items"].clone());
    let second = wait::until("the report", || rows().filter(|rows| *rows != json!([])));
    let expect = json!([{"shop": "x", "s": 5}, {"shop": "y", "s": 7}]);
    assert_eq!(second, expect, "the old content was never a result");
    assert!(world.bucket.bytes_sent("") > world.bucket.bytes_sent(MASTER), "others have read it");
}

/// An S3 server and a client of others, and reports in every shape.
#[test]
fn datafusion_computes_over_a_bucket_what_the_push_down_does() {
    let endpoint = env::var("TRIBUTARY_E2E_S3").expect("`cargo xtask services` sets TRIBUTARY_E2E_S3");
    let folder = TempDir::new().unwrap();
    write_files(folder.path());
    let arguments = [&endpoint, "cluster-reports", folder.path().to_str().unwrap()];
    drop(python(include_str!("cluster_bucket.py"), &arguments, folder.path()));
    let keys = [(KEYS[0], "id".to_owned()), (KEYS[1], "secret".to_owned())];
    let (_scheduler, scheduler) = datafusion(&keys);
    let server = [("AWS_ENDPOINT_URL", endpoint), ("AWS_REGION", "us-east-1".to_owned())];
    let variables: Vec<_> = keys.into_iter().chain(server).collect();
    let configuration = configuration("s3://cluster-reports/in put", &scheduler);
    compare_reports(&Master::start_with(&configuration, &[], &variables));
}

#[test]
fn a_cluster_computes_over_a_bucket_what_the_push_down_does() {
    let Some(scheduler) = real_cluster() else { return };
    let (bucket, folder) = (Bucket::start(), TempDir::new().unwrap());
    write_files(folder.path());
    put_files(&bucket, folder.path());
    let configuration = configuration(&format!("s3://{BUCKET}/in"), &scheduler);
    compare_reports(&Master::start_with(&configuration, &[], &bucket.variables()));
}
