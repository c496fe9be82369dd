//! One feed: loaded, changed and followed in PostgreSQL, the same in SQLite, and loaded by psycopg. In a round each has one turn, so that
//! other work of the machine slows all of them alike; a ratio is taken within a round.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::server::Server;
use crate::bench::{
    figures::{Spread, seconds, thousands},
    running::{Pass, Served, database, fresh, master_of, write_back},
    shell::Shell,
    table::Row,
    usage::{self, Usage},
};

const SCRIPT: &str = include_str!("../peers/postgres_psycopg.py");
/// The time for which a file must be quiet before it counts as changed.
const SETTLE: &str = "50ms";
/// The targets of a cold load, as parts of the others' times.
const COLD_OF_SQLITE: f64 = 1.6;
const COLD_OF_PSYCOPG: f64 = 0.6;
/// The target of one changed row.
const CHANGE_OF_SQLITE: f64 = 1.2;

/// The costs of our programs with one kind of database.
#[derive(Clone, Copy)]
struct Ours {
    cold: Pass,
    change: Pass,
    nothing: Pass,
    follow: Pass,
}

struct Round {
    postgres: Ours,
    sqlite: Ours,
    psycopg: Usage,
}

/// Measures all lines of the catalog.
pub(super) fn measure(home: &Path, server: &Server, python: &str, rows: u64, pairs: usize) -> Result<Vec<Row>> {
    eprintln!("generating a feed of {} rows", thousands(rows));
    let served = Served::start(home, "shop", 1, rows, 0, SETTLE)?;
    let mut rounds = Vec::new();
    for number in 0..=pairs {
        let round = round(home, server, python, &served, number)?;
        let [postgres, sqlite] = [round.postgres, round.sqlite].map(|ours| seconds(ours.cold.master.wall));
        let name = if number == 0 { "warm-up".to_owned() } else { format!("round {number} of {pairs}") };
        eprintln!("{name}: PostgreSQL {postgres}, SQLite {sqlite}, psycopg {}", seconds(round.psycopg.wall));
        // The first round only warms up.
        if number > 0 {
            rounds.push(round);
        }
    }
    Ok(lines(rows, &rounds))
}

/// Gives each program one turn.
fn round(home: &Path, server: &Server, python: &str, served: &Served, number: usize) -> Result<Round> {
    served.change("Begin")?;
    let url = server.schema("ours")?;
    let (postgres, counts) = ours(home, served, Some(&url), || Shell::of_postgres(&url), number)?;
    served.change("Begin")?;
    let (sqlite, sqlite_counts) = ours(home, served, None, || Shell::open(&database(&home.join("ours"))), number)?;
    let (psycopg, psycopg_counts) = script(home, server, python, served)?;
    ensure!(
        counts == sqlite_counts && counts == psycopg_counts,
        "PostgreSQL has {counts}, SQLite {sqlite_counts}, psycopg {psycopg_counts}: one of us is wrong"
    );
    Ok(Round { postgres, sqlite, psycopg })
}

/// Loads, changes and follows the feed with one kind of database. Returns the costs, and the rows that a shell counts.
fn ours(
    home: &Path,
    served: &Served,
    url: Option<&str>,
    shell: impl Fn() -> Result<Shell>,
    number: usize,
) -> Result<(Ours, String)> {
    let folder = home.join("ours");
    fresh(&folder)?;
    let flag = url.map(|url| format!("--database-url={url}"));
    let sku = &served.feeds[0].sku;
    let (changed, followed) = (format!("Changed {number}"), format!("Followed {number}"));
    let cold = served.pass_into(&folder, flag.as_deref())?;
    let counts = shell()?.counts()?;
    served.change(&changed)?;
    let change = served.pass_into(&folder, flag.as_deref())?;
    ensure!(shell()?.name_of(sku)? == changed, "the changed row is not in the database");
    let nothing = served.pass_into(&folder, flag.as_deref())?;
    let master = master_of(&folder, &[served], flag.as_deref())?;
    let follow = served.follow(&master, &mut shell()?, &followed)?;
    Ok((Ours { cold, change, nothing, follow }, counts))
}

