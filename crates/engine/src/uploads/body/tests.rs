//! Tests of receiving a body: limits, silence, cancelling.

use std::convert::Infallible;

use futures_util::stream;

use super::*;

const LIMITS: BodyLimits = BodyLimits { max_size: 10 << 20, keep_free: 0, max_silence: Duration::from_secs(30) };

fn setting() -> (tempfile::TempDir, UploadFolder, Job) {
    let parent = tempfile::tempdir().unwrap();
    let folder = UploadFolder::new(parent.path().to_owned());
    (parent, folder, Job::new("0".repeat(32), "a.csv".into(), false, None))
}

fn chunks(count: usize) -> impl Iterator<Item = Result<Bytes, Infallible>> {
    (0..count).map(|number| Ok(Bytes::from(vec![number as u8; 40_000])))
}

#[tokio::test]
async fn a_body_is_on_disk_byte_for_byte() {
    for count in [0, 1, 100] {
        let (parent, folder, job) = setting();
        let body = stream::iter(chunks(count));
        let received = receive(&job, &folder, body, &LIMITS, &CancellationToken::new()).await.unwrap();
        let expect: Vec<u8> = chunks(count).flat_map(|chunk| chunk.unwrap().to_vec()).collect();
        let written = std::fs::read(parent.path().join(format!(".{}.part", job.id))).unwrap();
        assert!(written == expect, "{count} chunks");
        assert_eq!(received.hash, format!("blake3:{}", blake3::hash(&expect).to_hex()));
        let length = expect.len() as u64;
        let status = job.upload().status;
        assert_eq!((received.bytes, status.bytes, status.total), (length, length, Some(length)));
    }
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    let (_parent, folder, job) = setting();
    let impatient = BodyLimits { max_silence: Duration::from_millis(30), ..LIMITS };
    let body = stream::iter(chunks(3)).chain(stream::pending());
    let began = tokio::time::Instant::now();
    let error = receive(&job, &folder, body, &impatient, &CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, UploadError::Stalled { .. }), "{error}");
    assert!(began.elapsed() >= impatient.max_silence);
}

#[tokio::test]
async fn limits_cancelling_and_stopping_end_it() {
    let (_parent, folder, job) = setting();
    let token = CancellationToken::new;
    let small = BodyLimits { max_size: 99_999, ..LIMITS };
    let error = receive(&job, &folder, stream::iter(chunks(3)), &small, &token()).await.unwrap_err();
    assert!(matches!(error, UploadError::TooLarge { limit: 99_999 }), "{error}");
    folder.delete_incoming(&job.id).unwrap();

    let full = BodyLimits { keep_free: u64::MAX, max_size: u64::MAX, ..LIMITS };
    let error = receive(&job, &folder, stream::iter(chunks(2_000)), &full, &token()).await.unwrap_err();
    assert!(matches!(error, UploadError::NoRoom { .. }), "{error}");
    folder.delete_incoming(&job.id).unwrap();

    let cut = stream::iter(chunks(1).map(|chunk| chunk.map_err(|_| "")).chain([Err("the connection is gone")]));
    let error = receive(&job, &folder, cut, &LIMITS, &token()).await.unwrap_err();
    assert!(error.to_string().contains("the connection is gone"), "{error}");
    folder.delete_incoming(&job.id).unwrap();

    let stop = token();
    stop.cancel();
    let waits = || stream::iter(chunks(1)).chain(stream::pending());
    let error = receive(&job, &folder, waits(), &LIMITS, &stop).await.unwrap_err();
    assert!(matches!(error, UploadError::Stopping), "{error}");
    folder.delete_incoming(&job.id).unwrap();
    job.cancel.cancel();
    let error = receive(&job, &folder, waits(), &LIMITS, &token()).await.unwrap_err();
    assert!(matches!(error, UploadError::Cancelled), "{error}");
}
