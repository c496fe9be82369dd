//! Files of several sizes. We and the peers sum each in turns, so that other work of the machine slows all of them alike; a ratio is taken
//! within a round. Each round compares all results.

use std::{path::Path, time::Duration};

use anyhow::Result;

use super::{
    lines::Line,
    ours::{Answer, Source, write_result},
    peers::{Peer, Peers},
};
use crate::bench::{
    figures::{Spread, mebibytes, seconds, thousands},
    running::write_back,
    sales_file::{Sales, compare},
    table::{Row, Table},
    usage::Usage,
};

/// Departments of a sales file.
const GROUPS: u64 = 500;
/// The targets of a partial, as parts of the peers' times.
const PARTIAL: [(Peer, f64); 2] = [(Peer::DuckDb, 0.80), (Peer::Loop, 0.10)];
/// The most memory of a data-source, in bytes, and the ratio of the largest file to the smallest.
const MAX_MEMORY: u64 = 250 << 20;
const MAX_GROWTH: f64 = 1.10;
/// The most bytes that a source sends per group, and reads from files for a partial that it keeps.
const MAX_GROUP_BYTES: u64 = 200;
const MAX_READ_BYTES: u64 = 64 << 10;

/// The parts that all lines use.
pub(super) struct Stage<'a> {
    /// The temporary folder of the run.
    pub(super) home: &'a Path,
    pub(super) peers: &'a Peers,
    /// Counted rounds.
    pub(super) pairs: usize,
}

/// The costs of a round.
struct Round {
    first: Answer,
    again: Answer,
    /// In the order of [`Size::peers`].
    peers: Vec<Usage>,
}

/// All rounds of one file.
struct Size {
    text: String,
    rows: u64,
    bytes: u64,
    groups: u64,
    peers: Vec<Peer>,
    rounds: Vec<Round>,
}

/// The time of the Python loop, and the rows that it read.
type LoopSpeed = Option<(Spread, f64)>;

/// Measures all lines of all sizes.
pub(super) fn measure(stage: &Stage<'_>, rows: &[u64], chosen: &[Line], table: &mut Table) -> Result<()> {
    let (mut sizes, mut speed) = (Vec::new(), None);
    for (place, rows) in rows.iter().enumerate() {
        let peers = match place {
            0 => vec![Peer::DuckDb, Peer::Polars, Peer::Loop],
            _ => vec![Peer::DuckDb, Peer::Polars],
        };
        let size = size(stage, *rows, peers)?;
        speed = speed.or_else(|| size.loop_speed());
        if chosen.contains(&Line::Partial) {
            table.add(size.partial(speed));
        }
        if chosen.contains(&Line::Again) {
            table.add(vec![size.again()]);
        }
        if chosen.contains(&Line::Answer) {
            table.add(vec![size.answer()]);
        }
        sizes.push(size);
    }
    if chosen.contains(&Line::Memory) {
        table.add(vec![memory(&sizes)]);
    }
    Ok(())
}

fn size(stage: &Stage<'_>, rows: u64, peers: Vec<Peer>) -> Result<Size> {
    let sales = Sales::generate(stage.home, "served", rows, GROUPS)?;
    let mut size = Size { text: sales.summary(), rows, bytes: sales.bytes, groups: 0, peers, rounds: Vec::new() };
    for number in 0..=stage.pairs {
        let (round, groups) = round(stage, &sales, &size.peers)?;
        let theirs: Vec<String> = size
            .peers
            .iter()
            .zip(&round.peers)
            .map(|(peer, usage)| format!(", {} {} ({} CPU)", peer.name(), seconds(usage.wall), seconds(usage.cpu)))
            .collect();
        let name = if number == 0 { "warm-up".to_owned() } else { format!("round {number} of {}", stage.pairs) };
        let usage = round.first.usage;
        eprintln!("{name}: ours {} ({} CPU){}", seconds(usage.wall), seconds(usage.cpu), theirs.concat());
        size.groups = groups;
        // The first round only warms up.
        if number > 0 {
            size.rounds.push(round);
        }
    }
    Ok(size)
}

/// Gives each program one turn.
fn round(stage: &Stage<'_>, sales: &Sales, peers: &[Peer]) -> Result<(Round, u64)> {
    let [answer, result, other] = ["answer", "result", "answer-again"].map(|name| stage.home.join(name));
    let (first, again) = {
        let source = Source::start(sales)?;
        write_back()?;
        (source.ask(&answer)?, source.ask(&other)?)
    };
    let groups = write_result(&answer, &result)?;
    let mut usages = Vec::new();
    for peer in peers {
        let (usage, theirs) = stage.peers.run(*peer, stage.home, sales)?;
        compare(&result, &theirs, peer.name())?;
        usages.push(usage);
    }
    write_result(&other, &answer)?;
    compare(&result, &answer, peers[0].name())?;
    Ok((Round { first, again, peers: usages }, groups))
}

