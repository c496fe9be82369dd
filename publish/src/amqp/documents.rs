//! Files as messages, one message per file. A packed file stays packed: the master unpacks it by its name.

use std::{
    fs::File,
    io::{self, Read},
};

use anyhow::{Result, ensure};
use tributary_amqp::Message;

use super::item::{Item, Items, expect_unchanged};
use crate::LocalFile;

/// Most bytes of a document: brokers from 4.0 on take no larger message unless they are configured to.
pub(super) const MAX_DOCUMENT_BYTES: u64 = 16 << 20;
/// The header that says where the document belongs.
const PATH: &str = "path";

/// Refuses files that are too large for a message.
pub(super) fn check(files: &[LocalFile]) -> Result<()> {
    for LocalFile { path, size, .. } in files {
        ensure!(
            *size <= MAX_DOCUMENT_BYTES,
            "{} has {size} bytes, and a message holds at most {MAX_DOCUMENT_BYTES} (16 MiB); upload it with `--to http://MASTER`",
            path.display()
        );
    }
    Ok(())
}

/// Reads the files one after the other, until nobody wants more of them.
pub(super) fn read(files: &[LocalFile], items: &Items) {
    for (number, file) in files.iter().enumerate() {
        let content = read_one(file).map_err(|error| error.to_string());
        let message = content.map(|content| message(&file.name, content, &file.modified_nanoseconds().to_string()));
        if items.blocking_send(Item { file: number, message }).is_err() {
            return;
        }
    }
}

fn read_one(file: &LocalFile) -> io::Result<Vec<u8>> {
    let mut source = File::open(&file.path)?;
    let mut content = Vec::with_capacity(file.size as usize);
    // A byte more tells a file that has grown from one that has not.
    source.by_ref().take(file.size + 1).read_to_end(&mut content)?;
    expect_unchanged(file, &source)?;
    Ok(content)
}

/// The message of a document. The same command on the same file sends the same message. The modification time, `stamp`, is part of its
/// id: a file that has its earlier content again is another message, or the master would take it for a repeat.
fn message(path: &str, content: Vec<u8>, stamp: &str) -> Message {
    let mut hasher = blake3::Hasher::new();
    hasher.update(path.as_bytes()).update(&[0]).update(stamp.as_bytes()).update(&[0]).update(&content);
    Message {
        id: Some(hasher.finalize().to_hex().to_string()),
        content_type: Some("text/csv".to_owned()),
        content_encoding: None,
        headers: [(PATH.to_owned(), path.to_owned())].into(),
        body: content,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::sync::mpsc;

    use super::*;
    use crate::local_files;

    #[test]
    fn a_document_is_a_message_with_a_path_and_an_id_of_its_content() {
        let sent = message("a.csv", b"sku\n1\n".to_vec(), "7");
        assert_eq!(sent.id.as_deref(), Some(blake3::hash(b"a.csv\x007\0sku\n1\n").to_hex().as_str()));
        assert_eq!(sent.headers, [("path".to_owned(), "a.csv".to_owned())].into());
        assert_eq!((sent.content_type.as_deref(), sent.content_encoding), (Some("text/csv"), None));
        assert_ne!(message("b.csv", b"sku\n1\n".to_vec(), "7").id, sent.id);
        assert_ne!(message("a.csv", b"sku\n2\n".to_vec(), "7").id, sent.id);
        assert_ne!(message("a.csv", b"sku\n1\n".to_vec(), "8").id, sent.id);
    }

    #[test]
    fn a_document_that_is_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big.csv");
        let file = File::create(&path).unwrap();
        let check_size = |size: u64| {
            file.set_len(size).unwrap();
            check(&local_files(std::slice::from_ref(&path)).unwrap())
        };
        check_size(MAX_DOCUMENT_BYTES).unwrap();
        let why = check_size(MAX_DOCUMENT_BYTES + 1).unwrap_err().to_string();
        assert!(why.contains("big.csv has 16777217 bytes") && why.ends_with("`--to http://MASTER`"), "{why}");
    }

    #[test]
    fn a_file_that_changed_fails_and_the_others_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a.csv", "b.csv", "c.csv"].map(|name| folder.path().join(name));
        paths.iter().for_each(|path| fs::write(path, "sku\n").unwrap());
        let files = local_files(&paths).unwrap();
        fs::write(&paths[0], "sku\n1\n").unwrap();
        fs::remove_file(&paths[1]).unwrap();
        let (items, mut read_items) = mpsc::channel(3);
        read(&files, &items);
        let mut next = || read_items.try_recv().unwrap();
        let first = next();
        assert_eq!(first.file, 0);
        assert!(first.message.unwrap_err().contains("the file changed"));
        assert!(next().message.unwrap_err().contains("No such file"));
        assert_eq!(next().message.unwrap().body, b"sku\n");
    }
}
