//! Tests of receiving a body: limits, silence, cancelling.

use std::convert::Infallible;

use futures_util::stream;

use super::*;

const LIMITS: BodyLimits = BodyLimits { max_size: 10 << 20, keep_free: 0, patience: Duration::from_secs(30) };

fn setting() -> (tempfile::TempDir, DocumentFolder, Receiving) {
    let parent = tempfile::tempdir().unwrap();
    let folder = DocumentFolder::new(parent.path().to_owned());
    (parent, folder, Receiving::new("0".repeat(32), "a.csv".into(), None, false))
}

fn chunks(count: usize) -> impl Iterator<Item = Result<Bytes, Infallible>> {
    (0..count).map(|number| Ok(Bytes::from(vec![number as u8; 40_000])))
}

#[tokio::test]
async fn a_body_is_on_disk_byte_for_byte() {
    for count in [0, 1, 100] {
        let (parent, folder, receiving) = setting();
        let body = stream::iter(chunks(count));
        let received = receive(&receiving, &folder, body, &LIMITS, &Until::default()).await.unwrap();
        let expect: Vec<u8> = chunks(count).flat_map(|chunk| chunk.unwrap().to_vec()).collect();
        let written = std::fs::read(parent.path().join(format!(".{}.part", receiving.id))).unwrap();
        assert!(written == expect, "{count} chunks");
        assert_eq!(received.hash, format!("blake3:{}", blake3::hash(&expect).to_hex()));
        let length = expect.len() as u64;
        assert_eq!((received.bytes, receiving.bytes(), received.small), (length, length, None));
    }
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    let (_parent, folder, receiving) = setting();
    let impatient = BodyLimits { patience: Duration::from_millis(30), ..LIMITS };
    let body = stream::iter(chunks(3)).chain(stream::pending());
    let began = tokio::time::Instant::now();
    let error = receive(&receiving, &folder, body, &impatient, &Until::default()).await.unwrap_err();
    assert!(matches!(error, InboxError::Stalled { .. }), "{error}");
    assert!(began.elapsed() >= impatient.patience);
}

#[tokio::test]
async fn limits_cancelling_and_stopping_end_it() {
    let (_parent, folder, _) = setting();
    let new = || Receiving::new("0".repeat(32), "a.csv".into(), None, false);
    let token = Until::default;
    let small = BodyLimits { max_size: 99_999, ..LIMITS };
    let error = receive(&new(), &folder, stream::iter(chunks(3)), &small, &token()).await.unwrap_err();
    assert!(matches!(error, InboxError::TooLarge { limit: 99_999 }), "{error}");
    folder.delete_part(&new().id).unwrap();

    let full = BodyLimits { keep_free: u64::MAX, max_size: u64::MAX, ..LIMITS };
    let error = receive(&new(), &folder, stream::iter(chunks(2_000)), &full, &token()).await.unwrap_err();
    assert!(matches!(error, InboxError::NoRoom { .. }), "{error}");
    folder.delete_part(&new().id).unwrap();

    let cut = stream::iter(chunks(1).map(|chunk| chunk.map_err(|_| "")).chain([Err("what a library says")]));
    let error = receive(&new(), &folder, cut, &LIMITS, &token()).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, InboxError::Cut(_)) && !text.contains("a library"), "{text}");
    folder.delete_part(&new().id).unwrap();

    let stop = token();
    stop.stopped.cancel();
    let waits = || stream::iter(chunks(1)).chain(stream::pending());
    let error = receive(&new(), &folder, waits(), &LIMITS, &stop).await.unwrap_err();
    assert!(matches!(error, InboxError::Stopping), "{error}");
    folder.delete_part(&new().id).unwrap();
    let cancelled = new();
    cancelled.cancel.cancel();
    let error = receive(&cancelled, &folder, waits(), &LIMITS, &token()).await.unwrap_err();
    assert!(matches!(error, InboxError::Cancelled), "{error}");
}

#[tokio::test]
async fn a_small_body_stays_in_memory() {
    let (parent, folder, _) = setting();
    let small = |total| Receiving::new("0".repeat(32), "a.csv".into(), Some(total), false);
    let token = Until::default();
    let received = receive(&small(80_000), &folder, stream::iter(chunks(2)), &LIMITS, &token).await.unwrap();
    let expect: Vec<u8> = chunks(2).flat_map(|chunk| chunk.unwrap().to_vec()).collect();
    assert_eq!((received.bytes, received.hash), (80_000, format!("blake3:{}", blake3::hash(&expect).to_hex())));
    assert!(received.small == Some(expect) && std::fs::read_dir(parent.path()).unwrap().next().is_none());
    // One that turns out to be large is not collected.
    let error = receive(&small(80_000), &folder, stream::iter(chunks(10)), &LIMITS, &token).await.unwrap_err();
    assert!(matches!(error, InboxError::Cut(_)), "{error}");
}
