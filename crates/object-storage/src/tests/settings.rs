//! URLs and variables.

use crate::{Access, ErrorKind, Location, ObjectStorage, Server};

fn parsed(url: &str) -> Result<String, String> {
    url.parse::<Location>().map(|location| location.to_string())
}

#[test]
fn urls_name_a_bucket_a_folder_or_memory() {
    for (typed, expect) in [
        ("s3://bucket", "s3://bucket"),
        ("s3://bucket/", "s3://bucket"),
        ("s3://my.bucket-1/a/b c/", "s3://my.bucket-1/a/b c"),
        ("s3://bucket/100%", "s3://bucket/100%"),
        ("file:///srv/results", "file:///srv/results"),
        ("file:///srv/my%20results/", "file:///srv/my%20results"),
        ("memory:", "memory:"),
    ] {
        assert_eq!(parsed(typed), Ok(expect.to_owned()), "{typed}");
    }
    assert_eq!("s3://b/p".parse::<Location>().unwrap().url_of("a.csv"), "s3://b/p/a.csv");
    assert_eq!("file:///p".parse::<Location>().unwrap().url_of("a.csv"), "file:///p/a.csv");
}

#[test]
fn other_urls_say_what_to_write() {
    for (typed, expect) in [
        ("", "write s3://BUCKET"),
        ("bucket/prefix", "write s3://BUCKET"),
        ("https://bucket.s3.amazonaws.com/", "write s3://BUCKET"),
        ("s3:bucket", "write s3://BUCKET"),
        ("s3://", "the bucket's name"),
        ("s3://KEY:word@bucket/prefix", "set AWS_ACCESS_KEY_ID"),
        ("s3://bucket/a//b", "the prefix"),
        ("s3://bucket/../b", "the prefix"),
        ("file://otherhost/srv", "write file:///FOLDER"),
        ("file:///srv/a?b", "write file:///FOLDER"),
        ("memory:x", "write s3://BUCKET"),
    ] {
        let error = parsed(typed).unwrap_err();
        assert!(error.contains(expect) && !error.contains("word"), "{typed}: {error}");
    }
}

fn opened(variables: &[(&str, &str)]) -> Result<(), String> {
    let access = Access::of(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    assert!(!format!("{access:?}").contains("hidden"), "it prints secrets");
    let opened = ObjectStorage::open("s3://bucket/prefix".parse().unwrap(), &access, "test/1");
    let opened = opened.map(|storage| assert!(!format!("{storage:?}").contains("hidden"), "it prints secrets"));
    opened.map_err(|error| {
        assert_eq!(error.kind(), ErrorKind::Setting);
        let error = error.to_string();
        assert!(error.starts_with("s3://bucket/prefix: ") && !error.contains("hidden"), "{error}");
        error
    })
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "hidden")];

#[test]
fn the_server_is_told_and_no_secret() {
    let check = |variables: &[(&str, &str)], expect: Option<Server>| {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let access = Access::of(variables);
        let storage = ObjectStorage::open("s3://bucket".parse().unwrap(), &access, "test/1").unwrap();
        assert_eq!(storage.server(), expect.as_ref());
    };
    let server = |endpoint: Option<&str>, region: Option<&str>| {
        Some(Server { endpoint: endpoint.map(str::to_owned), region: region.map(str::to_owned) })
    };
    check(&[KEYS[0], KEYS[1], ("AWS_REGION", "eu-north-1")], server(None, Some("eu-north-1")));
    let urls = [("AWS_ENDPOINT", "https://c"), ("AWS_ENDPOINT_URL", "https://b"), ("AWS_ENDPOINT_URL_S3", "https://a")];
    check(&[&KEYS[..], &urls].concat(), server(Some("https://a"), None));
    check(&[&KEYS[..], &urls[..2]].concat(), server(Some("https://b"), None));
    let memory = ObjectStorage::open("memory:".parse().unwrap(), &Access::default(), "test/1").unwrap();
    assert_eq!(memory.server(), None);
}

#[test]
fn errors_name_the_variable_to_set() {
    let endpoint = |url: &'static str| [&KEYS[..], &[("AWS_ENDPOINT_URL", url)]].concat();
    for (variables, expect) in [
        (KEYS.to_vec(), "set AWS_REGION"),
        (vec![("AWS_REGION", "eu-central-1")], "set AWS_ACCESS_KEY_ID"),
        (vec![("AWS_REGION", "eu-central-1"), KEYS[0]], "AWS_SECRET_ACCESS_KEY is not"),
        (vec![("AWS_REGION", "eu-central-1"), KEYS[1]], "AWS_ACCESS_KEY_ID is not"),
        (endpoint("minio:9000"), "AWS_ENDPOINT_URL must be a URL"),
        (endpoint("https://user:hidden@minio"), "AWS_ENDPOINT_URL must be a URL"),
        (endpoint("http://minio.example:9000"), "AWS_ALLOW_HTTP=true"),
        (
            [&endpoint("https://minio")[..], &[("AWS_CA_BUNDLE", "/nowhere/ca.pem")]].concat(),
            "AWS_CA_BUNDLE: failed to read",
        ),
    ] {
        let error = opened(&variables).unwrap_err();
        assert!(error.contains(expect), "{variables:?}: {error}");
    }
}

#[test]
fn enough_variables_are_enough() {
    let with = |more: &[(&'static str, &'static str)]| [&KEYS[..], more].concat();
    for variables in [
        with(&[("AWS_REGION", "eu-central-1")]),
        with(&[("AWS_DEFAULT_REGION", "eu-central-1"), ("AWS_SESSION_TOKEN", "hidden")]),
        with(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")]),
        with(&[("AWS_ENDPOINT_URL", "http://localhost:9000/")]),
        with(&[("AWS_ENDPOINT_URL_S3", "https://minio.example"), ("AWS_ENDPOINT_URL", "nonsense")]),
        with(&[("AWS_ENDPOINT_URL", "http://minio.example"), ("AWS_ALLOW_HTTP", "true")]),
        vec![("AWS_SKIP_SIGNATURE", "true"), ("AWS_REGION", "eu-central-1"), ("AWS_ACCESS_KEY_ID", "")],
        vec![("AWS_METADATA_ENDPOINT", "http://127.0.0.1:1"), ("AWS_REGION", "eu-central-1")],
    ] {
        assert_eq!(opened(&variables), Ok(()), "{variables:?}");
    }
}
