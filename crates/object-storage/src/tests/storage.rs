//! Listing, reading, replacing and linking.

use std::{fs, io::Write};

use tempfile::TempDir;
use tributary_testkit::s3::{Fault, S3Server};

use crate::{Access, ErrorKind, Location, ObjectStorage, PART_BYTES, Page};

fn open(url: &str, variables: Vec<(String, String)>) -> ObjectStorage {
    let location: Location = url.parse().unwrap();
    ObjectStorage::open(location, &Access::of(variables), "test/1").unwrap()
}

async fn put(storage: &ObjectStorage, key: &str, bytes: &[u8]) -> Result<(), crate::Error> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    storage.replace(key, file, "text/csv").await
}

async fn get(storage: &ObjectStorage, key: &str) -> Result<Vec<u8>, crate::Error> {
    let mut body = storage.read(key, None, None).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn list(storage: &ObjectStorage) -> Result<Page, crate::Error> {
    let (mut listing, mut all) = (storage.list(), Page::default());
    while let Some(page) = listing.next_page().await? {
        all.objects.extend(page.objects);
        all.odd.extend(page.odd);
    }
    all.objects.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(all)
}

fn large() -> Vec<u8> {
    (0..PART_BYTES as u32 * 2 / 4 + 1_000).flat_map(u32::to_le_bytes).collect()
}

/// Checks everything that each kind of place does.
async fn check(storage: &ObjectStorage) {
    assert_eq!(list(storage).await.unwrap(), Page::default());
    let missing = get(storage, "a.csv").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::Missing, "{missing}");
    assert!(missing.to_string().starts_with(&storage.location().url_of("a.csv")), "{missing}");
    for (key, bytes) in [("a.csv", &b"old"[..]), ("a.csv", b"new bytes"), ("reports/b ü.csv", b""), ("large", &large())]
    {
        put(storage, key, bytes).await.unwrap();
        assert_eq!(get(storage, key).await.unwrap(), bytes, "{key}");
    }
    let listed = list(storage).await.unwrap();
    let sizes: Vec<_> = listed.objects.iter().map(|object| (object.key.as_str(), object.size)).collect();
    assert_eq!(sizes, [("a.csv", 9), ("large", large().len() as u64), ("reports/b ü.csv", 0)]);

    let etag = listed.objects[0].etag.as_deref().unwrap();
    let mut part = storage.read("a.csv", Some(2..5), Some(etag)).await.unwrap();
    assert_eq!((part.size, part.etag.as_deref()), (9, Some(etag)));
    assert_eq!(part.chunk().await.unwrap().unwrap(), &b"w b"[..]);
    let head = storage.head("a.csv").await.unwrap();
    assert_eq!((head.size, head.etag.as_deref()), (9, Some(etag)));
    assert_eq!(storage.head("b.csv").await.unwrap_err().kind(), ErrorKind::Missing);
    put(storage, "a.csv", b"changed").await.unwrap();
    assert_ne!(storage.head("a.csv").await.unwrap().etag, head.etag);
    let changed = storage.read("a.csv", None, Some(etag)).await.unwrap_err();
    assert_eq!(changed.kind(), ErrorKind::Changed, "{changed}");

    for key in ["", "/a", "a/", "a//b", "a/../b", "a\nb"] {
        assert_eq!(put(storage, key, b"").await.unwrap_err().kind(), ErrorKind::Other, "{key:?}");
    }
    for _ in 0..2 {
        storage.delete("large").await.unwrap();
    }
    assert_eq!(list(storage).await.unwrap().objects.len(), 2);
}

#[tokio::test]
async fn memory_keeps_objects() {
    let storage = open("memory:", Vec::new());
    check(&storage).await;
    assert_eq!(storage.link("a.csv").await.unwrap(), None);
}

#[tokio::test]
async fn a_folder_keeps_objects_as_files() {
    let folder = TempDir::new().unwrap();
    let storage = open(&format!("file://{}", folder.path().display()), Vec::new());
    check(&storage).await;
    assert_eq!(fs::read(folder.path().join("a.csv")).unwrap(), b"changed");
    assert_eq!(storage.link("a.csv").await.unwrap(), None);
}

