//! Whatever operation fails, a path stands for what it stood for before, or for what was sent, and the answer says which.

use tributary_store::{DocumentState, SourceState};

use super::*;

/// Something that is done to a path.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Action {
    /// Send the first document.
    New,
    /// Replace a document.
    Replace,
    /// Replace it by one that cannot be used.
    Reject,
    /// Take it back by its id.
    Cancel,
    /// Take it back by its path.
    Remove,
}

impl Action {
    const ALL: [Self; 5] = [Self::New, Self::Replace, Self::Reject, Self::Cancel, Self::Remove];

    /// The name of the product before and after it.
    fn names(self) -> [Option<&'static str>; 2] {
        match self {
            Self::New => [None, Some("two")],
            Self::Replace => [Some("one"), Some("two")],
            Self::Reject => [Some("one"), Some("one")],
            Self::Cancel | Self::Remove => [Some("one"), None],
        }
    }

    async fn prepare(self, world: &World, path: &str) {
        let [before, _] = self.names();
        if let Some(name) = before {
            assert_eq!(world.put(path, &feed(path, name), false).await.unwrap(), Stage::Complete);
        }
        world.expect(path, before).await;
    }

    /// Does it. Returns the id of a document that was stored, and may still wait.
    async fn act(self, world: &World, path: &str, is_listed: bool) -> Result<Option<String>, InboxError> {
        let body = match self {
            Self::Reject => NO_FEED.to_owned(),
            _ => feed(path, "two"),
        };
        match self {
            Self::Cancel => {
                let id = world.current(path).unwrap().id;
                assert!(world.inbox().cancel(&id, None).await?);
                Ok(None)
            }
            Self::Remove => {
                assert_eq!(world.inbox().remove(path, Removal::default()).await?, Removed::Done);
                Ok(None)
            }
            Self::New | Self::Replace | Self::Reject => match world.send(path, &body, is_listed).await? {
                Arrived::Stored(id) => Ok(Some(id)),
                other => panic!("{path}: {other:?}"),
            },
        }
    }

    fn sends(self) -> bool {
        !matches!(self, Self::Cancel | Self::Remove)
    }

    /// The stage in which what it sends ends.
    fn stage(self) -> Stage {
        if self == Self::Reject { Stage::Failed } else { Stage::Complete }
    }

    /// Checks the path after the answer, whose document has ended. A failed attempt is repeated, and succeeds then.
    async fn check(
        self,
        world: &World,
        path: &str,
        done: Result<Option<String>, InboxError>,
    ) -> (String, Option<&'static str>) {
        let [before, after] = self.names();
        let mut now = if done.is_ok() { after } else { before };
        world.expect(path, now).await;
        if done.is_err() && path.ends_with("again.csv") {
            if let Some(id) = self.act(world, path, false).await.unwrap() {
                assert_eq!(world.end_of(&id).await, self.stage());
            }
            now = after;
            world.expect(path, now).await;
        }
        (path.to_owned(), now)
    }
}

impl World {
    /// Waits until a document has ended, or a pass over it has failed.
    async fn until_tried(&self, id: &str) {
        let is_down = || self.engine.health().iter().any(|(_, status)| status.state == Some(SourceState::Down));
        while !is_down() && !self.inbox().get(id).await.unwrap().unwrap().stage.is_final() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Restarts the engine, and checks what the paths stand for.
async fn restart_and_check(world: World, expected: Vec<(String, Option<&str>)>) {
    let world = world.restart().await;
    for (path, name) in &expected {
        world.expect(path, *name).await;
    }
    world.check_folder();
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_on_files_may_fail() {
    for action in Action::ALL {
        for is_listed in [false, true] {
            let operations = fail_each(action, is_listed).await;
            assert!(operations >= if action.sends() { 7 } else { 1 }, "{action:?} has {operations} operations");
        }
    }
}

/// Does something while the first operation on files fails, and again while the second one does, and so on. Returns the number of
/// operations.
async fn fail_each(action: Action, is_listed: bool) -> usize {
    let world = World::new("").await;
    end_many(&world);
    // The first document makes the source.
    world.put("first.csv", &feed("first.csv", "one"), false).await.unwrap();
    let faults = world.inbox().0.documents.folder().faults.clone();
    let (mut expected, mut operation) = (vec![("first.csv".to_owned(), Some("one"))], 0);
    loop {
        let mut was_reached = true;
        for end in ["once", "again"] {
            let path = format!("{operation}/{end}.csv");
            action.prepare(&world, &path).await;
            *faults.left.lock().unwrap() = Some(operation);
            let done = action.act(&world, &path, is_listed).await;
            if let Ok(Some(id)) = &done {
                assert_eq!(world.end_of(id).await, action.stage(), "{action:?} {operation}");
            }
            was_reached &= faults.left.lock().unwrap().take().is_none();
            assert!(was_reached || done.is_ok(), "{action:?} {operation}: {done:?}");
            expected.push(action.check(&world, &path, done).await);
        }
        if !was_reached {
            break;
        }
        operation += 1;
    }
    restart_and_check(world, expected).await;
    operation
}

/// Stores so many documents that ended later, that every other one is forgotten as soon as it may be.
fn end_many(world: &World) {
    let time = "2999-01-01T00:00:00.000Z";
    let row = |number: usize| DocumentRow {
        state: DocumentState::Superseded,
        finished_at: Some(time.to_owned()),
        ..DocumentRow::new(&format!("{number:032x}"), "old.csv", time)
    };
    world.store().transaction(|store| (0..1_000).try_for_each(|number| store.insert_document(&row(number)))).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_of_the_database_may_fail() {
    let changes = ["INSERT ON documents", "UPDATE ON documents", "INSERT ON messages", "INSERT ON files"]
        .into_iter()
        .chain(["UPDATE ON files", "DELETE ON files", "INSERT ON products", "INSERT ON events", "UPDATE ON sources"]);
    for change in changes {
        for is_listed in [false, true] {
            fail_change(change, is_listed).await;
        }
    }
}

/// Does everything while the database refuses a change.
async fn fail_change(change: &str, is_listed: bool) {
    let world = World::new("").await;
    world.put("first.csv", &feed("first.csv", "one"), false).await.unwrap();
    let mut expected = vec![("first.csv".to_owned(), Some("one"))];
    for action in Action::ALL.into_iter().filter(|action| action.sends() || !is_listed) {
        let path = format!("{action:?}/{}.csv", if is_listed { "once" } else { "again" });
        action.prepare(&world, &path).await;
        let trigger = format!("CREATE TRIGGER fault BEFORE {change} BEGIN SELECT RAISE(ABORT, 'a test'); END");
        change_schema(&world, &trigger);
        let done = action.act(&world, &path, is_listed).await;
        if let Ok(Some(id)) = &done {
            world.until_tried(id).await;
        }
        change_schema(&world, "DROP TRIGGER fault");
        if let Ok(Some(id)) = &done {
            assert_eq!(world.end_of(id).await, action.stage(), "{action:?} without {change}");
        }
        expected.push(action.check(&world, &path, done).await);
    }
    restart_and_check(world, expected).await;
}
