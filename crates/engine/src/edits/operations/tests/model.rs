//! A model of operations that shares no code with the engine, and histories for both.

use std::collections::{BTreeMap, HashSet};

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{Operation, OperationChange, OperationMessage, OperationOutcome};

/// All skus, in order. The first two are offered.
pub(super) const SKUS: [&str; 4] = ["a", "b", "c", "d"];

/// Texts by column.
pub(super) type Columns = BTreeMap<String, String>;

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Edit {
    pub(super) texts: Columns,
    pub(super) hidden: bool,
    pub(super) stands: bool,
}

#[derive(Debug, Clone)]
pub(super) struct History {
    /// Edits that are there at first.
    pub(super) edits: BTreeMap<String, Edit>,
    pub(super) batches: Vec<Vec<Sent>>,
}

/// A message, as the model understands it.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    id: Option<u8>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    Upsert(&'static str, Vec<(&'static str, Option<String>)>),
    Delete(&'static str),
    /// An operation that no one can use.
    Wrong(Operation),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Applied,
    Repeated,
    Refused,
}

impl Kind {
    pub(super) fn of(outcome: &OperationOutcome) -> Self {
        match outcome {
            OperationOutcome::Applied => Self::Applied,
            OperationOutcome::Repeated => Self::Repeated,
            OperationOutcome::Refused(_) => Self::Refused,
        }
    }
}

impl Sent {
    /// The message for the engine, with white space that is trimmed.
    pub(super) fn sent(&self, prefix: &str) -> OperationMessage {
        let operation = |step: &Step| match step {
            Step::Upsert(sku, texts) => {
                let padded = |name: &str, text: &String| match name {
                    "description" => text.clone(),
                    _ => format!(" {text}\n"),
                };
                let texts =
                    texts.iter().map(|(name, text)| ((*name).to_owned(), text.as_ref().map(|text| padded(name, text))));
                Operation { sku: format!("{sku} "), change: OperationChange::Upsert(texts.collect()) }
            }
            Step::Delete(sku) => Operation { sku: (*sku).to_owned(), change: OperationChange::Delete },
            Step::Wrong(operation) => operation.clone(),
        };
        let id = self.id.map(|id| format!("{prefix}{id}"));
        OperationMessage { id, operations: self.steps.iter().map(operation).collect() }
    }
}

pub(super) struct Model {
    pub(super) edits: BTreeMap<String, Edit>,
    known: HashSet<u8>,
}

impl Model {
    pub(super) fn new(edits: BTreeMap<String, Edit>) -> Self {
        Self { edits, known: HashSet::new() }
    }

    pub(super) fn apply(&mut self, message: &Sent) -> Kind {
        if message.id.is_some_and(|id| self.known.contains(&id)) {
            return Kind::Repeated;
        }
        if message.steps.iter().any(|step| matches!(step, Step::Wrong(_))) {
            return Kind::Refused;
        }
        self.known.extend(message.id);
        message.steps.iter().for_each(|step| self.step(step));
        Kind::Applied
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Delete(sku) => {
                let hidden = Edit { hidden: true, ..Edit::default() };
                self.edits.insert((*sku).to_owned(), hidden);
            }
            Step::Upsert(sku, texts) => {
                let edit = self.edits.entry((*sku).to_owned()).or_default();
                if edit.hidden {
                    *edit = Edit::default();
                }
                edit.stands = true;
                for (column, text) in texts {
                    match text {
                        Some(text) => edit.texts.insert((*column).to_owned(), text.clone()),
                        None => edit.texts.remove(*column),
                    };
                }
            }
            Step::Wrong(_) => unreachable!("its message is refused"),
        }
    }

    pub(super) fn products(&self) -> BTreeMap<String, Columns> {
        SKUS.iter().filter_map(|sku| Some(((*sku).to_owned(), self.product(sku)?))).collect()
    }

    fn product(&self, sku: &str) -> Option<Columns> {
        let offered = match sku {
            "a" => Some(["Pen", "blue", "1", "Acme"]),
            "b" => Some(["Ink", "", "2", ""]),
            _ => None,
        };
        let edit = self.edits.get(sku).cloned().unwrap_or_default();
        if edit.hidden || (offered.is_none() && !edit.stands) {
            return None;
        }
        let mut shown: Columns =
            COLUMNS.iter().zip(offered.unwrap_or_default()).map(|(name, text)| ((*name).into(), text.into())).collect();
        shown.extend(edit.texts);
        Some(shown)
    }

    pub(super) fn names(&self) -> BTreeMap<String, i64> {
        let mut names = BTreeMap::new();
        for product in self.products().into_values() {
            *names.entry(product["name"].clone()).or_default() += 1;
        }
        names
    }
}

const COLUMNS: [&str; 4] = ["name", "description", "price", "brand"];

fn text() -> impl Strategy<Value = String> {
    select(vec!["", "Pen", "Ink", "\"x\"", "1"]).prop_map(str::to_owned)
}

fn wrong() -> impl Strategy<Value = Operation> {
    let upsert = |sku: &str, column: &str, text: &str| Operation {
        sku: sku.to_owned(),
        change: OperationChange::Upsert(vec![(column.to_owned(), Some(text.to_owned()))]),
    };
    let deleted = |sku: &str| Operation { sku: sku.to_owned(), change: OperationChange::Delete };
    select(vec![
        upsert("", "name", "n"),
        upsert("a", "color", "red"),
        upsert("a", "name", &"n".repeat(2_049)),
        upsert("a", "brand", "a\0b"),
        deleted(&"s".repeat(1_025)),
        deleted("\u{a0}"),
    ])
}

fn step() -> impl Strategy<Value = Step> {
    let texts = vec((select(COLUMNS.to_vec()), option::weighted(0.7, text())), 0..4);
    let sku = || select(SKUS.to_vec());
    prop_oneof![
        12 => (sku(), texts).prop_map(|(sku, texts)| Step::Upsert(sku, texts)),
        4 => sku().prop_map(Step::Delete),
        1 => wrong().prop_map(Step::Wrong),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    let texts = proptest::collection::btree_map(select(COLUMNS.to_vec()).prop_map(str::to_owned), text(), 1..3);
    let flags = select(vec![(false, false), (true, false), (false, true)]);
    (texts, flags).prop_map(|(texts, (hidden, stands))| Edit { texts, hidden, stands })
}

pub(super) fn history() -> impl Strategy<Value = History> {
    let edits = proptest::collection::btree_map(select(SKUS.to_vec()).prop_map(str::to_owned), edit(), 0..3);
    let message = (option::weighted(0.8, 0..12_u8), vec(step(), 0..4)).prop_map(|(id, steps)| Sent { id, steps });
    (edits, vec(vec(message, 1..8), 1..5)).prop_map(|(edits, batches)| History { edits, batches })
}
