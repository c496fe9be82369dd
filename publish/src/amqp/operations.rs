//! Lines of JSON as messages, one message per line. All lines are checked before the first one is sent.

use std::{fs::File, io::BufReader};

use anyhow::{Context, Result, anyhow};
use serde::de::IgnoredAny;
use tributary_amqp::Message;

use super::{
    item::{Item, Items, expect_unchanged},
    lines::{Line, LineError, Lines},
};
use crate::LocalFile;

/// Counts the operations of all files.
///
/// # Errors
/// A line is not an object or an array; the text names file and line.
pub(super) fn check(files: &[LocalFile]) -> Result<Vec<u64>> {
    files.iter().map(|file| count(file).with_context(|| format!("failed to check {}", file.path.display()))).collect()
}

fn count(file: &LocalFile) -> Result<u64> {
    let mut lines = Lines::new(BufReader::new(File::open(&file.path)?));
    let mut count = 0;
    while let Some(line) = lines.next()? {
        check_line(line.bytes).map_err(|why| {
            anyhow!("line {} {why}; write one operation, or an array of several, as JSON per line", line.number)
        })?;
        count += 1;
    }
    Ok(count)
}

fn check_line(line: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(line).map_err(|error| format!("is not UTF-8 ({error})"))?;
    if !text.trim_ascii_start().starts_with(['{', '[']) {
        return Err("is neither a JSON object nor an array".to_owned());
    }
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| format!("is not JSON ({error})"))?;
    Ok(())
}

/// Reads the lines of the files in order, until nobody wants more of them. A file that fails is the last one: an operation must not overtake
/// one before it.
pub(super) fn read(files: &[LocalFile], items: &Items) {
    for (number, file) in files.iter().enumerate() {
        match read_one(number, file, items) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                // The receiver is gone if the run has ended.
                let _ = items.blocking_send(Item { file: number, message: Err(error.to_string()) });
                return;
            }
        }
    }
}

/// Reads one file. Returns whether somebody wants more.
fn read_one(number: usize, file: &LocalFile, items: &Items) -> Result<bool, LineError> {
    let source = File::open(&file.path)?;
    expect_unchanged(file, &source)?;
    let (mut lines, stamp) = (Lines::new(BufReader::new(&source)), file.modified_nanoseconds().to_string());
    while let Some(line) = lines.next()? {
        let item = Item { file: number, message: Ok(message(&file.name, &stamp, &line)) };
        if items.blocking_send(item).is_err() {
            return Ok(false);
        }
    }
    expect_unchanged(file, &source)?;
    Ok(true)
}

/// The message of a line. The same line at the same place of the same file is the same message. The modification time, `stamp`, tells
/// the file of today from one of yesterday that had the same name.
fn message(name: &str, stamp: &str, line: &Line<'_>) -> Message {
    let mut hasher = blake3::Hasher::new();
    hasher.update(name.as_bytes()).update(&[0]).update(stamp.as_bytes()).update(&[0]);
    hasher.update(line.number.to_string().as_bytes()).update(&[0]).update(line.bytes);
    Message {
        id: Some(hasher.finalize().to_hex().to_string()),
        content_type: Some("application/json".to_owned()),
        body: line.bytes.to_vec(),
        ..Message::default()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;
    use tokio::sync::mpsc;

    use super::*;
    use crate::local_files;

    fn files(content: &[u8]) -> (TempDir, Vec<LocalFile>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.jsonl");
        fs::write(&path, content).unwrap();
        let files = local_files(&[path]).unwrap();
        (folder, files)
    }

    #[test]
    fn operations_are_counted_and_faulty_lines_named() {
        let good = |content: &[u8], expect: u64| assert_eq!(check(&files(content).1).unwrap(), [expect]);
        good(b"", 0);
        good(b"{\"a\":1}\n\n [{}, {\"b\":[]}] \r\n{}", 3);
        let bad = |content: &[u8], expect: &str| {
            let why = format!("{:#}", check(&files(content).1).unwrap_err());
            assert!(why.contains("a.jsonl: line ") && why.contains(expect), "{why}");
        };
        bad(b"{}\n\n3\n", "line 3 is neither a JSON object nor an array; write one operation");
        bad(b"\"text\"\n", "line 1 is neither");
        bad(b"{}\n{\"a\":\n", "line 2 is not JSON (EOF");
        bad(b"{} {}\n", "line 1 is not JSON (trailing");
        bad(b"{\"a\":\"\xff\"}\n", "line 1 is not UTF-8");
        bad(&[b'['; (1 << 20) + 1], "line 1 is longer than 1 MiB");
    }

    #[test]
    fn a_line_is_a_message_with_an_id_of_its_place_and_content() {
        let (_folder, files) = files(b"{\"a\":1}\n\n [2] \r\n");
        let (items, mut read_items) = mpsc::channel(3);
        read(&files, &items);
        let mut next = || read_items.try_recv().unwrap().message.unwrap();
        let (one, two) = (next(), next());
        assert_eq!((one.body.as_slice(), two.body.as_slice()), (&b"{\"a\":1}"[..], &b" [2] "[..]));
        let id = |line: &str| {
            blake3::hash(format!("a.jsonl\0{}\0{line}", files[0].modified_nanoseconds()).as_bytes()).to_hex()
        };
        assert_eq!(one.id.as_deref(), Some(id("1\0{\"a\":1}").as_str()));
        assert_eq!(two.id.as_deref(), Some(id("3\0 [2] ").as_str()));
        assert_eq!(one.content_type.as_deref(), Some("application/json"));
        assert!(one.headers.is_empty());
        assert!(read_items.try_recv().is_err(), "there is no more");
    }

    #[test]
    fn a_file_that_changed_since_the_check_ends_the_run() {
        let (_folder, checked) = files(b"{}\n");
        fs::write(&checked[0].path, "{}\n{}\n").unwrap();
        let (items, mut read_items) = mpsc::channel(3);
        read(&[checked[0].clone(), checked[0].clone()], &items);
        assert!(read_items.try_recv().unwrap().message.unwrap_err().contains("the file changed"));
        assert!(read_items.try_recv().is_err(), "the next file is not read");
    }
}
