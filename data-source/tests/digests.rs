//! Digests of what has no hash in the manifest (docs/reference/source-protocol.md#digests).

use tributary_protocol::{AggregateLine, BodyDigest};

use crate::{
    aggregate::{lines, request},
    support::{Answer, Source},
};

fn check(answer: &Answer) {
    let body = answer.body.as_ref().unwrap();
    assert_eq!(answer.header("content-digest"), BodyDigest::of(body).header());
}

#[test]
fn manifests_and_deltas_have_the_digest_of_their_bytes() {
    // More than one page, and one that ends with a page.
    let files: Vec<_> = (0..400).map(|number| (format!("{number}.csv"), "a")).collect();
    let files: Vec<_> = files.iter().map(|(path, content)| (path.as_str(), *content)).collect();
    for count in [1, 200, 201, 400] {
        let source = Source::of(&files[..count]);
        let first = source.version();
        let manifest = source.get("/sense/files");
        check(&manifest);
        check(&source.get("/sense/files"));
        check(&source.get(&format!("/sense/files?since={first}")));
        source.write("new.csv", b"b");
        crate::support::wait_for("another version", || source.version() != first);
        let changed = source.get("/sense/files");
        check(&changed);
        assert_ne!(changed.header("content-digest"), manifest.header("content-digest"));
        check(&source.get(&format!("/sense/files?since={first}")));
    }
}

#[test]
fn a_partial_has_a_digest_for_those_who_ask() {
    let source = Source::of(&[("sales.csv", "shop,n\nnorth,1\nsouth,2\n")]);
    let asked = request(&source, "sales.csv").to_string();
    // Computed, and sent again.
    let answers = [(); 2].map(|()| source.post("/aggregate?digest=1", &asked).text());
    let plain = source.post("/aggregate", &asked).text();
    for answer in answers {
        let (partial, end) = answer.split_at(answer.find("{\"digest\"").unwrap());
        let expect = [AggregateLine::Digest(BodyDigest::of(partial.as_bytes()).header()), AggregateLine::End];
        assert_eq!(lines(end), expect);
        assert_eq!(plain, format!("{partial}\"end\"\n"), "who does not ask may not know the line");
    }
}

#[test]
fn a_request_that_changed_on_the_way_is_refused() {
    let source = Source::of(&[("sales.csv", "shop,n\nnorth,1\nsouth,2\n")]);
    let asked = request(&source, "sales.csv").to_string();
    let send = |digest: String, body: &str| {
        let head = format!("POST /aggregate HTTP/1.0\r\nHost: localhost\r\nContent-Digest: {digest}\r\n");
        let mut stream = source.send(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()));
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        answer
    };
    let digest = BodyDigest::of(asked.as_bytes()).header();
    assert!(send(digest.clone(), &asked).starts_with("HTTP/1.0 200"));
    let refused = send(digest, &asked.replace("sum(n)", "min(n)"));
    assert!(
        refused.starts_with("HTTP/1.0 400") && refused.contains("it does not match its Content-Digest"),
        "{refused}"
    );
}
