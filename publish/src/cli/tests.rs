//! Parse tests of each flag.

use clap::Error;

use super::*;

fn read(typed: &str) -> Result<Job, Error> {
    let words = std::iter::once("publish").chain(typed.split_whitespace()).map(OsString::from);
    Args::read(words).map(|(job, _)| job)
}

fn upload(typed: &str) -> UploadJob {
    match read(typed).unwrap() {
        Job::Upload(job) => job,
        Job::Publish(job) => panic!("an upload and not {job:?}"),
    }
}

fn publish(typed: &str) -> PublishJob {
    match read(typed).unwrap() {
        Job::Publish(job) => job,
        Job::Upload(job) => panic!("a queue and not {job:?}"),
    }
}

#[test]
fn each_flag_of_an_upload_is_read() {
    Args::command().debug_assert();
    let job = upload("a.csv b/c.csv --to https://master:5000/path --token-file t --replace --jobs 3");
    assert_eq!(job.files, [PathBuf::from("a.csv"), PathBuf::from("b/c.csv")]);
    assert_eq!(job.to.as_str(), "https://master:5000/path");
    assert_eq!((job.token_file, job.replace, job.jobs), (Some("t".into()), true, 3));
    assert!(job.trust.is_default());
    let job = upload("a.csv --to http://[::1]:5000");
    assert_eq!((job.token_file, job.replace, job.jobs), (None, false, 2));
    let pin = format!("sha256:{}", "0".repeat(64));
    assert!(!upload(&format!("a.csv --to https://m --pin {pin}")).trust.is_default());
    for wrong in
        [format!("http://m --pin {pin}"), format!("https://m --pin {pin} --ca-file c"), "https://m --ca-file c".into()]
    {
        let error = read(&format!("a.csv --to {wrong}")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ValueValidation, "{error}");
    }
}

#[test]
fn each_flag_of_a_queue_is_read() {
    let job = publish("a.csv b/c.csv --amqp amqp://u:secret@broker:5673/shop --queue orders --rate 100");
    assert_eq!(job.files, [PathBuf::from("a.csv"), PathBuf::from("b/c.csv")]);
    assert_eq!(job.broker.to_string(), "amqp://broker:5673/shop");
    assert_eq!((job.queue.as_str(), job.content, job.rate), ("orders", Content::Documents, Some(100)));
    let job = publish("a.csv --amqp amqp://broker");
    assert_eq!((job.queue.as_str(), job.content, job.rate), ("tributary.documents", Content::Documents, None));
    let job = publish("--amqp amqp://broker --operations a.jsonl");
    assert_eq!((job.queue.as_str(), job.content), ("tributary.operations", Content::Operations));
    let job = publish("--amqp amqp://broker --operations --queue q a.jsonl");
    assert_eq!((job.queue.as_str(), job.content), ("q", Content::Operations));
}

#[test]
fn wrong_usage_is_refused() {
    let check = |typed: &str, expect: ErrorKind| assert_eq!(read(typed).unwrap_err().kind(), expect, "{typed}");
    check("--to http://m", ErrorKind::MissingRequiredArgument);
    check("--amqp amqp://b", ErrorKind::MissingRequiredArgument);
    check("a.csv", ErrorKind::MissingRequiredArgument);
    for url in ["master:5000", "127.0.0.1:5000", "ftp://m", "http://", "http://m?a", "http://m#a", "http://u:p@m"] {
        check(&format!("a.csv --to {url}"), ErrorKind::ValueValidation);
    }
    check("a.csv --to http://m --jobs 0", ErrorKind::ValueValidation);
    check("a.csv --amqp http://m", ErrorKind::ValueValidation);
    check("a.csv --amqp amqp://b --rate 0", ErrorKind::ValueValidation);
    check("a.csv --amqp amqp://b --queue=", ErrorKind::ValueValidation);
    check(&format!("a.csv --amqp amqp://b --queue {}", "q".repeat(256)), ErrorKind::ValueValidation);
    check("a/x.csv b/x.csv --to http://m", ErrorKind::ArgumentConflict);
    check("a.csv a.csv --to http://m", ErrorKind::ArgumentConflict);
    check("a/x.csv b/x.csv --amqp amqp://b", ErrorKind::ArgumentConflict);
}

#[test]
fn flags_of_both_targets_conflict() {
    let check = |typed: &str| assert_eq!(read(typed).unwrap_err().kind(), ErrorKind::ArgumentConflict, "{typed}");
    check("a.csv --to http://m --amqp amqp://b");
    for flag in ["--token-file t", "--ca-file c", "--replace", "--jobs 2"] {
        check(&format!("a.csv --amqp amqp://b {flag}"));
    }
    for flag in ["--operations", "--queue q", "--rate 1"] {
        check(&format!("a.csv --to http://m {flag}"));
    }
}

/// Guards a password against a terminal that others see.
#[test]
fn an_error_does_not_repeat_a_password() {
    for typed in
        ["a.csv --amqp http://u:secret@m", "a.csv --amqp amqp://u:secret@m:port", "a.csv --to http://u:secret@m"]
    {
        let text = read(typed).unwrap_err().to_string();
        assert!(text.contains("is invalid: ") && !text.contains("secret"), "{text}");
    }
}