impl Size {
    fn of_peer(&self, peer: Peer) -> Option<Vec<Usage>> {
        let place = self.peers.iter().position(|other| *other == peer)?;
        Some(self.rounds.iter().map(|round| round.peers[place]).collect())
    }

    fn loop_speed(&self) -> LoopSpeed {
        let usages = self.of_peer(Peer::Loop)?;
        Some((Spread::of_times(usages.iter().map(|usage| usage.wall)), self.rows as f64))
    }

    /// Ours, beside all peers.
    fn partial(&self, speed: LoopSpeed) -> Vec<Row> {
        let what = format!("partial: {}, `POST /aggregate` to a data-source that has hashed the file", self.text);
        let mut row = Row::of_usages(what, self.rounds.iter().map(|round| round.first.usage));
        let (mut ratios, mut targets, mut is_met) = (Vec::new(), Vec::new(), true);
        for (place, peer) in self.peers.iter().enumerate() {
            let of = |time: fn(&Usage) -> Duration| {
                let ratio =
                    |round: &Round| time(&round.first.usage).as_secs_f64() / time(&round.peers[place]).as_secs_f64();
                Spread::of(self.rounds.iter().map(ratio))
            };
            let (wall, cpu) = (of(|usage| usage.wall), of(|usage| usage.cpu));
            ratios.push(format!("{} (CPU {:.2})", wall.times(peer.name()), cpu.median));
            if let Some((_, most)) = PARTIAL.iter().find(|(of, _)| of == peer) {
                targets.push(format!("<= {most:.2} x {}", peer.name()));
                is_met &= wall.median <= *most;
            }
        }
        if let Some((taken, rows)) = speed.filter(|_| !self.peers.contains(&Peer::Loop)) {
            let ours = Spread::of_times(self.rounds.iter().map(|round| round.first.usage.wall));
            let ratio = ours.median / (taken.median * self.rows as f64 / rows);
            let (peer, most) = PARTIAL[1];
            ratios.push(format!("{ratio:.2} x {}, scaled from {} rows", peer.name(), thousands(rows as u64)));
            targets.push(format!("<= {most:.2} x {}", peer.name()));
            is_met &= ratio <= most;
        }
        row.ratio = ratios.join(", ");
        let mut rows = vec![row.target(targets.join(", "), is_met)];
        for peer in &self.peers {
            let usages = self.of_peer(*peer).unwrap_or_default();
            rows.push(Row::of_usages(format!("the same by {}", peer.name()), usages.into_iter()));
        }
        rows
    }

    /// The row of the second request.
    fn again(&self) -> Row {
        let read = self.rounds.iter().map(|round| round.again.read).max().unwrap_or_default();
        let what = format!("again: {}, the same request once more", self.text);
        let mut row = Row::of_usages(what, self.rounds.iter().map(|round| round.again.usage));
        let ratio = |round: &Round| round.again.usage.wall.as_secs_f64() / round.first.usage.wall.as_secs_f64();
        row.ratio = format!(
            "{} bytes read, {}",
            thousands(read),
            Spread::of(self.rounds.iter().map(ratio)).times("the first request")
        );
        row.target("nothing of the file is read", read <= MAX_READ_BYTES)
    }

    /// The row of the bytes between source and master.
    fn answer(&self) -> Row {
        let bytes = self.rounds.iter().map(|round| round.first.bytes).max().unwrap_or_default();
        let what = format!(
            "answer: {}, {} groups: {} bytes from source to master",
            self.text,
            thousands(self.groups),
            thousands(bytes)
        );
        let ratio = format!(
            "{:.4} % of the file, {} bytes per group",
            100.0 * bytes as f64 / self.bytes as f64,
            bytes / self.groups
        );
        Row { what, ratio, ..Row::default() }.target("O(groups)", bytes <= self.groups * MAX_GROUP_BYTES)
    }

    /// The peak memory of the data-source.
    fn peak(&self) -> u64 {
        self.rounds.iter().map(|round| round.first.usage.peak_bytes).max().unwrap_or_default()
    }
}

fn memory(sizes: &[Size]) -> Row {
    let peaks: Vec<u64> = sizes.iter().map(Size::peak).collect();
    let (least, most) = (peaks.iter().min().copied().unwrap_or(1), peaks.iter().max().copied().unwrap_or_default());
    let rows: Vec<String> = sizes.iter().map(|size| thousands(size.rows)).collect();
    let texts: Vec<String> = peaks.iter().map(|peak| format!("{:.1} MiB", *peak as f64 / f64::from(1 << 20))).collect();
    let ratio = most as f64 / least as f64;
    let row = Row {
        what: format!("memory: peak of the data-source for {} rows", rows.join(", ")),
        memory: texts.join(", "),
        ratio: format!("{ratio:.2}"),
        ..Row::default()
    };
    row.target(format!("<= {}, flat within 10 %", mebibytes(MAX_MEMORY)), most <= MAX_MEMORY && ratio <= MAX_GROWTH)
}
