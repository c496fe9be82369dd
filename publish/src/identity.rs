//! The id of an upload, derived from the file and where it goes: a later run finds what an earlier one has sent, without a file of its
//! own to remember it.

use reqwest::Url;

use crate::LocalFile;

/// Returns the id under which the file is uploaded: 32 hex digits. `number` counts earlier uploads of the same file that have ended.
pub(crate) fn upload_id(master: &Url, file: &LocalFile, may_replace: bool, number: u32) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("tributary publish upload id v1");
    let mut add = |field: &[u8]| {
        // The length keeps two fields apart.
        hasher.update(&(field.len() as u64).to_le_bytes());
        hasher.update(field);
    };
    add(master.as_str().trim_end_matches('/').as_bytes());
    add(file.absolute.as_os_str().as_encoded_bytes());
    add(file.name.as_bytes());
    add(&file.size.to_le_bytes());
    add(&file.modified_nanoseconds().to_le_bytes());
    add(&[u8::from(may_replace)]);
    add(&number.to_le_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        time::{Duration, SystemTime},
    };

    use super::*;

    #[test]
    fn the_id_is_the_same_for_the_same_file_and_differs_in_everything_else() {
        let url = |text: &str| Url::parse(text).unwrap();
        let file = LocalFile {
            path: "a.csv".into(),
            absolute: "/home/a.csv".into(),
            name: "a.csv".into(),
            size: 5,
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_nanos(1)),
        };
        let master = url("http://m:5000");
        let id = upload_id(&master, &file, false, 0);
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
        assert_eq!(
            upload_id(&url("http://m:5000/"), &LocalFile { path: "./a.csv".into(), ..file.clone() }, false, 0),
            id
        );
        let mut ids = HashSet::from([id, upload_id(&master, &file, true, 0), upload_id(&master, &file, false, 1)]);
        let before = SystemTime::UNIX_EPOCH - Duration::from_nanos(1);
        for other in [
            LocalFile { absolute: "/home/b.csv".into(), ..file.clone() },
            LocalFile { name: "b.csv".into(), ..file.clone() },
            LocalFile { size: 6, ..file.clone() },
            LocalFile { modified: None, ..file.clone() },
            LocalFile { modified: Some(before), ..file.clone() },
        ] {
            ids.insert(upload_id(&master, &other, false, 0));
        }
        ids.insert(upload_id(&url("http://m:5000/path"), &file, false, 0));
        assert_eq!(ids.len(), 9);
    }
}
