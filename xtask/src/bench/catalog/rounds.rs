//! One feed: loaded, changed, loaded again and followed, in turns with the peers. In a round each program has one turn, so that other work
//! of the machine slows all of them alike; a ratio is taken within a round.

use anyhow::{Result, ensure};

use super::{
    lines::Line,
    peers::{Peer, Peers},
    stage::Stage,
};
use crate::bench::{
    figures::{Spread, seconds, thousands},
    running::{Pass, database, fresh, master},
    shell::Shell,
    table::Row,
    usage::Usage,
};

/// The targets of a cold load, as parts of the peers' times.
const COLD: [(Peer, f64); 3] = [(Peer::Sqlite3, 0.30), (Peer::DuckDb, 0.85), (Peer::Pandas, 0.45)];
/// The targets of one changed row, as parts of DuckDB's cold time, since DuckDB can only load everything again.
const CHANGE: [(Peer, f64); 1] = [(Peer::DuckDb, 0.20)];
const FOLLOW: [(Peer, f64); 1] = [(Peer::DuckDb, 0.30)];
/// The longest pass that finds nothing, in seconds.
const MAX_NOTHING: f64 = 0.050;

/// The costs of a round.
struct Round {
    cold: Pass,
    change: Option<Pass>,
    nothing: Option<Pass>,
    follow: Option<Pass>,
    /// In the order of [`Peers::needed`].
    peers: Vec<Usage>,
}

/// Measures all lines of one feed.
pub(super) fn measure(stage: &mut Stage, peers: &Peers, pairs: usize) -> Result<Vec<Row>> {
    let mut rounds = Vec::new();
    stage.one()?;
    for number in 0..=pairs {
        let round = round(stage, peers, number)?;
        let theirs: Vec<String> = peers
            .needed
            .iter()
            .zip(&round.peers)
            .map(|(peer, usage)| format!(", {} {}", peer.name(), seconds(usage.wall)))
            .collect();
        let name = if number == 0 { "warm-up".to_owned() } else { format!("round {number} of {pairs}") };
        eprintln!("{name}: ours {}{}", seconds(round.cold.master.wall), theirs.concat());
        // The first round only warms up.
        if number > 0 {
            rounds.push(round);
        }
    }
    Ok(rows(stage, peers, &rounds))
}

/// Gives each program one turn.
fn round(stage: &mut Stage, peers: &Peers, number: usize) -> Result<Round> {
    let (home, chosen) = (stage.home, stage.chosen);
    let folder = home.join("ours");
    fresh(&folder)?;
    let served = stage.one()?;
    let sku = &served.feeds[0].sku;
    let cold = served.pass(&folder)?;
    let counts = Shell::open(&database(&folder))?.counts()?;
    let (changed, followed) = (format!("Changed {number}"), format!("Followed {number}"));
    let [mut change, mut nothing, mut follow] = [None; 3];
    if chosen.contains(&Line::Change) {
        served.change(&changed)?;
        change = Some(served.pass(&folder)?);
        ensure!(Shell::open(&database(&folder))?.name_of(sku)? == changed, "the changed row is not in the database");
    }
    if chosen.contains(&Line::Nothing) {
        nothing = Some(served.pass(&folder)?);
    }
    if chosen.contains(&Line::Follow) {
        let master = master(&folder, &[served])?;
        follow = Some(served.follow(&master, &mut Shell::open(&database(&folder))?, &followed)?);
    }
    let counts_after = Shell::open(&database(&folder))?.counts()?;
    ensure!(counts == counts_after, "we count {counts} after the load and {counts_after} after changes of a name");
    let mut usages = Vec::new();
    for peer in &peers.needed {
        let (usage, theirs) = peers.run(*peer, home, &served.feeds[0].path)?;
        ensure!(counts == theirs, "we count {counts} and {} counts {theirs}: one of us is wrong", peer.name());
        usages.push(usage);
    }
    Ok(Round { cold, change, nothing, follow, peers: usages })
}

fn rows(stage: &Stage, peers: &Peers, rounds: &[Round]) -> Vec<Row> {
    let size = thousands(stage.rows);
    let mut rows = Vec::new();
    if stage.wants(Line::Cold) {
        let what = format!("cold: {size} rows from a running data-source, `master --once` into an empty database");
        rows.push(compared(what, rounds, peers, |round| Some(round.cold), &COLD));
        for (place, peer) in peers.needed.iter().enumerate() {
            let usages = rounds.iter().map(|round| round.peers[place]);
            rows.push(Row::of_usages(format!("the same by {}", peer.name()), usages));
        }
    }
    if stage.wants(Line::Change) {
        let what = "change: one row of it has changed, `master --once` again".to_owned();
        rows.push(compared(what, rounds, peers, |round| round.change, &CHANGE));
    }
    if stage.wants(Line::Nothing) {
        let row =
            compared("nothing: nothing has changed, `master --once`".to_owned(), rounds, peers, |r| r.nothing, &[]);
        let wall = Spread::of_times(rounds.iter().filter_map(|round| round.nothing).map(|pass| pass.master.wall));
        rows.push(row.target("<= 50 ms", wall.median <= MAX_NOTHING));
    }
    if stage.wants(Line::Follow) {
        let what = format!("follow: file saved to visible in the database, one row of {size} changed, settle 50 ms");
        rows.push(compared(what, rounds, peers, |round| round.follow, &FOLLOW));
    }
    rows
}

/// A row of ours, with its ratios to the cold loads of all peers and its targets for some of them.
fn compared(
    what: String,
    rounds: &[Round],
    peers: &Peers,
    ours: impl Fn(&Round) -> Option<Pass>,
    targets: &[(Peer, f64)],
) -> Row {
    let passes: Vec<Pass> = rounds.iter().filter_map(&ours).collect();
    let mut row = Row::of_passes(what, &passes);
    let (mut ratios, mut texts, mut is_met) = (Vec::new(), Vec::new(), true);
    for (place, peer) in peers.needed.iter().enumerate() {
        let of_round =
            |(pass, round): (&Pass, &Round)| pass.master.wall.as_secs_f64() / round.peers[place].wall.as_secs_f64();
        let ratio = Spread::of(passes.iter().zip(rounds).map(of_round));
        ratios.push(ratio.times(peer.name()));
        if let Some((_, most)) = targets.iter().find(|(of, _)| of == peer) {
            texts.push(format!("<= {most:.2} x {}", peer.name()));
            is_met &= ratio.median <= *most;
        }
    }
    row.ratio = ratios.join(", ");
    if targets.is_empty() { row } else { row.target(texts.join(", "), is_met) }
}
