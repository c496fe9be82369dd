//! The invariant: whatever happens to folders, sources, configuration and edits, after a run both tables are what a plain
//! model computes from what there is.

mod replay;

use std::{
    fs,
    time::{Duration, SystemTime},
};

use proptest::{prelude::*, sample::Index};

use crate::{
    model::{Catalog, EditRequest, Model, Source, files, texts},
    system::System,
};

#[derive(Debug, Clone)]
enum Action {
    /// Create a file or rewrite it in place.
    Write(Index, Index, String),
    /// Put a new file in the place of another by renaming.
    Replace(Index, Index, String),
    /// Cut a file off after so many bytes of its first line, or entirely.
    Truncate(Index, Index, bool),
    Rename(Index, Index, Index),
    Delete(Index, Index),
    /// Put back what the file held at first.
    Revert(Index, Index),
    Touch(Index, Index),
    RestartSource(Index),
    AddSource(String, i64),
    RemoveSource(Index),
    RenameSource(Index, String),
    SwapPriorities(Index, Index),
    SwapPlaces(Index, Index),
    /// Let `title` stand for `name`, or no longer.
    MapColumns(Index),
    /// Another catalog.
    Configure(Catalog),
    Edit(String, EditRequest),
    StartMaster,
    /// SIGTERM.
    StopMaster,
    /// SIGKILL.
    KillMaster,
}

const PATHS: [&str; 4] = ["a.csv", "b.csv", "c.txt", "é.csv"];

fn sku() -> impl Strategy<Value = String> {
    "s[0-9]"
}

/// A feed of a few rows, now and then without the column that a mapping needs, without some own columns, or without a sku column at
/// all.
fn feed() -> impl Strategy<Value = String> {
    let row = (
        sku(),
        "n[0-3]",
        "t[0-3]",
        "(|d|a,b|say \"x\"|two\nlines| kept )",
        prop_oneof![6 => Just(""), 1 => Just("delete"), 1 => Just("upsert")],
        prop_oneof![8 => "(|1|2|10)", 1 => "(-1|x)"],
        "(|b[0-1])",
        prop_oneof![8 => "(|1|2|3)", 1 => "soon"],
    );
    (proptest::collection::vec(row, 0..9), 0..12u8, any::<bool>()).prop_map(|(rows, header, is_full)| {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let sku = if header == 0 { "code" } else { "sku" };
        let title = if header < 3 { "other" } else { "title" };
        let cells = if is_full { 8 } else { 6 };
        writer.write_record(&[title, "description", sku, "op", "name", "price", "brand", "stamp"][..cells]).unwrap();
        for (sku, name, title, description, op, price, brand, stamp) in &rows {
            let sku = format!(" {sku}");
            writer.write_record(&[title, description, &sku, *op, name, price, brand, stamp][..cells]).unwrap();
        }
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    })
}

fn catalog() -> impl Strategy<Value = Catalog> {
    use proptest::{
        bool::weighted,
        sample::{select, subsequence},
    };
    let own = select(vec![vec![], vec!["price"], vec!["brand"], vec!["price", "brand"], vec!["brand", "price"]]);
    let from = |column: &'static str| {
        let sources = subsequence(vec!["x".to_owned(), "y".to_owned(), "u".to_owned()], 0..3);
        (weighted(0.4), sources).prop_map(move |(is_set, sources)| (column, if is_set { sources } else { Vec::new() }))
    };
    (own, weighted(0.4), weighted(0.4), [from("price"), from("description")], weighted(0.3))
        .prop_map(|(own, check, newest, from, by_price)| Catalog { own, check, newest, from: from.into(), by_price })
}

