//! The free space that temporary files leave. It is a setting of the process, so this test has one of its own.

use std::io::Write;

use actix_web::web::Bytes;
use futures_util::{StreamExt, stream};
use tributary_http_common::{TempFile, keep_free, shared};

/// Only files above 16 MiB were looked at, so a thousand clients that each left less than that filled the disk.
#[actix_web::test]
async fn the_smallest_file_keeps_what_is_to_stay_free() {
    let taken = async || {
        // A smaller body is held in memory.
        let body = stream::iter([Ok(Bytes::from(vec![b'x'; 100 << 10]))]);
        shared(body).stream().collect::<Vec<_>>().await
    };
    assert!(taken().await.iter().all(Result::is_ok));
    let mut file = TempFile::new();
    assert!(file.write_all(b"sheet").and_then(|()| TempFile::new().write_all(b"sheet")).is_ok());
    assert_eq!(file.stream().map(Result::unwrap).collect::<Vec<_>>().await.concat(), b"sheet");
    keep_free(u64::MAX);
    let error = TempFile::new().write_all(b"sheet").unwrap_err().to_string();
    assert!(error.contains("`keep_free`"), "{error}");
    let taken = taken().await;
    let error = taken.last().unwrap().as_ref().unwrap_err().to_string();
    assert!(error.contains("`keep_free`"), "{error}");
}
