//! Buckets as sources.

use std::time::Duration;

use super::*;

#[test]
fn a_bucket_is_a_folder_that_is_listed_every_ten_seconds_at_most() {
    let source = |url: &str, line: &str| format!("[[source]]\nname = \"a\"\nurl = \"{url}\"\n{line}\n");
    let interval = |text: &str| {
        let config = load(text, &[]).unwrap();
        (config.sources[0].url.to_string(), config.sources[0].interval(config.poll_interval))
    };
    let check = |url: &str, line: &str, expect: &str, seconds| {
        assert_eq!(interval(&source(url, line)), (expect.to_owned(), Duration::from_secs(seconds)));
    };
    check("s3://my_bucket", "", "s3://my_bucket/", 10);
    check("s3://b/feeds", "poll_interval = \"1s\"", "s3://b/feeds/", 1);
    check("s3://b/two words/ä/", "poll_interval = \"5m\"", "s3://b/two%20words/%C3%A4/", 300);
    check("http://h:1", "", "http://h:1/", 1);
    assert_eq!(interval(&format!("poll_interval = \"1m\"\n{}", source("s3://b", ""))).1, Duration::from_secs(60));
    assert_eq!(load("", &["--source", "s3://bucket/feeds"]).unwrap().sources[0].name, "bucket");
    let refused = |url: &str, line: &str, words: &[&str]| refused(&source(url, line), &[], words);
    refused("s3:///feeds", "", &["FILE, line 3", "s3://BUCKET/PREFIX/"]);
    refused("s3://me:secret@b/", "", &["FILE, line 3", "AWS_SECRET_ACCESS_KEY"]);
    refused("s3://b:9000/", "", &["FILE, line 3", "AWS_ENDPOINT_URL"]);
    refused("s3://b/?a=1", "", &["FILE, line 3", "a query"]);
    refused("s3://b/", "token_file = \"none\"", &["FILE, line 4", "takes no token", "AWS_ACCESS_KEY_ID"]);
    refused("s3://b/", "ca_file = \"none\"", &["FILE, line 4", "AWS_CA_BUNDLE"]);
    refused("s3://b/", "pin = \"none\"", &["FILE, line 4", "AWS_CA_BUNDLE"]);
    refused("s3://b/a//b", "", &["FILE, line 3", "prefix cannot be used"]);
    refused("s3://b/", "poll_interval = \"soon\"", &["FILE, line 4", "`soon` is not a duration"]);
    refused("file:///srv/feeds", "", &["FILE, line 3", "`--dir`"]);
}
