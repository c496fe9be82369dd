//! Lists that S3 servers do not send on a good day.

use tributary_testkit::faulty::{Answer, FaultySource};

use crate::{Access, Error, ErrorKind, ObjectStorage, Page};

async fn listed(answer: Answer) -> Result<Vec<Page>, Error> {
    let server = FaultySource::start(&[("/bucket/", answer)]);
    let variables =
        [("AWS_ENDPOINT_URL", server.url.as_str()), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let access = Access::of(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let storage = ObjectStorage::open("s3://bucket/p".parse().unwrap(), &access, "test/1").unwrap();
    let (mut listing, mut pages) = (storage.list(), Vec::new());
    while let Some(page) = listing.next_page().await? {
        pages.push(page);
    }
    Ok(pages)
}

fn answer(end: &str, keys: &[&str]) -> Answer {
    let object = |key: &&str| format!("<Contents><Key>{key}</Key><Size>7</Size><ETag>&quot;x&quot;</ETag></Contents>");
    let objects: String = keys.iter().map(object).collect();
    let text = format!("<?xml version=\"1.0\"?><ListBucketResult><Name>bucket</Name>{objects}{end}</ListBucketResult>");
    Answer::Ok("application/xml", text.into_bytes())
}

/// One of them made the whole list fail.
#[tokio::test]
async fn odd_keys_are_listed_apart() {
    let keys =
        ["p/", "p/a+b%2Bc%25.csv", "p/sub/", "p/a//b", "p/../etc", "p/./x", "p/a%00b", "p//x", "p/x/ok", "q/other"];
    let pages = listed(answer("<EncodingType>url</EncodingType>", &keys)).await.unwrap();
    let found: Vec<_> = pages[0].objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(found, ["a b+c%.csv", "x/ok"]);
    assert_eq!(pages[0].objects[0].etag.as_deref(), Some("\"x\""));
    assert_eq!(pages[0].odd, ["sub/", "a//b", "../etc", "./x", "a\0b", "/x"]);
    // A server that does not know the encoding.
    let plain = listed(answer("", &["p/a+b%20c &amp; &lt;d&gt;"])).await.unwrap();
    assert_eq!(plain[0].objects[0].key, "a+b%20c & <d>");
}

#[tokio::test]
async fn answers_that_are_no_list_are_errors() {
    let error = async |answer| {
        let error = listed(answer).await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("s3://bucket/p: ") && !text.contains("Signature=") && text.len() < 600, "{text}");
        (error.kind(), text)
    };
    let (kind, text) = error(Answer::Ok("text/html", b"<html><p>Please log in".to_vec())).await;
    assert!(kind == ErrorKind::Other && text.contains("no list of objects"), "{text}");
    let (kind, text) = error(answer("<IsTruncated>true</IsTruncated>", &[])).await;
    assert!(kind == ErrorKind::Other && text.contains("goes on nowhere"), "{text}");
    // A list without an end.
    let again = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";
    let (kind, text) = error(answer(again, &["p/a"])).await;
    assert!(kind == ErrorKind::Other && text.contains("where it began"), "{text}");
    let (kind, text) = error(Answer::Ok("application/xml", vec![b' '; 9 << 20])).await;
    assert!(kind == ErrorKind::Unavailable && text.contains("more than"), "{text}");
    let (kind, text) = error(Answer::Status("301 Moved Permanently")).await;
    assert!(kind == ErrorKind::Setting && text.contains("301"), "{text}");
    let (kind, _) = error(Answer::Cut("application/xml", vec![b' '; 100])).await;
    assert_eq!(kind, ErrorKind::Unavailable);
}
