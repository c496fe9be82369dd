//! Every fault of every request and answer, at a random place. `SEED=N` tries other places.

use std::{env, time::Duration};

use tributary_testkit::{
    proxy::{Fault, Proxy, Way},
    wait,
};

use super::{ROWS, Stage};

/// Requests of a master, each with about the bytes of its answer, head included, and its own.
const ROUTES: [(&str, u64, u64); 4] =
    [("/sense?", 300, 150), ("/sense/files", 800, 150), ("/read/feed", 6_000, 200), ("/aggregate", 450, 600)];

/// Versions that are tried for one fault.
const TRIES: usize = 4;

/// From Knuth's MMIX.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// All faults of a route, each once.
fn faults(random: &mut Random, answer: u64, request: u64) -> Vec<(Way, Fault)> {
    let short = Duration::from_millis(30);
    let mut of_answer = |fault: fn(u64) -> Fault| (Way::Answer, fault(random.below(answer)));
    let mut faults =
        vec![of_answer(Fault::Cut), of_answer(Fault::Reset), of_answer(Fault::Repeat), of_answer(Fault::Shorten)];
    // Most of all, because no length and no parser notices most of them.
    faults.extend((0..3).map(|_| of_answer(Fault::Flip)));
    let mut of_request = |fault: fn(u64) -> Fault| (Way::Request, fault(random.below(request)));
    faults.extend([of_request(Fault::Cut), of_request(Fault::Flip)]);
    faults
        .extend(["200 OK", "502 Bad Gateway", "503 Service Unavailable"].map(|page| (Way::Answer, Fault::Page(page))));
    faults.push((Way::Answer, Fault::Delay(short)));
    faults
}

#[test]
fn a_table_is_the_old_or_the_new_one_whatever_happens_to_the_bytes() {
    let seed = env::var("SEED").map_or(18, |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    let stage = Stage::start(&["north"], &[]);
    let proxy = stage.proxy("north");
    let (mut version, mut missed, mut tried) = (1, Vec::new(), 0);
    for (line, answer, request) in ROUTES {
        for (way, fault) in faults(&mut random, answer, request) {
            let what = format!("seed {seed}: {way:?} of {line}, {fault:?}");
            // A version may be there before the request that was to be spoiled: then it is the next one's turn.
            let has_happened = (0..TRIES).any(|_| {
                version += 1;
                spoiled(&stage, proxy, version, &what, || proxy.spoil(way, line, fault))
            });
            missed.extend((!has_happened).then_some(what));
            tried += 1;
        }
    }
    wait::until("nothing is wrong any more", || (stage.told("north")["state"] == "up").then_some(()));
    assert!(missed.len() * 10 < tried, "{} of {tried} faults did not happen: {missed:#?}", missed.len());
}

/// Spoils a request while a version is read, and checks what is shown meanwhile and then. Returns whether there was such a request.
fn spoiled(stage: &Stage, proxy: &Proxy, version: usize, what: &str, spoil: impl Fn()) -> bool {
    let what = format!("{what}, version {version}");
    let before = proxy.hits();
    spoil();
    stage.write("north", version);
    let rows = ROWS as u64;
    let sums = [(rows, rows * (version as u64 - 1)), (rows, rows * version as u64)];
    let look = || {
        let shown = stage.version("north").unwrap();
        assert!(shown == version || shown == version - 1, "{what}: version {shown} is shown");
        let reported = stage.sums();
        assert!(reported.is_none_or(|reported| sums.contains(&reported)), "{what}: {reported:?}, not {sums:?}");
        shown == version && reported == Some(sums[1])
    };
    wait::until(&format!("it happened: {what}"), || (look() || proxy.hits() > before).then_some(()));
    proxy.heal();
    wait::until(&format!("the new version: {what}"), || look().then_some(()));
    proxy.hits() > before
}
