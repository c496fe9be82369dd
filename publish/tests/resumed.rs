//! Runs after runs, and beside runs, of the same file.

use std::fs;

use tributary_testkit::wait::until;

use crate::{
    Said, content,
    fake::{FakeMaster, Reply, status},
    folder, publish, start, until_it_says,
};

fn complete() -> Reply {
    Reply::Take(vec![status("complete", 1_000, 0)])
}

#[test]
fn a_run_that_was_killed_is_gone_on_with() {
    let folder = folder(&["a.csv"]);
    let busy = Reply::RefusePart("503 Service Unavailable", "Retry-After: 60\r\n", "busy");
    let master = FakeMaster::start(&[Reply::Break(5_000), busy]);
    let mut child = start(&folder, &master.url, &["a.csv"]);
    until("it goes on", || (master.uploads().first()?.parts.len() == 2).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    master.goes_on_with(&[complete()]);
    let said = publish(&folder, &master.url, &["./a.csv"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let [upload] = &master.uploads()[..] else { panic!("{:?}", master.uploads()) };
    assert_eq!(upload.parts.last(), Some(&(5_000, 3_009)));
    assert_eq!(upload.body, content("a.csv").into_bytes());
}

#[test]
fn one_that_the_master_still_processes_is_followed() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::Take(vec![status("processing", 1, 0)])]);
    let mut child = start(&folder, &master.url, &["a.csv"]);
    until("the file has come", || master.has_part());
    child.kill().unwrap();
    child.wait().unwrap();
    let mut second = start(&folder, &master.url, &["a.csv"]);
    until_it_says(&mut second, "waiting to be processed");
    master.finish(status("complete", 7, 0));
    let said = Said::of(&second.wait_with_output().unwrap());
    assert_eq!((said.code, said.lines[0].as_str()), (Some(0), "a.csv: complete, 7 rows, 0 rejects, T s"), "{said:?}");
    assert_eq!(master.uploads()[0].parts.len(), 1);
}

#[test]
fn the_same_file_again_and_a_changed_one_are_new_uploads() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[complete()]);
    for count in 1..=3 {
        assert_eq!(publish(&folder, &master.url, &["a.csv"]).code, Some(0));
        assert_eq!(master.uploads().len(), count);
    }
    // Without `--replace` the master refuses it, and so does this program.
    master.goes_on_with(&[Reply::Refuse("409 Conflict", "", "a.csv exists already")]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!(said.lines[0], "a.csv: failed: a.csv exists already; use `--replace` to replace it");
    master.goes_on_with(&[Reply::Break(5_000), Reply::RefuseAtOnce("507 Insufficient Storage", "full")]);
    assert_eq!(publish(&folder, &master.url, &["--replace", "a.csv"]).code, Some(1));
    fs::write(folder.path().join("a.csv"), "sku,name\n1,new\n").unwrap();
    master.goes_on_with(&[complete()]);
    assert_eq!(publish(&folder, &master.url, &["--replace", "a.csv"]).code, Some(0));
    assert_eq!(master.uploads().last().unwrap().body, b"sku,name\n1,new\n");
}

#[test]
fn an_id_that_was_used_up_is_passed_by() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::RefuseAtOnce("507 Insufficient Storage", "full")]);
    assert_eq!(publish(&folder, &master.url, &["a.csv"]).code, Some(1));
    master.cancel_all();
    master.goes_on_with(&[complete()]);
    assert_eq!(publish(&folder, &master.url, &["a.csv"]).code, Some(0));
    let ids: Vec<_> = master.uploads().into_iter().map(|upload| upload.metadata["id"].clone()).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
}

/// Two runs that ask in turn would break off each other's requests for ever.
#[test]
fn a_run_that_loses_its_upload_to_another_one_waits_for_that() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::RefusePart("409 Conflict", "", "another request goes on")]);
    let mut first = start(&folder, &master.url, &["a.csv"]);
    until_it_says(&mut first, "another run sends it; waiting for that one");
    master.goes_on_with(&[complete()]);
    let second = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!(second.code, Some(0), "{second:?}");
    let said = Said::of(&first.wait_with_output().unwrap());
    assert_eq!(
        (said.code, said.lines[0].as_str()),
        (Some(0), "a.csv: complete, 1,000 rows, 0 rejects, T s"),
        "{said:?}"
    );
    assert_eq!(master.uploads().len(), 1);
}

/// The other one is gone, or was this run before a proxy repeated a request.
#[test]
fn an_upload_that_another_run_has_left_is_taken_back() {
    let folder = folder(&["a.csv"]);
    let master = FakeMaster::start(&[Reply::RefusePart("409 Conflict", "", "another request goes on"), complete()]);
    let said = publish(&folder, &master.url, &["a.csv"]);
    assert_eq!((said.code, master.uploads()[0].parts.len()), (Some(0), 2), "{said:?}");
}
