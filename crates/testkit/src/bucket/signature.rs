//! Signatures of requests (AWS Signature Version 4), checked as a server does: over what it has understood of a request, not over the bytes
//! that the client has sent.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::{KEY, REGION, Request, text};

/// A signature as it is sent, in a header or in the query.
struct Sent {
    credential: String,
    names: String,
    signature: String,
    time: String,
    digest: String,
}

impl Sent {
    fn of(request: &Request) -> Option<Self> {
        let Some(header) = request.header("authorization") else {
            let [credential, names, signature, time] = ["Credential", "SignedHeaders", "Signature", "Date"]
                .map(|name| request.parameter(&format!("X-Amz-{name}")));
            let digest = "UNSIGNED-PAYLOAD".to_owned();
            return Some(Self { credential: credential?, names: names?, signature: signature?, time: time?, digest });
        };
        let parts = header.strip_prefix("AWS4-HMAC-SHA256 ")?.split(',').filter_map(|part| part.trim().split_once('='));
        let part = |name: &str| parts.clone().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
        Some(Self {
            credential: part("Credential")?,
            names: part("SignedHeaders")?,
            signature: part("Signature")?,
            time: request.header("x-amz-date")?.to_owned(),
            digest: request.header("x-amz-content-sha256")?.to_owned(),
        })
    }
}

/// Whether a request has the signature that the key of the bucket makes of it.
pub(super) fn is_signed(request: &Request) -> bool {
    let Some(Sent { credential, names, signature, time, digest }) = Sent::of(request) else { return false };
    let day = time.get(..8).unwrap_or_default();
    let scope = format!("{day}/{REGION}/s3/aws4_request");
    if credential != format!("{}/{scope}", KEY[0]) || !names.split(';').any(|name| name == "host") {
        return false;
    }
    let lines = names.split(';').map(|name| format!("{name}:{}\n", request.header(name).unwrap_or_default()));
    let (path, query) = (encoded(&text(&decoded(&request.path)), "/"), query(&request.query));
    let canonical = [&request.method, &path, &query, &lines.collect(), &names, &digest].map(String::as_str).join("\n");
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let steps = [day, REGION, "s3", "aws4_request", &to_sign];
    let first = format!("AWS4{}", KEY[1]).into_bytes();
    signature == hex(&steps.iter().fold(first, |key, step| hmac(&key, step.as_bytes())))
}

/// The parameters in their order, each written in the one way, without the signature.
fn query(sent: &str) -> String {
    let pairs = sent.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("X-Amz-Signature="));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        [name, value].map(|part| encoded(&text(&decoded(part)), "")).join("=")
    };
    let mut pairs: Vec<_> = pairs.map(pair).collect();
    pairs.sort();
    pairs.join("&")
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    match key.len() > 64 {
        true => block[..32].copy_from_slice(&Sha256::digest(key)),
        false => block[..key.len()].copy_from_slice(key),
    }
    let inner = Sha256::digest([&block.map(|byte| byte ^ 0x36)[..], message].concat());
    Sha256::digest([&block.map(|byte| byte ^ 0x5c)[..], &inner].concat()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that a part of a URL stands for.
pub(super) fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = (*first == b'%').then(|| after.get(..2)).flatten();
        let byte = digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    bytes
}

/// A text as it stands in a URL, with all but letters, digits, `-._~` and `also` encoded.
pub(super) fn encoded(text: &str, also: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also.as_bytes().contains(&byte) {
            true => encoded.push(byte.into()),
            false => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test cases 2 and 6.
    #[test]
    fn the_digest_with_a_key_is_that_of_the_standard() {
        let mac = hex(&hmac(b"Jefe", b"what do ya want for nothing?"));
        assert_eq!(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let mac = hex(&hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First"));
        assert_eq!(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }
}
