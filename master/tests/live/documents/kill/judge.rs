//! Judges what paths stand for in the end by what the clients were told.

use std::collections::BTreeMap;

use serde_json::Value;

use super::log::{Kind, Operation, PATHS, Told, has_sequences};

/// Reasons for the failure of a document that could be used.
const REASONS: [&str; 3] =
    ["another upload has taken its place", "it was cancelled", "the master stopped while receiving the file"];

pub(super) fn judge(operations: &[Operation], standing: &BTreeMap<&str, Value>) {
    operations.iter().for_each(judge_answer);
    for path in PATHS {
        let of_path: Vec<_> = operations.iter().filter(|operation| operation.path == path).collect();
        let path = Path { operations: of_path, document: standing.get(path) };
        if has_sequences(path.operations[0].path) { path.judge_by_sequence() } else { path.judge_by_arrival() }
    }
}

fn judge_answer(operation: &Operation) {
    let Kind::Send { is_feed, .. } = operation.kind else { return };
    match &operation.told {
        Told::Complete => assert!(is_feed, "no reader can use it: {operation:?}"),
        Told::Failed(why) if is_feed => {
            assert!(REASONS.iter().any(|reason| why.contains(reason)), "{operation:?}");
        }
        _ => {}
    }
}

/// A path in the end.
struct Path<'a> {
    operations: Vec<&'a Operation>,
    /// The document that it stands for.
    document: Option<&'a Value>,
}

impl Operation {
    fn is_feed(&self) -> bool {
        matches!(self.kind, Kind::Send { is_feed: true, .. })
    }

    fn is_no_feed(&self) -> bool {
        matches!(self.kind, Kind::Send { is_feed: false, .. })
    }

    fn takes_away(&self) -> bool {
        !matches!(self.kind, Kind::Send { .. }) && self.told != Told::Refused
    }

    /// Whether it may have brought this document.
    fn may_have_sent(&self, document: &Value) -> bool {
        let Kind::Send { id, hash, .. } = &self.kind else { return false };
        let is_it = id.as_ref().is_none_or(|id| document["id"] == **id);
        let never_came = self.told == Told::Refused || matches!(self.told, Told::Failed(_));
        is_it && document["hash"] == **hash && !never_came
    }
}

impl<'a> Path<'a> {
    fn all(&self, is: impl Fn(&Operation) -> bool) -> impl Iterator<Item = &'a Operation> {
        self.operations.iter().copied().filter(move |operation| is(operation))
    }

    /// The operations that may have brought what it stands for.
    fn senders(&self) -> Vec<&'a Operation> {
        let Some(document) = self.document else { return Vec::new() };
        let known: Vec<_> = self.all(|operation| operation.may_have_sent(document)).collect();
        assert!(!known.is_empty(), "nobody has sent {document}");
        known
    }

    fn judge_by_arrival(&self) {
        let senders = self.senders();
        // What it stands for came before this moment, if it stands for anything.
        let latest = senders.iter().map(|sender| sender.last).max().unwrap_or_default();
        let last = |is: fn(&Operation) -> bool| self.all(is).map(|operation| operation.last).max().unwrap_or_default();
        let (last_undone, last_no_feed) = (last(Operation::takes_away), last(Operation::is_no_feed));
        for later in self.all(|operation| operation.first > latest) {
            let may_be_undone = last_undone > later.first;
            let may_be_overtaken = last_no_feed > later.first;
            match (&later.kind, &later.told) {
                // A complete one leaves nothing of those before it.
                (Kind::Send { .. }, Told::Complete) => {
                    assert!(self.document.is_none() && may_be_undone, "lost: {later:?}; there is {:?}", self.document);
                }
                (Kind::Send { is_feed: true, .. }, Told::Stored) => {
                    assert!(may_be_undone || may_be_overtaken, "lost: {later:?}; there is {:?}", self.document);
                }
                (Kind::Remove, Told::Complete) => {
                    assert!(self.document.is_none(), "{:?} is back after {later:?}", self.document);
                }
                (Kind::Cancel(id), Told::Complete) => {
                    let document = self.document.filter(|document| document["id"] == **id);
                    assert!(document.is_none(), "{document:?} is back after {later:?}");
                }
                _ => {}
            }
        }
    }

    fn judge_by_sequence(&self) {
        let (senders, refused) = (self.senders(), |operation: &Operation| operation.told == Told::Refused);
        let greatest = |is: &dyn Fn(&Operation) -> bool| self.all(is).filter_map(|operation| operation.sequence).max();
        let stands = self.document.map(|document| document["sequence"].as_i64().unwrap());
        assert!(stands.is_none_or(|stands| senders.iter().any(|sender| sender.sequence == Some(stands))), "{stands:?}");
        // One that was complete goes only by a greater sequence.
        let complete = greatest(&|operation| operation.is_feed() && operation.told == Told::Complete);
        let removal = greatest(&|operation| operation.takes_away());
        assert!(stands.max(removal) >= complete, "{complete:?} is lost; there is {:?}", self.document);
        assert!(stands.is_none() || stands >= complete, "{stands:?} is older than {complete:?}");
        if self.all(Operation::is_no_feed).next().is_some() {
            return;
        }
        // All could be used, so the greatest counts of which anything is known, or a greater one without an answer.
        let known = greatest(&|operation| operation.told != Told::Nothing);
        let possible = self.all(|operation| operation.sequence >= known && !refused(operation));
        match self.document {
            Some(_) => assert!(stands >= known, "{stands:?} is older than {known:?}"),
            None => assert!(possible.into_iter().any(|operation| operation.takes_away()), "{known:?} is lost"),
        }
    }
}
