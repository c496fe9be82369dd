//! Tests of the ledger's rules, by a clock that is only counted.

use std::time::UNIX_EPOCH;

use proptest::prelude::*;

use super::*;

const SETTLE: Duration = Duration::from_millis(250);

/// A ledger with a clock: `at` is milliseconds since the test began, and every file's times are long past.
struct Book {
    start: Instant,
    ledger: Ledger,
}

impl Book {
    fn new() -> Self {
        Self { start: Instant::now(), ledger: Ledger::new(SETTLE) }
    }

    fn ms(&self, at: u64) -> Instant {
        self.start + Duration::from_millis(at)
    }

    fn see(&mut self, path: &str, size: Option<u64>, at: u64) {
        let now = self.ms(at);
        self.ledger.observe(path, size.map(stat), now);
    }

    fn due(&self, at: u64) -> Vec<(String, Option<u64>)> {
        let due = self.ledger.due(self.ms(at));
        due.into_iter().map(|(path, seen)| (path, seen.map(|stat| stat.size))).collect()
    }

    /// Takes the content as the watching thread would: long after its times, unless `age` says how long after.
    fn accept(&mut self, path: &str, size: u64, hash: &str, age: Duration, at: u64) {
        let now = self.ms(at);
        let hashed = Hashed { hash: hash.to_owned(), stat: stat(size), began: UNIX_EPOCH + age };
        self.ledger.accept(path, hashed, now);
    }

    /// A look at everything: files with their sizes, and what cannot be read, where a folder ends in `/`.
    fn look(&mut self, files: &[(&str, u64)], unreadable: &[&str], at: u64) -> bool {
        let files = files.iter().map(|(path, size)| ((*path).to_owned(), stat(*size))).collect();
        let reasons = unreadable.iter().map(|path| ((*path).to_owned(), "denied".to_owned()));
        let (closed, unreadable) = reasons.partition(|(path, _)| path.ends_with('/'));
        let now = self.ms(at);
        self.ledger.observe_all(&Found { files, unreadable, closed, ..Found::default() }, now)
    }

    fn unreadable(&self) -> Vec<String> {
        self.ledger.unreadable().into_keys().collect()
    }

    fn held(&self) -> Vec<(String, String)> {
        self.ledger.entries().into_iter().map(|entry| (entry.path, entry.hash)).collect()
    }
}

/// Files of different sizes stand for different contents; all were written in 1970.
fn stat(size: u64) -> Stat {
    Stat { size, mtime_ns: 0, ctime_ns: 0, ino: 1 }
}

const OLD: Duration = Duration::from_secs(1000);

#[test]
fn a_new_file_is_due_once_it_was_quiet_for_a_settle() {
    let mut book = Book::new();
    book.see("a.csv", Some(1), 0);
    book.see("a.csv", Some(1), 100);
    assert_eq!(book.due(249), []);
    assert_eq!(book.due(250), [("a.csv".to_owned(), Some(1))]);
    book.see("a.csv", Some(2), 240);
    assert_eq!(book.due(489), [], "the change at 240 starts the wait anew");
    assert_eq!(book.due(490), [("a.csv".to_owned(), Some(2))]);
    assert_eq!(book.held(), [], "nothing is held before it was hashed");
}

#[test]
fn a_known_file_keeps_its_entry_while_it_changes() {
    let mut book = Book::new();
    book.accept("a.csv", 1, "one", OLD, 0);
    assert!(book.ledger.take_change());
    for at in (100..1000).step_by(100) {
        book.see("a.csv", Some(at), at);
        assert_eq!(book.due(at + 100), []);
    }
    assert_eq!(book.held(), [("a.csv".to_owned(), "one".to_owned())]);
    assert!(!book.ledger.take_change());
}

#[test]
fn a_file_that_comes_back_in_time_was_never_gone() {
    let mut book = Book::new();
    book.accept("a.csv", 1, "one", OLD, 0);
    book.see("a.csv", None, 100);
    book.see("a.csv", Some(1), 300);
    assert_eq!(book.due(10_000), []);
    assert!(!book.ledger.is_settling());
    book.see("a.csv", None, 400);
    assert_eq!(book.due(650), [("a.csv".to_owned(), None)]);
    assert_eq!(book.held().len(), 1, "a removal counts when the path was looked at again");
    book.ledger.remove("a.csv");
    assert_eq!(book.held(), []);
}

