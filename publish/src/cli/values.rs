//! The checks of single values.

use reqwest::Url;

/// Longest name of a queue in AMQP.
const MAX_QUEUE_BYTES: usize = 255;

/// Checks the name of a queue. A broker takes an empty one for a name that it is to choose.
pub(super) fn queue(typed: &str) -> Result<String, String> {
    match typed.len() {
        0 => Err("it is empty; name a queue, or leave the flag out".to_owned()),
        1..=MAX_QUEUE_BYTES => Ok(typed.to_owned()),
        long => Err(format!("it has {long} bytes, and the name of a queue has at most {MAX_QUEUE_BYTES}")),
    }
}

/// Checks the address of a master.
pub(super) fn url(typed: &str) -> Result<Url, String> {
    let fix = "write the master's address, such as http://127.0.0.1:5000";
    let url = Url::parse(typed).map_err(|error| format!("{error}; {fix}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("it does not start with http:// or https://; {fix}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "it contains a password, which other users of this machine can see; use `--token-file FILE`".to_owned()
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("it contains `?` or `#`; {fix}"));
    }
    Ok(url)
}
