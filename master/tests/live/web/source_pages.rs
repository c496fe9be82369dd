//! The pages of sources: the list with its sums and filter, and one source with its files.

use serde_json::json;
use tributary_testkit::{faulty::FaultySource, wait};

use super::{BROWSER, get, no_source, one_source, page, send};
use crate::system::System;

#[test]
fn the_list_is_filtered_by_state_and_summed_up() {
    let mut system = System::new();
    system.write("north", "a.csv", "sku,name\na,A\nb,B\n,x\n");
    system.serve("north");
    let down = FaultySource::plain("sku,name\n");
    let url = down.url.clone();
    drop(down);
    let north = system.url("north");
    system.configure(&format!(
        "[[source]]\nname = \"north\"\nurl = \"{north}\"\n[[source]]\nname = \"s/outh\"\nurl = \"{url}\"\n"
    ));
    system.start_master(&[]);
    let state = |name: &str| {
        let list = system.json("/api/v1/sources");
        let found = list["items"].as_array().unwrap().iter().find(|source| source["name"] == name).cloned().unwrap();
        found["state"].as_str().unwrap().to_owned()
    };
    wait::until("both were asked", || (state("north") == "up" && state("s/outh") == "down").then_some(()));
    let all = page(&get(&system, "/sources", &[]), 200);
    for part in [
        "/sources/north",
        "/sources/s%2Fouth",
        "<span class=\"hint\">2</span>",
        ">2 sources</th>",
        "/rejects?source=north",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let down = page(&get(&system, "/sources?state=down", &[]), 200);
    assert!(down.contains("/sources/s%2Fouth") && !down.contains("href=\"/sources/north\""), "{down}");
    assert!(down.contains("aria-current=\"page\"><span class=\"state down\">"), "{down}");
    let none = page(&get(&system, "/sources?state=held", &[]), 200);
    assert!(none.contains("No source is held."), "{none}");
    let odd = page(&get(&system, "/sources/s%2Fouth", &[]), 200);
    assert!(odd.contains("Last errors") && odd.contains("class=\"error-list\""), "{odd}");
    assert!(page(&get(&system, "/sources?state=bad", &[BROWSER]), 400).contains("the states are"));
    assert!(page(&get(&system, "/sources/nowhere", &[BROWSER]), 404).contains("there is no source"));
    assert!(page(&get(&no_source(), "/sources", &[]), 200).contains("No source is configured."));
}

#[test]
fn a_source_lists_its_files_with_what_was_found() {
    let files: Vec<_> =
        (0..120).map(|number| (format!("f{number:03}.csv"), format!("sku;name\ns{number};N\n"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
    let system = one_source(&files);
    let listed = system.json("/api/v1/files?source=north&limit=1")["items"][0].clone();
    assert_eq!((&listed["reader"], &listed["format"]), (&json!("products"), &json!("UTF-8, separated by semicolons")));
    assert!(chrono::DateTime::parse_from_rfc3339(listed["applied_at"].as_str().unwrap()).is_ok(), "{listed}");
    let first = page(&get(&system, "/sources/north", &[]), 200);
    assert!(first.contains("f099.csv") && !first.contains("f100.csv") && first.contains("More files"), "{first}");
    let hash = listed["hash"].as_str().unwrap();
    for part in [hash, "UTF-8, separated by semicolons", "<time class=\"ago\""] {
        assert!(first.contains(part), "{part}: {first}");
    }
    let second = page(&get(&system, "/sources/north?files=all&offset=100", &[]), 200);
    assert!(
        second.contains("f119.csv") && !second.contains("f099.csv") && second.contains("Earlier files"),
        "{second}"
    );
    system.write("north", "f005.csv", "x\n1\n");
    wait::until("the file is rejected", || {
        let rejected = page(&get(&system, "/sources/north?files=rejected", &[]), 200);
        (rejected.contains("f005.csv") && !rejected.contains("f006.csv")).then_some(())
    });
}

/// The button on the page of a source leads back to that page, and to no other server.
#[test]
fn accepting_leads_back_to_where_it_was_pressed() {
    let system = one_source(&[("a.csv", "sku,name\na,A\n")]);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    for (back, expect) in [
        ("%2Fsources%2Fnorth", "/sources/north"),
        ("%2F%2Fevil.example", "/#sources-heading"),
        ("https%3A%2F%2Fevil.example", "/#sources-heading"),
        ("", "/#sources-heading"),
    ] {
        let answer = send(&system, "POST", "/accept", &form, &format!("source=north&digest=x&back={back}"));
        assert_eq!((answer.status, answer.header("location")), (303, Some(expect)), "{back}");
    }
}