fn edit_request() -> impl Strategy<Value = EditRequest> {
    use EditRequest::*;
    let text = || "[ef][0-3]";
    let column = prop_oneof![2 => Just("name"), 2 => Just("description"), 1 => Just("price"), 1 => Just("brand")];
    let columns =
        proptest::collection::btree_map(column.clone().prop_map(str::to_owned), proptest::option::of(text()), 0..3);
    let fields = proptest::collection::btree_map(column.prop_map(str::to_owned), "(|g[0-3])", 0..3);
    prop_oneof![
        2 => (text(), text(), proptest::option::weighted(0.3, text())).prop_map(|(name, description, price)| Put(name, description, price)),
        2 => columns.prop_map(Patch),
        2 => ("h[0-3]", fields).prop_map(|(name, mut fields)| {
            // A form without any text changes nothing.
            if fields.values().all(String::is_empty) {
                fields.insert("name".into(), name);
            }
            Form(fields)
        }),
        2 => Just(Delete),
        2 => Just(DeleteEdit),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    use Action::*;
    let i = any::<Index>;
    prop_oneof![
        6 => (i(), i(), feed()).prop_map(|(a, b, c)| Write(a, b, c)),
        3 => (i(), i(), feed()).prop_map(|(a, b, c)| Replace(a, b, c)),
        1 => (i(), i(), any::<bool>()).prop_map(|(a, b, c)| Truncate(a, b, c)),
        2 => (i(), i(), i()).prop_map(|(a, b, c)| Rename(a, b, c)),
        2 => (i(), i()).prop_map(|(a, b)| Delete(a, b)),
        2 => (i(), i()).prop_map(|(a, b)| Revert(a, b)),
        1 => (i(), i()).prop_map(|(a, b)| Touch(a, b)),
        1 => i().prop_map(RestartSource),
        1 => ("[u-z]", -1..2i64).prop_map(|(a, b)| AddSource(a, b)),
        1 => i().prop_map(RemoveSource),
        1 => (i(), "[u-z]").prop_map(|(a, b)| RenameSource(a, b)),
        1 => (i(), i()).prop_map(|(a, b)| SwapPriorities(a, b)),
        1 => (i(), i()).prop_map(|(a, b)| SwapPlaces(a, b)),
        1 => i().prop_map(MapColumns),
        3 => catalog().prop_map(Configure),
        8 => (sku(), edit_request()).prop_map(|(a, b)| Edit(a, b)),
        3 => Just(StartMaster),
        1 => Just(StopMaster),
        1 => Just(KillMaster),
    ]
}

/// Sources leave the configuration on purpose here.
const DROP_ALL: [&str; 2] = ["--drop-sources", "all"];

struct World {
    system: System,
    model: Model,
    sources: Vec<Source>,
    /// The first content of each file, by folder and path.
    first: std::collections::BTreeMap<(String, String), String>,
    /// The configuration that was written last.
    configured: String,
    /// The catalog as drawn; its sources may not be configured.
    catalog: Catalog,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            system: System::new(),
            model: Model::default(),
            sources: Vec::new(),
            first: Default::default(),
            configured: String::new(),
            catalog: Catalog::default(),
        };
        world.add_source("x", 0);
        world.add_source("y", 0);
        world
    }

    fn add_source(&mut self, name: &str, priority: i64) {
        let folder = format!("folder-{name}");
        if self.sources.iter().all(|source| source.name != name && source.folder != folder) {
            self.system.serve(&folder);
            self.sources.push(Source { name: name.into(), folder, priority, name_column: None });
        }
    }

    fn act(&mut self, action: Action) {
        let count = self.sources.len();
        match action {
            Action::AddSource(name, priority) => self.add_source(&name, priority),
            Action::Edit(sku, request) => self.edit(&sku, &request),
            Action::StartMaster => self.start_master(),
            Action::StopMaster if self.system.master_runs() => assert_eq!(self.system.stop_master().0, Some(0)),
            Action::KillMaster => self.system.kill_master(),
            Action::StopMaster => {}
            Action::Configure(catalog) => self.catalog = catalog,
            _ if count == 0 => {}
            Action::RemoveSource(at) => {
                let source = self.sources.remove(at.index(count));
                self.system.stop(&source.folder);
            }
            Action::RenameSource(at, name) => {
                if self.sources.iter().all(|source| source.name != name) {
                    self.sources[at.index(count)].name = name;
                }
            }
            Action::SwapPriorities(a, b) => {
                let (a, b) = (a.index(count), b.index(count));
                (self.sources[a].priority, self.sources[b].priority) =
                    (self.sources[b].priority + 1, self.sources[a].priority);
            }
            Action::SwapPlaces(a, b) => self.sources.swap(a.index(count), b.index(count)),
            Action::MapColumns(at) => {
                let column = &mut self.sources[at.index(count)].name_column;
                *column = if column.is_some() { None } else { Some("title".into()) };
            }
            Action::RestartSource(at) => {
                let folder = self.sources[at.index(count)].folder.clone();
                self.system.serve(&folder);
            }
            file_action => self.act_on_file(file_action),
        }
    }

    fn act_on_file(&mut self, action: Action) {
        let (Action::Write(at, path, _)
        | Action::Replace(at, path, _)
        | Action::Truncate(at, path, _)
        | Action::Rename(at, path, _)
        | Action::Delete(at, path)
        | Action::Revert(at, path)
        | Action::Touch(at, path)) = &action
        else {
            unreachable!("the other actions are done")
        };
        let name = self.sources[at.index(self.sources.len())].folder.clone();
        let folder = self.system.folder(&name);
        let there = files(&folder);
        let any_path = PATHS[path.index(PATHS.len())];
        let known = (!there.is_empty()).then(|| there[path.index(there.len())].clone());
        match (action, known) {
            (Action::Write(_, _, content), _) => {
                self.first.entry((name, any_path.into())).or_insert_with(|| content.clone());
                fs::write(folder.join(any_path), content).unwrap();
            }
            (Action::Replace(_, _, content), _) => {
                fs::write(folder.join(".new"), content).unwrap();
                fs::rename(folder.join(".new"), folder.join(any_path)).unwrap();
            }
            (_, None) => {}
            (Action::Truncate(_, _, all), Some(path)) => {
                let file = fs::File::options().write(true).open(folder.join(path)).unwrap();
                let length = file.metadata().unwrap().len();
                file.set_len(if all { 0 } else { length.min(7) }).unwrap();
            }
            (Action::Rename(_, _, to), Some(path)) => {
                fs::rename(folder.join(path), folder.join(PATHS[to.index(PATHS.len())])).unwrap();
            }
            (Action::Delete(..), Some(path)) => fs::remove_file(folder.join(path)).unwrap(),
            (Action::Revert(..), Some(path)) => {
                if let Some(first) = self.first.get(&(name, path.clone())) {
                    fs::write(folder.join(path), first).unwrap();
                }
            }
            (_, Some(path)) => {
                let file = fs::File::options().write(true).open(folder.join(path)).unwrap();
                file.set_modified(SystemTime::now() + Duration::from_secs(3)).unwrap();
            }
        }
    }

    fn start_master(&mut self) {
        self.configure();
        self.system.start_master(&DROP_ALL);
    }

    /// Edits through the running master, and holds its answer against the model's.
    fn edit(&mut self, sku: &str, request: &EditRequest) {
        self.start_master();
        self.catch_up();
        let (method, path, body) = request.sent(sku);
        let status = self.system.ask(method, &path, &body).status;
        assert_eq!(status, self.model.edit(&self.sources, sku, request), "{method} {path} {body}");
    }

    /// The catalog, with sources that are there.
    fn possible_catalog(&self) -> Catalog {
        let mut catalog = self.catalog.clone();
        for (_, sources) in &mut catalog.from {
            sources.retain(|name| self.sources.iter().any(|source| source.name == *name));
        }
        catalog.from.retain(|(column, sources)| !sources.is_empty() && self.catalog.has(column));
        catalog
    }

    /// Writes the configuration. A running master reads it at its start only.
    fn configure(&mut self) {
        self.model.catalog = self.possible_catalog();
        let Catalog { own, check, newest, from, by_price } = &self.model.catalog;
        let mut configuration = format!("[catalog]\ncolumns = {own:?}\n");
        if *check {
            configuration += "check = [\"price IS NULL OR price >= 0\"]\n";
        }
        if *newest {
            configuration += "newest = \"stamp\"\n";
        }
        if *by_price && own.contains(&"price") {
            configuration += "group_by = \"price\"\nindex = [\"price\"]\n";
        }
        if self.sources.len() % 2 == 1 {
            // Each file is applied by itself, as far as it takes nothing away.
            configuration = format!("[limits]\nfiles_per_part = 1\n{configuration}");
        }
        configuration += "[catalog.from]\n";
        from.iter().for_each(|(column, sources)| configuration += &format!("{column} = {sources:?}\n"));
        let section = |source: &Source| {
            let Source { name, folder, priority, name_column } = source;
            let columns =
                name_column.as_ref().map(|column| format!("columns = {{ name = \"{column}\" }}\n")).unwrap_or_default();
            format!(
                "[[source]]\nname = \"{name}\"\nurl = \"{}\"\npriority = {priority}\n{columns}",
                self.system.url(folder)
            )
        };
        configuration.extend(self.sources.iter().map(section));
        if self.configured != configuration {
            self.system.kill_master();
            self.system.configure(&configuration);
            self.configured = configuration;
        }
    }

    /// Lets the master take in what there is now, and the model too. Returns what the master said.
    fn catch_up(&mut self) -> String {
        let was_running = self.system.master_runs();
        self.configure();
        let text = if was_running {
            self.system.start_master(&DROP_ALL);
            self.system.sync();
            String::new()
        } else {
            let output = self.system.once_with(&DROP_ALL);
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
        };
        self.model.pass(&self.sources, |folder| self.system.folder(folder));
        text
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        let text = self.catch_up();
        let (products, aggr) = self.model.tables(&self.sources);
        let columns = self.model.catalog.shown();
        let stored = self.system.table("products");
        let stored: std::collections::BTreeMap<_, _> =
            stored.iter().map(|row| (row["sku"].as_str().unwrap().to_owned(), texts(row, &columns))).collect();
        prop_assert_eq!(&stored, &products, "{}", text);
        replay::check(&mut self.system.store(), &stored).map_err(TestCaseError::fail)?;
        prop_assert_eq!(self.system.aggr(), aggr, "{}", text);
        prop_assert!(!text.contains("panicked") && !text.contains("down"), "{}", text);
        Ok(())
    }
}

proptest! {
    // Each step runs real processes; PROPTEST_CASES asks for more.
    #![proptest_config(ProptestConfig { cases: std::env::var("PROPTEST_CASES").map_or(10, |cases| cases.parse().unwrap()), max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn tables_are_a_function_of_folders_configuration_and_edits(steps in proptest::collection::vec(proptest::collection::vec(action(), 1..5), 1..16)) {
        let mut world = World::new();
        for step in steps {
            for action in step {
                world.act(action);
                // A master that runs may see any moment between two actions, so each is a step of its own.
                if world.system.master_runs() {
                    world.check()?;
                }
            }
            world.check()?;
        }
    }
}