#[tokio::test]
async fn a_folder_must_exist() {
    let error =
        ObjectStorage::open("file:///nowhere/at/all".parse().unwrap(), &Access::default(), "test/1").unwrap_err();
    assert!(error.kind() == ErrorKind::Setting && error.to_string().contains("make the folder"), "{error}");
}

/// The server checks the signature of each request.
#[tokio::test]
async fn s3_keeps_objects() {
    let server = S3Server::start("bucket");
    check(&open("s3://bucket/some/prefix", server.variables())).await;
    assert_eq!(fs::read(server.folder("bucket").join("some/prefix/a.csv")).unwrap(), b"changed");
    check(&open("s3://bucket/other", server.variables())).await;
}

#[tokio::test]
async fn a_link_needs_no_credentials() {
    let server = S3Server::start("bucket");
    let storage = open("s3://bucket", server.variables());
    put(&storage, "a b.csv", b"for all").await.unwrap();
    let link = storage.link("a b.csv").await.unwrap().unwrap();
    assert!(!link.as_str().contains("secret"));
    assert_eq!(reqwest::get(link.clone()).await.unwrap().text().await.unwrap(), "for all");
    let other = link.as_str().replace("a%20b", "a%20c");
    assert_eq!(reqwest::get(other).await.unwrap().status(), 403);
}

#[tokio::test]
async fn wrong_credentials_are_named_and_not_shown() {
    let server = S3Server::start("bucket");
    let with = |name: &str, value: &str| {
        let mut variables = server.variables();
        variables.push((name.to_owned(), value.to_owned()));
        open("s3://bucket", variables)
    };
    let wrong = with("AWS_SECRET_ACCESS_KEY", "hidden");
    for error in [
        list(&wrong).await.unwrap_err(),
        put(&wrong, "a", b"1").await.unwrap_err(),
        get(&wrong, "a").await.unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(
            error.kind() == ErrorKind::Denied
                && text.contains("check AWS_SECRET_ACCESS_KEY")
                && !text.contains("hidden"),
            "{text}"
        );
    }
    let missing = open("s3://other", server.variables());
    let error = list(&missing).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Missing && error.to_string().contains("the bucket's name"), "{error}");
}

#[tokio::test]
async fn many_objects_come_in_pages() {
    let server = S3Server::start("bucket");
    let folder = server.folder("bucket").join("p");
    fs::create_dir_all(folder.join("sub")).unwrap();
    for n in 0..2_500 {
        fs::write(folder.join(format!("sub/{n:04}.csv")), n.to_string()).unwrap();
    }
    // Not below the prefix.
    fs::write(server.folder("bucket").join("p2"), "").unwrap();
    let listed = list(&open("s3://bucket/p", server.variables())).await.unwrap();
    assert_eq!((listed.objects.len(), listed.odd.len()), (2_500, 0));
    assert_eq!(listed.objects[2_499].key, "sub/2499.csv");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again() {
    let server = S3Server::start("bucket");
    let storage = open("s3://bucket", server.variables());
    put(&storage, "a", b"old").await.unwrap();
    for fault in [Fault::Status(503, "SlowDown"), Fault::Status(500, "InternalError"), Fault::Close, Fault::Cut] {
        let before = server.requests().len();
        server.misbehave(Some(fault));
        for error in [put(&storage, "a", b"newer").await.unwrap_err(), put(&storage, "a", &large()).await.unwrap_err()]
        {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{fault:?}: {error}");
        }
        assert!(server.requests().len() > before + 4, "it is not tried again");
        if fault != Fault::Cut {
            assert_eq!(list(&storage).await.unwrap_err().kind(), ErrorKind::Unavailable, "{fault:?}");
        }
        assert_eq!(get(&storage, "a").await.unwrap_err().kind(), ErrorKind::Unavailable, "{fault:?}");
        server.misbehave(None);
        assert_eq!(get(&storage, "a").await.unwrap(), b"old", "{fault:?}");
    }
    put(&storage, "a", b"new").await.unwrap();
    assert_eq!(get(&storage, "a").await.unwrap(), b"new");
}
