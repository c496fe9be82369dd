//! `cargo xtask bench queues`: operations and documents through RabbitMQ, line by line, beside consumers in Python. A missed target is shown,
//! but does not fail the run.

mod broker;
mod documents;
mod lines;
mod memory;
mod model;
mod operations;
mod relay;
mod stage;

use anyhow::Result;

use self::{broker::Broker, lines::Line, stage::Stage};
use super::{
    options::{Options, chosen},
    table::Table,
};

/// The section of BENCHMARKS.md.
const SECTION: &str = "queues";

#[derive(clap::Args)]
pub(super) struct Args {
    /// Address of a broker; `cargo xtask services` starts one and sets the variable
    #[arg(long, env = "TRIBUTARY_E2E_AMQP", value_name = "URL", hide_env_values = true)]
    amqp: String,
    /// Operations of a round, on random ones of twice as many products
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..=900_000))]
    operations: u64,
    /// Documents of a round
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=30_000))]
    documents: u64,
    /// Measure these lines only, such as `full,sustained`
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1..)]
    only: Vec<Line>,
    #[command(flatten)]
    options: Options,
}

pub(super) fn run(args: &Args) -> Result<()> {
    let options = &args.options;
    options.check(SECTION)?;
    let chosen = chosen(&args.only);
    // Before anything takes time: this fails if pika is missing.
    let broker = Broker::find(&args.amqp, &options.python)?;
    let home = options.prepare()?;
    let stage = Stage { home: home.path(), broker: &broker, pairs: options.pairs };
    let mut table = Table::begin();
    if chosen.contains(&Line::Full) || chosen.contains(&Line::Sustained) {
        table.add(operations::measure(&stage, &chosen, args.operations)?);
    }
    if chosen.contains(&Line::Documents) {
        table.add(documents::measure(&stage, args.documents)?);
    }
    if chosen.contains(&Line::Memory) {
        table.add(memory::measure(&stage)?);
    }
    options.write(SECTION, &table, &broker.versions)
}
