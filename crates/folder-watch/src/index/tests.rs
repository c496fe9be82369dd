//! The index's rules, by a simulated clock.

use std::time::UNIX_EPOCH;

use proptest::prelude::*;

use super::*;

const SETTLE: Duration = Duration::from_millis(250);
const MAX_SETTLE: Duration = Duration::from_secs(10);

/// An index with a simulated clock: `at` is milliseconds since the test began, and every file's times are long past.
struct TestIndex {
    start: Instant,
    index: Index,
}

impl TestIndex {
    fn new() -> Self {
        Self { start: Instant::now(), index: Index::new(SETTLE, MAX_SETTLE) }
    }

    fn ms(&self, at: u64) -> Instant {
        self.start + Duration::from_millis(at)
    }

    fn see(&mut self, path: &str, size: Option<u64>, at: u64) {
        let now = self.ms(at);
        self.index.observe(path, size.map(stat), now);
    }

    fn due(&self, at: u64) -> Vec<(String, Option<u64>)> {
        let due = self.index.due(self.ms(at));
        due.into_iter().map(|(path, seen)| (path, seen.map(|stat| stat.size))).collect()
    }

    /// Accepts a content as the watching thread would, `age` after its times.
    fn accept(&mut self, path: &str, size: u64, hash: &str, age: Duration, at: u64) {
        let now = self.ms(at);
        let hashed = Hashed::whole(hash.to_owned(), stat(size), UNIX_EPOCH + age);
        self.index.accept(path, hashed, now);
    }

    /// Scans: files with their sizes, and what cannot be read, where a folder's path ends in `/`.
    fn scan(&mut self, files: &[(&str, u64)], unreadable: &[&str], at: u64) -> bool {
        let files = files.iter().map(|(path, size)| ((*path).to_owned(), stat(*size))).collect();
        let reasons = unreadable.iter().map(|path| ((*path).to_owned(), "denied".to_owned()));
        let (closed, unreadable) = reasons.partition(|(path, _)| path.ends_with('/'));
        let now = self.ms(at);
        self.index.observe_all(&Scan { files, unreadable, closed, ..Scan::default() }, now)
    }

    fn unreadable(&self) -> Vec<String> {
        self.index.unreadable().into_keys().collect()
    }

    fn first(&self) -> Entry {
        self.index.entries().iter().next().unwrap().clone()
    }

    fn settled(&self) -> Vec<(String, String)> {
        self.index.entries().iter().map(|entry| (entry.path.clone(), entry.hash.clone())).collect()
    }
}

/// Files of different sizes stand for different contents; all were written in 1970.
fn stat(size: u64) -> Stat {
    Stat { size, mtime_ns: 0, ctime_ns: 0, ino: 1 }
}

const OLD: Duration = Duration::from_secs(1000);

#[test]
fn a_new_file_is_due_once_it_was_quiet_for_a_settle() {
    let mut folder = TestIndex::new();
    folder.see("a.csv", Some(1), 0);
    folder.see("a.csv", Some(1), 100);
    assert_eq!(folder.due(249), []);
    assert_eq!(folder.due(250), [("a.csv".to_owned(), Some(1))]);
    folder.see("a.csv", Some(2), 240);
    assert_eq!(folder.due(489), [], "the change at 240 restarts the wait");
    assert_eq!(folder.due(490), [("a.csv".to_owned(), Some(2))]);
    assert_eq!(folder.settled(), [], "nothing is settled before it was hashed");
}

/// Offers the first bytes of a file that is being written.
fn cut(folder: &mut TestIndex, size: u64, hash: &str, at: u64) {
    let now = folder.ms(at);
    folder.index.accept("a.csv", Hashed::part(hash.to_owned(), stat(size + 1), size), now);
    folder.index.postpone("a.csv", Overdue { at: now + MAX_SETTLE, finally: false, waits: false });
}

