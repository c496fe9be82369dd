//! Compares the manifest with a model of the folder, after any changes.

use std::{collections::BTreeMap, fs, path::Path};

use proptest::prelude::*;

use crate::support::{Watched, write};

#[derive(Debug, Clone)]
enum Action {
    Write(usize, u8),
    Remove(usize),
    Rename(usize, usize),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        (0..4_usize, any::<u8>()).prop_map(|(at, content)| Action::Write(at, content)),
        (0..4_usize).prop_map(Action::Remove),
        (0..4_usize, 0..4_usize).prop_map(|(from, to)| Action::Rename(from, to)),
    ]
}

const PATHS: [&str; 4] = ["a.csv", "b.csv", "sub/c.csv", "sub/d.tmp"];

fn act(dir: &Path, model: &mut BTreeMap<usize, String>, action: Action) {
    match action {
        Action::Write(at, content) => {
            let content = format!("{content:03}");
            write(dir, PATHS[at], &content);
            model.insert(at, content);
        }
        Action::Remove(at) => {
            if model.remove(&at).is_some() {
                fs::remove_file(dir.join(PATHS[at])).unwrap();
            }
        }
        Action::Rename(from, to) => {
            if let Some(content) = model.remove(&from) {
                fs::create_dir_all(dir.join("sub")).unwrap();
                fs::rename(dir.join(PATHS[from]), dir.join(PATHS[to])).unwrap();
                model.insert(to, content);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// After any changes, the manifest ends up with what the folder holds.
    #[test]
    fn the_manifest_ends_up_with_what_is_there(bursts in proptest::collection::vec(proptest::collection::vec(action(), 1..6), 1..4)) {
        let mut watched = Watched::of(&[]);
        let mut model = BTreeMap::new();
        for burst in bursts {
            for action in burst {
                act(watched.dir.path(), &mut model, action);
            }
            let expect: Vec<(&str, &str)> =
                model.iter().filter(|(at, _)| **at < 3).map(|(at, content)| (PATHS[*at], content.as_str())).collect();
            watched.holds(&expect);
        }
    }
}