#[test]
fn a_removal_waits_for_what_came_meanwhile() {
    let mut book = Book::new();
    book.accept("old/a.csv", 1, "one", OLD, 0);
    book.see("old/a.csv", None, 0);
    book.see("new/a.csv", Some(1), 200);
    assert_eq!((book.due(449), book.ledger.next_due()), (vec![], Some(book.ms(450))));
    assert_eq!(book.due(450), [("new/a.csv".to_owned(), Some(1)), ("old/a.csv".to_owned(), None)]);
    book.see("new/a.csv", Some(2), 300);
    assert_eq!(book.due(499), [("old/a.csv".to_owned(), None)], "but not for one that does not rest");
}

#[test]
fn a_file_that_came_and_went_leaves_nothing() {
    let mut book = Book::new();
    book.see("a.csv", Some(1), 0);
    book.see("a.csv", None, 100);
    assert_eq!((book.due(10_000), book.ledger.next_due()), (vec![], None));
}

#[test]
fn a_file_hashed_too_soon_is_hashed_again() {
    let mut book = Book::new();
    book.accept("a.csv", 1, "one", Duration::from_millis(500), 0);
    assert_eq!(book.due(1500), []);
    assert_eq!(book.due(1501), [("a.csv".to_owned(), Some(1))], "2 s after its times");
    book.accept("a.csv", 1, "two", Duration::from_millis(2001), 1501);
    assert!(book.ledger.take_change(), "the same stat and another content is a change");
    assert_eq!((book.due(100_000), book.ledger.next_due()), (vec![], None));
}

#[test]
fn a_hint_makes_a_file_in_doubt_due_after_a_settle() {
    let mut book = Book::new();
    book.accept("a.csv", 1, "one", Duration::ZERO, 0);
    book.see("a.csv", Some(1), 100);
    assert_eq!(book.due(2000), [], "a look without a reason does not hash it early");
    let now = book.ms(100);
    book.ledger.doubt("a.csv", now);
    assert_eq!(book.due(349), []);
    assert_eq!(book.due(350), [("a.csv".to_owned(), Some(1))]);
    book.accept("b.csv", 1, "one", OLD, 0);
    book.ledger.doubt("b.csv", now);
    assert!(!book.due(10_000).iter().any(|(path, _)| path == "b.csv"), "an old file is known by its stat");
}

#[test]
fn touching_changes_the_stat_and_not_the_hash() {
    let mut book = Book::new();
    book.accept("a.csv", 1, "one", OLD, 0);
    assert!(book.ledger.take_change());
    book.accept("a.csv", 1, "one", OLD, 10);
    assert!(!book.ledger.take_change(), "hashing again finds nothing new");
}

#[test]
fn the_first_look_trusts_old_times_and_waits_for_the_rest() {
    let mut book = Book::new();
    let now = book.start;
    book.see("old.csv", Some(1), 0);
    let fresh = Stat { mtime_ns: 1_000_000_000_000, ..stat(2) };
    book.ledger.observe("fresh.csv", Some(fresh), now);
    book.ledger.trust_old_times(UNIX_EPOCH + Duration::from_secs(1000), now);
    assert_eq!(book.due(0), [("old.csv".to_owned(), Some(1))]);
    book.ledger.settle_all(now);
    assert_eq!(book.due(0).len(), 2);
}

#[test]
fn a_look_at_all_finds_what_is_missing() {
    let mut book = Book::new();
    book.accept("a.csv", 1, "one", OLD, 0);
    book.accept("b/c.csv", 2, "two", OLD, 0);
    book.see("d.csv", Some(1), 0);
    book.look(&[("a.csv", 1), ("e.csv", 9)], &[], 100);
    assert_eq!(book.due(350), [("b/c.csv".to_owned(), None), ("e.csv".to_owned(), Some(9))]);
    assert!(book.ledger.holds_below("b") && !book.ledger.holds_below("a.csv") && !book.ledger.holds_below("c"));
}