#[test]
fn a_file_that_never_rests_is_overdue_after_the_longest_wait() {
    let mut folder = TestIndex::new();
    let overdue = |folder: &TestIndex, at: u64| {
        folder
            .index
            .overdue(folder.ms(at))
            .into_iter()
            .map(|file| file.known.map(|known| known.size))
            .collect::<Vec<_>>()
    };
    for at in (0..=9_900).step_by(100) {
        folder.see("a.csv", Some(at), at);
        assert_eq!((folder.due(at), overdue(&folder, at)), (vec![], vec![]));
    }
    assert_eq!(folder.index.next_due(), Some(folder.ms(10_000)), "before it is due at 10,150");
    assert_eq!(overdue(&folder, 10_000), [None]);
    cut(&mut folder, 90, "part", 10_000);
    assert_eq!((folder.settled().len(), folder.first().size), (1, 90));
    assert!(folder.index.take_change() && folder.first().is_partial);
    for at in (10_100..20_000).step_by(100) {
        folder.see("a.csv", Some(at), at);
        assert_eq!((folder.due(at), overdue(&folder, at)), (vec![], vec![]));
    }
    assert_eq!(overdue(&folder, 20_000), [Some(90)]);
    assert_eq!((overdue(&folder, 20_150), folder.due(20_150).len()), (vec![], 1), "by then it is quiet");
    folder.accept("a.csv", 19_900, "whole", OLD, 20_150);
    assert!(folder.index.take_change() && !folder.first().is_partial);
    assert_eq!((folder.index.next_due(), folder.index.waiting()), (None, 0));
}

#[test]
fn a_partial_file_is_hashed_whole_once_it_is_quiet() {
    let mut folder = TestIndex::new();
    folder.see("a.csv", Some(91), 0);
    cut(&mut folder, 90, "part", 100);
    folder.see("a.csv", Some(91), 200);
    assert_eq!(folder.due(349), []);
    assert_eq!(folder.due(350), [("a.csv".to_owned(), Some(91))], "its stat is known, its content is not");
    folder.see("b.csv", None, 0);
    assert_eq!(folder.index.overdue(folder.ms(100_000)).len(), 0, "due files and missing ones are not overdue");
}

#[test]
fn files_that_wait_are_counted() {
    let mut folder = TestIndex::new();
    folder.see("a.csv", Some(1), 0);
    assert_eq!(folder.index.waiting(), 0);
    let at = folder.ms(10);
    folder.index.postpone("a.csv", Overdue { at, finally: true, waits: true });
    folder.see("a.csv", Some(2), 10);
    assert_eq!((folder.index.waiting(), folder.index.overdue(at)[0].finally), (1, true));
    folder.see("a.csv", None, 20);
    assert_eq!(folder.index.waiting(), 0);
}

#[test]
fn a_file_that_lost_more_than_half_settles_ten_times_as_long() {
    let mut folder = TestIndex::new();
    folder.accept("a.csv", 1000, "one", OLD, 0);
    folder.see("a.csv", Some(500), 0);
    assert_eq!(folder.due(250), [("a.csv".to_owned(), Some(500))]);
    folder.see("a.csv", Some(499), 300);
    assert_eq!((folder.due(2799), folder.index.next_due()), (vec![], Some(folder.ms(2800))));
    assert_eq!(folder.due(2800), [("a.csv".to_owned(), Some(499))]);
    folder.see("a.csv", Some(900), 2790);
    assert_eq!(folder.due(3040), [("a.csv".to_owned(), Some(900))], "a complete file need not wait");
}

#[test]
fn a_known_file_keeps_its_entry_while_it_changes() {
    let mut folder = TestIndex::new();
    folder.accept("a.csv", 1, "one", OLD, 0);
    assert!(folder.index.take_change());
    for at in (100..1000).step_by(100) {
        folder.see("a.csv", Some(at), at);
        assert_eq!(folder.due(at + 100), []);
    }
    assert_eq!(folder.settled(), [("a.csv".to_owned(), "one".to_owned())]);
    assert!(!folder.index.take_change());
}

#[test]
fn a_file_that_comes_back_in_time_was_never_gone() {
    let mut folder = TestIndex::new();
    folder.accept("a.csv", 1, "one", OLD, 0);
    folder.see("a.csv", None, 100);
    folder.see("a.csv", Some(1), 300);
    assert_eq!(folder.due(10_000), []);
    assert!(!folder.index.is_settling());
    folder.see("a.csv", None, 400);
    assert_eq!(folder.due(650), [("a.csv".to_owned(), None)]);
    assert_eq!(folder.settled().len(), 1, "a removal counts when the path was seen again");
    folder.index.remove("a.csv");
    assert_eq!(folder.settled(), []);
}

#[test]
fn a_removal_waits_for_what_came_meanwhile() {
    let mut folder = TestIndex::new();
    folder.accept("old/a.csv", 1, "one", OLD, 0);
    folder.see("old/a.csv", None, 0);
    folder.see("new/a.csv", Some(1), 200);
    assert_eq!((folder.due(449), folder.index.next_due()), (vec![], Some(folder.ms(450))));
    assert_eq!(folder.due(450), [("new/a.csv".to_owned(), Some(1)), ("old/a.csv".to_owned(), None)]);
    folder.see("new/a.csv", Some(2), 300);
    assert_eq!(folder.due(499), [("old/a.csv".to_owned(), None)], "but not for one that does not rest");
}