/// Runs the script with psycopg on an empty schema. Returns its cost, and the rows that it counts in its tables.
fn script(home: &Path, server: &Server, python: &str, served: &Served) -> Result<(Usage, String)> {
    let url = server.schema("theirs")?;
    let folder = home.join("theirs");
    fresh(&folder)?;
    symlink(&served.feeds[0].path, folder.join("feed.csv"))?;
    fs::write(folder.join("script.py"), SCRIPT)?;
    let mut command = Command::new(python);
    command.args(["script.py", &url]).current_dir(&folder);
    write_back()?;
    let (usage, printed) = usage::run(command, Stdio::null()).context("psycopg")?;
    Ok((usage, printed.trim().to_owned()))
}

fn lines(rows: u64, rounds: &[Round]) -> Vec<Row> {
    let size = thousands(rows);
    let passes = |part: fn(&Ours) -> Pass| -> Vec<[Pass; 2]> {
        rounds.iter().map(|round| [part(&round.postgres), part(&round.sqlite)]).collect()
    };
    let cold = passes(|ours| ours.cold);
    let of_psycopg = Spread::of(
        rounds.iter().map(|round| round.postgres.cold.master.wall.as_secs_f64() / round.psycopg.wall.as_secs_f64()),
    );
    let of_sqlite = ratio(&cold);
    let what = format!("cold: {size} rows from a running data-source, `master --once` into an empty schema");
    let row = Row {
        ratio: format!("{}, {}", of_sqlite.times("SQLite"), of_psycopg.times("psycopg")),
        ..Row::of_passes(what, &first(&cold))
    };
    let is_met = of_sqlite.median <= COLD_OF_SQLITE && of_psycopg.median <= COLD_OF_PSYCOPG;
    let target = format!("<= {COLD_OF_SQLITE:.1} x SQLite, <= {COLD_OF_PSYCOPG:.1} x psycopg");
    let mut table = vec![
        row.target(target, is_met),
        Row::of_passes("the same into an empty SQLite file".to_owned(), &second(&cold)),
        Row::of_usages(
            "the same by a script with psycopg: COPY, upsert, groups".to_owned(),
            rounds.iter().map(|round| round.psycopg),
        ),
    ];
    let change = passes(|ours| ours.change);
    table.push(compared("change: one row of it has changed, `master --once` again".to_owned(), &change));
    table.push(Row::of_passes("the same with SQLite".to_owned(), &second(&change)));
    let nothing = passes(|ours| ours.nothing);
    let what = "nothing: nothing has changed, `master --once`".to_owned();
    table.push(Row { ratio: ratio(&nothing).times("SQLite"), ..Row::of_passes(what, &first(&nothing)) });
    let follow = passes(|ours| ours.follow);
    let what = format!("follow: file saved to visible in the database, one row of {size} changed, settle 50 ms");
    table.push(compared(what, &follow));
    table.push(Row::of_passes("the same with SQLite".to_owned(), &second(&follow)));
    table
}

/// A row of PostgreSQL with its ratio to SQLite, which must not be above that of a change.
fn compared(what: String, passes: &[[Pass; 2]]) -> Row {
    let ratio = ratio(passes);
    let row = Row { ratio: ratio.times("SQLite"), ..Row::of_passes(what, &first(passes)) };
    row.target(format!("<= {CHANGE_OF_SQLITE:.1} x SQLite"), ratio.median <= CHANGE_OF_SQLITE)
}

fn ratio(passes: &[[Pass; 2]]) -> Spread {
    let seconds = |pass: &Pass| pass.master.wall.as_secs_f64();
    Spread::of(passes.iter().map(|[postgres, sqlite]| seconds(postgres) / seconds(sqlite)))
}

fn first(passes: &[[Pass; 2]]) -> Vec<Pass> {
    passes.iter().map(|[postgres, _]| *postgres).collect()
}

fn second(passes: &[[Pass; 2]]) -> Vec<Pass> {
    passes.iter().map(|[_, sqlite]| *sqlite).collect()
}
