//! `[results]`.

use std::time::Duration;

use super::load;
use crate::{ExportTimes, ResultsConfig};

#[test]
fn results_have_a_place_and_times() {
    let results = |lines: &str| load(&format!("[results]\n{lines}\n"), &[]).map(|config| config.results);
    assert_eq!(results(""), Ok(ResultsConfig::default()));
    let set = results("url = \"s3://bucket/a\"\nexport = \"changes\"").unwrap();
    assert_eq!((set.url.as_deref(), set.export), (Some("s3://bucket/a"), Some(ExportTimes::Changes)));
    let set = results("url = \"file:///srv/a\"\nexport = \"1h\"").unwrap();
    assert_eq!(set.export, Some(ExportTimes::Every(Duration::from_secs(3_600))));
    for (wrong, expect) in [
        ("url = \"https://bucket\"", "write s3://BUCKET"),
        ("url = \"s3://key:word@bucket\"", "AWS_SECRET_ACCESS_KEY"),
        ("export = \"changes\"", "set `url`"),
        ("export = \"1h\"\nurl = \"memory\"", "line 3"),
        ("export = \"often\"", "write \"changes\""),
        ("export = \"1s\"", "write \"1m\""),
    ] {
        let why = results(wrong).unwrap_err();
        assert!(why.contains("FILE, line ") && why.contains(expect) && !why.contains("word"), "{wrong}: {why}");
    }
}