#[test]
fn a_file_that_came_and_went_leaves_nothing() {
    let mut folder = TestIndex::new();
    folder.see("a.csv", Some(1), 0);
    folder.see("a.csv", None, 100);
    assert_eq!((folder.due(10_000), folder.index.next_due()), (vec![], None));
}

#[test]
fn a_file_hashed_too_soon_is_hashed_again() {
    let mut folder = TestIndex::new();
    folder.accept("a.csv", 1, "one", Duration::from_millis(500), 0);
    assert_eq!(folder.due(1500), []);
    assert_eq!(folder.due(1501), [("a.csv".to_owned(), Some(1))], "2 s after its times");
    folder.accept("a.csv", 1, "two", Duration::from_millis(2001), 1501);
    assert!(folder.index.take_change(), "the same stat and another content is a change");
    assert_eq!((folder.due(100_000), folder.index.next_due()), (vec![], None));
}

#[test]
fn a_hint_makes_a_racy_file_due_after_a_settle() {
    let mut folder = TestIndex::new();
    folder.accept("a.csv", 1, "one", Duration::ZERO, 0);
    folder.see("a.csv", Some(1), 100);
    assert_eq!(folder.due(2000), [], "an observation without a hint does not hash it early");
    let now = folder.ms(100);
    folder.index.recheck_soon("a.csv", now);
    assert_eq!(folder.due(349), []);
    assert_eq!(folder.due(350), [("a.csv".to_owned(), Some(1))]);
    folder.accept("b.csv", 1, "one", OLD, 0);
    folder.index.recheck_soon("b.csv", now);
    assert!(!folder.due(10_000).iter().any(|(path, _)| path == "b.csv"), "an old file is known by its stat");
}

#[test]
fn touching_changes_the_stat_and_not_the_hash() {
    let mut folder = TestIndex::new();
    folder.accept("a.csv", 1, "one", OLD, 0);
    assert!(folder.index.take_change());
    folder.accept("a.csv", 1, "one", OLD, 10);
    assert!(!folder.index.take_change(), "hashing again finds nothing new");
}

#[test]
fn the_first_scan_trusts_old_times_and_waits_for_the_rest() {
    let mut folder = TestIndex::new();
    let now = folder.start;
    folder.see("old.csv", Some(1), 0);
    let fresh = Stat { mtime_ns: 1_000_000_000_000, ..stat(2) };
    folder.index.observe("fresh.csv", Some(fresh), now);
    folder.index.trust_old_times(UNIX_EPOCH + Duration::from_secs(1000), now);
    assert_eq!(folder.due(0), [("old.csv".to_owned(), Some(1))]);
    folder.index.settle_all(now);
    assert_eq!(folder.due(0).len(), 2);
}

#[test]
fn a_scan_finds_what_is_missing() {
    let mut folder = TestIndex::new();
    folder.accept("a.csv", 1, "one", OLD, 0);
    folder.accept("b/c.csv", 2, "two", OLD, 0);
    folder.see("d.csv", Some(1), 0);
    folder.scan(&[("a.csv", 1), ("e.csv", 9)], &[], 100);
    assert_eq!(folder.due(350), [("b/c.csv".to_owned(), None), ("e.csv".to_owned(), Some(9))]);
    assert!(folder.index.holds_below("b") && !folder.index.holds_below("a.csv") && !folder.index.holds_below("c"));
}

#[test]
fn a_file_that_cannot_be_read_is_neither_listed_nor_gone() {
    let mut folder = TestIndex::new();
    folder.accept("a.csv", 1, "one", OLD, 0);
    folder.accept("b.csv", 1, "one", OLD, 0);
    folder.see("a.csv", Some(2), 0);
    let retry = folder.ms(5000);
    folder.index.set_unreadable("a.csv", "denied".to_owned(), Some((stat(2), retry)));
    assert!(folder.index.take_change() && !folder.index.is_settling());
    assert_eq!((folder.unreadable(), folder.settled().len()), (vec!["a.csv".to_owned()], 1));
    folder.see("a.csv", Some(2), 100);
    assert_eq!(
        (folder.due(4999), folder.index.next_due()),
        (vec![], Some(retry)),
        "the same stat is no reason to retry"
    );
    assert_eq!(folder.due(5000), [("a.csv".to_owned(), Some(2))]);
    folder.index.set_unreadable("a.csv", "denied".to_owned(), Some((stat(2), folder.ms(9000))));
    assert!(!folder.index.take_change(), "nothing new");
    folder.see("a.csv", Some(3), 5100);
    assert_eq!(folder.due(5350), [("a.csv".to_owned(), Some(3))], "another stat is");
    folder.accept("a.csv", 3, "three", OLD, 5400);
    assert!(folder.index.take_change() && folder.unreadable().is_empty());
    assert_eq!(folder.settled().len(), 2);
}

