//! `order`: which file of a folder wins. Each file has a key; keys are compared by bytes, then paths are.

use chrono::{DateTime, SecondsFormat, Utc};
use tributary_protocol::Order;

/// Digits of the length of a number in a natural key. A longer number has the greatest length.
const LENGTH_DIGITS: usize = 3;

/// The key that ranks a file before its path does. `modified` is the time of its last change, RFC 3339; one that cannot be read
/// ranks before all others.
#[must_use]
pub fn rank_key(order: Order, path: &str, modified: &str) -> String {
    match order {
        Order::Path => String::new(),
        Order::Natural => natural(path),
        // In a fixed form, so that the order of the texts is that of the times.
        Order::Modified => DateTime::parse_from_rfc3339(modified)
            .map(|time| time.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::Nanos, true))
            .unwrap_or_default(),
    }
}

/// The path with the length of each number before it, so that `delta-2` is before `delta-10`.
fn natural(path: &str) -> String {
    let mut key = String::with_capacity(path.len() + 2 * LENGTH_DIGITS);
    let mut rest = path;
    while let Some(at) = rest.find(|letter: char| letter.is_ascii_digit()) {
        key.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let number = rest[..end].trim_start_matches('0');
        let length = number.len().min(10_usize.pow(LENGTH_DIGITS as u32) - 1);
        key.push_str(&format!("{length:0LENGTH_DIGITS$}{number}"));
        rest = &rest[end..];
    }
    key + rest
}

/// Two paths that differ only in a number and whose order by bytes is not that of the numbers. `paths` come in order of their
/// bytes.
pub fn misordered<'a>(paths: impl Iterator<Item = &'a str>) -> Option<(&'a str, &'a str)> {
    let mut last: std::collections::HashMap<String, (String, &'a str)> = std::collections::HashMap::new();
    for path in paths.filter(|path| path.contains(|letter: char| letter.is_ascii_digit())) {
        let key = natural(path);
        let earlier = last.insert(shape(path), (key.clone(), path));
        if let Some((_, earlier)) = earlier.filter(|(earlier, _)| *earlier > key) {
            return Some((path, earlier));
        }
    }
    None
}

/// The path with one `0` for each number.
fn shape(path: &str) -> String {
    let mut shape = String::with_capacity(path.len());
    for letter in path.chars() {
        match letter.is_ascii_digit() {
            true if shape.ends_with('0') => {}
            true => shape.push('0'),
            false => shape.push(letter),
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_as_numbers() {
        let natural = |path: &str| rank_key(Order::Natural, path, "");
        let ordered = [
            "a",
            "a0",
            "a1",
            "a02",
            "a2b",
            "a10",
            "a100",
            "b/2024-9-30.csv",
            "b/2024-10-1.csv",
            "b-1",
            "delta-2.csv",
            "delta-10.csv",
        ];
        for pair in ordered.windows(2) {
            assert!(natural(pair[0]) < natural(pair[1]) || pair == ["b/2024-10-1.csv", "b-1"], "{pair:?}");
        }
        assert_eq!(natural("a01"), natural("a1"), "the path decides then");
        assert!(natural(&"9".repeat(2000)) > natural(&"9".repeat(900)));
    }

    #[test]
    fn times_compare_as_times() {
        let modified = |time: &str| rank_key(Order::Modified, "", time);
        let ordered = [
            "",
            "1969-12-31T23:59:59.5Z",
            "2024-01-01T00:00:00Z",
            "2024-01-01T02:00:00.000000001+02:00",
            "2024-01-01T00:00:01Z",
        ];
        for pair in ordered.windows(2) {
            assert!(modified(pair[0]) < modified(pair[1]), "{pair:?}");
        }
        assert_eq!(rank_key(Order::Path, "a", "2024-01-01T00:00:00Z"), "");
    }

    #[test]
    fn numbers_of_different_width_are_found() {
        let found = |paths: &[&'static str]| misordered(paths.iter().copied());
        assert_eq!(found(&["delta-1.csv", "delta-10.csv", "delta-2.csv"]), Some(("delta-2.csv", "delta-10.csv")));
        assert_eq!(found(&["a-01.csv", "a-02.csv", "a-10.csv"]), None);
        assert_eq!(found(&["a-10.csv", "b-2.csv", "c.csv"]), None);
        assert_eq!(found(&["shop1/a10.csv", "shop10/a1.csv", "shop2/a1.csv"]), Some(("shop2/a1.csv", "shop10/a1.csv")));
    }
}
