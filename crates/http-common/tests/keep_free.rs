//! The free space that temporary files leave. It is a setting of the process, so this test has one of its own.

use actix_web::web::Bytes;
use futures_util::{StreamExt, stream};
use tributary_http_common::{keep_free, shared};

/// Only files above 16 MiB were looked at, so a thousand clients that each left less than that filled the disk.
#[actix_web::test]
async fn the_smallest_file_keeps_what_is_to_stay_free() {
    let taken = async || {
        let body = stream::iter([Ok(Bytes::from_static(b"sku,name\n"))]);
        shared(body).stream().collect::<Vec<_>>().await
    };
    assert!(taken().await.iter().all(Result::is_ok));
    keep_free(u64::MAX);
    let taken = taken().await;
    let error = taken.last().unwrap().as_ref().unwrap_err().to_string();
    assert!(error.contains("`keep_free`"), "{error}");
}