#[test]
fn an_unreadable_file_that_goes_away_is_gone() {
    let mut folder = TestIndex::new();
    folder.index.set_unreadable("a.csv", "denied".to_owned(), Some((stat(1), folder.ms(9000))));
    folder.index.set_unreadable("b.csv", "denied".to_owned(), None);
    folder.scan(&[], &[], 100);
    assert_eq!(folder.unreadable().len(), 2, "a removal has to settle");
    assert_eq!(folder.due(350), [("a.csv".to_owned(), None), ("b.csv".to_owned(), None)]);
    folder.index.take_change();
    folder.index.remove("a.csv");
    folder.index.remove("b.csv");
    assert!(folder.index.take_change() && folder.unreadable().is_empty());
}

#[test]
fn nothing_below_a_folder_that_cannot_be_read_is_gone() {
    let mut folder = TestIndex::new();
    folder.accept("sub/a.csv", 1, "one", OLD, 0);
    folder.accept("sub/deep/b.csv", 1, "one", OLD, 0);
    folder.accept("subtle.csv", 1, "one", OLD, 0);
    folder.see("sub/new.csv", Some(1), 0);
    assert!(!folder.scan(&[("subtle.csv", 1)], &["sub/"], 100));
    assert!(!folder.index.is_settling(), "what happens there is unknown");
    assert_eq!((folder.unreadable(), folder.due(10_000)), (vec!["sub/".to_owned()], vec![]));
    assert_eq!(folder.settled(), [("subtle.csv".to_owned(), "one".to_owned())]);
    assert!(folder.index.take_change());
    folder.scan(&[("subtle.csv", 1)], &["sub/"], 200);
    assert!(!folder.index.take_change(), "nothing new");
    let found = [("subtle.csv", 1), ("sub/deep/b.csv", 1), ("sub/new.csv", 1)];
    assert!(folder.scan(&found, &[], 300), "a folder is open again");
    assert!(folder.index.take_change());
    assert_eq!(folder.settled().len(), 3, "known contents are known at once, a removal has to settle");
    assert_eq!(folder.unreadable(), ["sub/new.csv"], "a file that was covered is not gone before it is hashed");
    assert_eq!(folder.due(550), [("sub/a.csv".to_owned(), None), ("sub/new.csv".to_owned(), Some(1))]);
    folder.accept("sub/new.csv", 1, "new", OLD, 600);
    assert_eq!((folder.settled().len(), folder.unreadable()), (4, vec![]));
}

#[test]
fn a_file_that_could_not_be_statted_is_read_as_soon_as_it_can() {
    let mut folder = TestIndex::new();
    folder.accept("a.csv", 1, "one", OLD, 0);
    folder.scan(&[], &["a.csv"], 100);
    assert_eq!((folder.unreadable(), folder.due(10_000)), (vec!["a.csv".to_owned()], vec![]));
    folder.scan(&[("a.csv", 1)], &[], 200);
    assert_eq!(folder.due(450), [("a.csv".to_owned(), Some(1))]);
}

proptest! {
    /// Once a path stays as it is, it is due a settle later unless that is what is settled, whatever was seen in between.
    #[test]
    fn the_last_observation_decides(observations in proptest::collection::vec((proptest::option::of(0_u64..3), 0_u64..400), 1..30)) {
        let mut folder = TestIndex::new();
        folder.accept("a.csv", 0, "zero", OLD, 0);
        let mut at = 0;
        let mut last = Some(0);
        let mut changed_at = 0;
        for (size, wait) in observations {
            at += wait;
            if size != last {
                changed_at = at;
            }
            last = size;
            folder.see("a.csv", size, at);
        }
        let expect = if last == Some(0) { vec![] } else { vec![("a.csv".to_owned(), last)] };
        prop_assert_eq!(folder.due(changed_at + 250), expect);
        prop_assert_eq!(folder.due(changed_at + 249), vec![]);
    }
}