#[test]
fn a_file_that_cannot_be_read_is_neither_listed_nor_gone() {
    let mut book = Book::new();
    book.accept("a.csv", 1, "one", OLD, 0);
    book.accept("b.csv", 1, "one", OLD, 0);
    book.see("a.csv", Some(2), 0);
    let retry = book.ms(5000);
    book.ledger.set_unreadable("a.csv", "denied".to_owned(), Some((stat(2), retry)));
    assert!(book.ledger.take_change() && !book.ledger.is_settling());
    assert_eq!((book.unreadable(), book.held().len()), (vec!["a.csv".to_owned()], 1));
    book.see("a.csv", Some(2), 100);
    assert_eq!((book.due(4999), book.ledger.next_due()), (vec![], Some(retry)), "the same stat is no reason to retry");
    assert_eq!(book.due(5000), [("a.csv".to_owned(), Some(2))]);
    book.ledger.set_unreadable("a.csv", "denied".to_owned(), Some((stat(2), book.ms(9000))));
    assert!(!book.ledger.take_change(), "nothing new");
    book.see("a.csv", Some(3), 5100);
    assert_eq!(book.due(5350), [("a.csv".to_owned(), Some(3))], "another stat is");
    book.accept("a.csv", 3, "three", OLD, 5400);
    assert!(book.ledger.take_change() && book.unreadable().is_empty());
    assert_eq!(book.held().len(), 2);
}

#[test]
fn an_unreadable_file_that_goes_away_is_gone() {
    let mut book = Book::new();
    book.ledger.set_unreadable("a.csv", "denied".to_owned(), Some((stat(1), book.ms(9000))));
    book.ledger.set_unreadable("b.csv", "denied".to_owned(), None);
    book.look(&[], &[], 100);
    assert_eq!(book.unreadable().len(), 2, "a removal has to settle");
    assert_eq!(book.due(350), [("a.csv".to_owned(), None), ("b.csv".to_owned(), None)]);
    book.ledger.take_change();
    book.ledger.remove("a.csv");
    book.ledger.remove("b.csv");
    assert!(book.ledger.take_change() && book.unreadable().is_empty());
}

#[test]
fn nothing_below_a_folder_that_cannot_be_read_is_gone() {
    let mut book = Book::new();
    book.accept("sub/a.csv", 1, "one", OLD, 0);
    book.accept("sub/deep/b.csv", 1, "one", OLD, 0);
    book.accept("subtle.csv", 1, "one", OLD, 0);
    book.see("sub/new.csv", Some(1), 0);
    assert!(!book.look(&[("subtle.csv", 1)], &["sub/"], 100));
    assert!(!book.ledger.is_settling(), "what happens there is unknown");
    assert_eq!((book.unreadable(), book.due(10_000)), (vec!["sub/".to_owned()], vec![]));
    assert_eq!(book.held(), [("subtle.csv".to_owned(), "one".to_owned())]);
    assert!(book.ledger.take_change());
    book.look(&[("subtle.csv", 1)], &["sub/"], 200);
    assert!(!book.ledger.take_change(), "nothing new");
    let found = [("subtle.csv", 1), ("sub/deep/b.csv", 1), ("sub/new.csv", 1)];
    assert!(book.look(&found, &[], 300), "a folder is open again");
    assert!(book.ledger.take_change());
    assert_eq!(book.held().len(), 3, "known contents are known at once, a removal has to settle");
    assert_eq!(book.unreadable(), ["sub/new.csv"], "a file that was covered is not gone before it is hashed");
    assert_eq!(book.due(550), [("sub/a.csv".to_owned(), None), ("sub/new.csv".to_owned(), Some(1))]);
    book.accept("sub/new.csv", 1, "new", OLD, 600);
    assert_eq!((book.held().len(), book.unreadable()), (4, vec![]));
}

#[test]
fn a_file_that_could_not_be_looked_at_is_read_as_soon_as_it_can() {
    let mut book = Book::new();
    book.accept("a.csv", 1, "one", OLD, 0);
    book.look(&[], &["a.csv"], 100);
    assert_eq!((book.unreadable(), book.due(10_000)), (vec!["a.csv".to_owned()], vec![]));
    book.look(&[("a.csv", 1)], &[], 200);
    assert_eq!(book.due(450), [("a.csv".to_owned(), Some(1))]);
}

proptest! {
    /// Whatever was seen in between: once a path stays as it is, it is due a settle later unless it is what is held.
    #[test]
    fn the_last_look_decides(looks in proptest::collection::vec((proptest::option::of(0_u64..3), 0_u64..400), 1..30)) {
        let mut book = Book::new();
        book.accept("a.csv", 0, "zero", OLD, 0);
        let mut at = 0;
        let mut last = Some(0);
        let mut changed_at = 0;
        for (size, wait) in looks {
            at += wait;
            if size != last {
                changed_at = at;
            }
            last = size;
            book.see("a.csv", size, at);
        }
        let expect = if last == Some(0) { vec![] } else { vec![("a.csv".to_owned(), last)] };
        prop_assert_eq!(book.due(changed_at + 250), expect);
        prop_assert_eq!(book.due(changed_at + 249), vec![]);
    }
}
