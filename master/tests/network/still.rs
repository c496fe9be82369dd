//! Connections on which nothing comes any more, or hardly anything: each is given up in the time that is stated, and the other sources go on.

use std::time::{Duration, Instant};

use tributary_testkit::{
    proxy::{Fault, Way},
    wait,
};

use super::Stage;

#[test]
fn a_connection_that_stands_still_is_given_up_and_stops_nobody() {
    let sources = ["head", "list", "body", "drip", "asks", "well"];
    let stage = Stage::start(&sources, &["--patience", "1s"]);
    let slowly = Fault::Drip(2_000, Duration::from_millis(50));
    // With the longest time until it is said (docs/reference/source-protocol.md#the-master-as-a-client), and some for a busy machine.
    let cases = [
        ("head", Way::Answer, "/sense?", Fault::Stall(0), "timed out", 15),
        ("list", Way::Answer, "/sense/files", Fault::Stall(300), "timed out", 30),
        ("body", Way::Answer, "/read/feed", Fault::Stall(2_000), "the body is too slow after", 2),
        ("drip", Way::Answer, "/read/feed", slowly, "the body is too slow after", 2),
        ("asks", Way::Request, "/sense/files", Fault::Stall(30), "timed out", 30),
    ];
    for (source, way, line, fault, ..) in cases {
        stage.proxy(source).spoil(way, line, fault);
    }
    // The question that is held is older than its fault. The next one is not.
    stage.write("head", 2);
    stage.wait_for("head", 2);
    let began = Instant::now();
    let next = |source: &str| if source == "head" { 3 } else { 2 };
    sources.iter().for_each(|source| stage.write(source, next(source)));
    stage.wait_for("well", 2);
    let mut said = Vec::new();
    wait::until("all is said", || {
        for (source, _, _, fault, words, seconds) in cases {
            // The one that is not told of news asks at its next try, which is another question, so its error is soon among the past ones.
            let told = stage.told(source);
            let error = if source == "head" { told["errors"].to_string() } else { told["error"].to_string() };
            assert!(source == "head" || stage.version(source) == Some(1), "{source}: {:?}", stage.version(source));
            if error.contains(words) && !said.contains(&source) {
                println!("{source}, {fault:?}: {error}: after {:?}, stated {seconds} s", began.elapsed());
                said.push(source);
            }
        }
        (said.len() == cases.len()).then_some(())
    });
    for (source, proxy) in &stage.proxies {
        proxy.heal();
        assert!(source == "well" || proxy.hits() > 0, "{source}");
    }
    sources.iter().for_each(|source| stage.wait_for(source, next(source)));
}
