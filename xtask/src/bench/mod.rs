//! `cargo xtask bench`: how fast the release binaries are, on this machine, in this run. It measures what a user sees from outside: whole
//! processes, over HTTP, through the database file.

mod catalog;
mod client;
mod cluster;
mod columns;
mod documents;
mod face;
mod feed;
mod figures;
mod folders;
mod follow;
mod options;
mod postgres;
mod python;
mod queues;
mod reports;
mod running;
mod sales;
mod sales_file;
mod section;
mod shell;
mod sources;
mod table;
mod usage;
mod waiting;

use anyhow::Result;

use crate::verify;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(clap::Subcommand)]
enum Task {
    /// From a changed line on disk to the row in the database, with a running master and source
    Follow(follow::Args),
    /// From a changed row in a folder of few and of many files to the answer over HTTP
    Folders(folders::Args),
    /// A catalog of products: loading, changes, many sources, requests; beside DuckDB, polars, pandas and sqlite3
    Catalog(catalog::Args),
    /// A catalog with own columns: loading, changes, filters and orders over HTTP, size; beside DuckDB
    Columns(columns::Args),
    /// Every page of a large catalog, its size beside Streamlit's, and changes that open pages and Socket.IO clients see
    Face(face::Args),
    /// Small documents from many clients at once
    Documents(documents::Args),
    /// Operations and documents through RabbitMQ; beside consumers in Python
    Queues(queues::Args),
    /// Totals over sales files of many gigabytes, and uploads of them; beside DuckDB and polars
    Reports(reports::Args),
    /// A catalog in PostgreSQL beside SQLite and psycopg, and a standby that takes over
    Postgres(postgres::Args),
    /// A report by a Ballista cluster, beside the push-down
    Cluster(cluster::Args),
    /// Ten thousand sources that this program plays: idle, changing, ill; and a start with them
    Sources(sources::Args),
    /// Sales files of many gigabytes, streamed over gRPC; beside DuckDB and the processor that the protocol comes from
    Sales(sales::Args),
}

pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.task {
        Task::Follow(args) => follow::run(args),
        Task::Folders(args) => folders::run(args),
        Task::Catalog(args) => catalog::run(args),
        Task::Columns(args) => columns::run(args),
        Task::Face(args) => face::run(args),
        Task::Documents(args) => documents::run(args),
        Task::Queues(args) => queues::run(args),
        Task::Reports(args) => reports::run(args),
        Task::Postgres(args) => postgres::run(args),
        Task::Cluster(args) => cluster::run(args),
        Task::Sources(args) => sources::run(args),
        Task::Sales(args) => sales::run(args),
    }
}

#[derive(clap::Args)]
struct Binaries {
    /// Measure the binaries beside this one as they are, without building them first
    #[arg(long)]
    no_build: bool,
}

impl Binaries {
    fn prepare(&self) -> Result<()> {
        if self.no_build { verify::release_only() } else { verify::build() }
    }
}
