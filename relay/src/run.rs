//! The supervision: one session after the other, with a growing delay after each failure, until a stop.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio_util::sync::CancellationToken;
use tributary_admission::{Role, read_client_token};
use tributary_http_client::Backoff;

use crate::{
    cli::Args,
    master::Master,
    session::{Counts, End, Session},
};

/// The delay after a first failure, and the longest one.
const DELAYS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// The same for a broker: nothing is delivered while it is away, so that asking it costs nothing.
const BROKER_DELAYS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// Relays until `stop`.
///
/// # Errors
/// The token or the file of `--amqp-ca` or `--ca-file` cannot be read; a queue exists with other arguments.
pub async fn run(args: &Args, stop: &CancellationToken) -> Result<()> {
    let token = args.token_file.as_deref().map(|file| read_client_token(file, Role::Upload)).transpose()?;
    let master = Master::new(args.to.clone(), token, &args.trust()?)?;
    let broker = args.broker()?;
    let session =
        Session { broker: &broker, queue: &args.queue, compat: args.compat, prefetch: args.prefetch, master: &master };
    let (mut delays, mut broker_delays) =
        (Backoff::new(DELAYS.0, DELAYS.1), Backoff::new(BROKER_DELAYS.0, BROKER_DELAYS.1));
    let mut outage = Outage::default();
    while !stop.is_cancelled() {
        // Every delivery to a master that is away would be returned, and a broker counts returns.
        if let Err(error) = master.ask().await {
            outage.note(&format!("the master is away: {error}"));
            pause(delays.next_delay(), stop).await;
            continue;
        }
        let mut counts = Counts::default();
        let end = session.run(stop, &mut counts).await;
        if counts.taken + counts.dead > 0 {
            delays.reset();
            broker_delays.reset();
            outage.ended();
            let Counts { taken, dead } = counts;
            tracing::info!(taken, dead, "handed {taken} documents to the master, and set {dead} messages aside");
        }
        let delay = match end {
            End::Stopped => break,
            End::Broker(error) if error.is_conflict() => bail!("{error}"),
            End::Broker(error) => {
                outage.note(&error.to_string());
                broker_delays.next_delay()
            }
            End::MasterAway(why) => {
                outage.note(&format!("the master is away: {why}"));
                delays.next_delay()
            }
        };
        pause(delay, stop).await;
    }
    Ok(())
}

async fn pause(delay: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(delay) => {}
        () = stop.cancelled() => {}
    }
}

/// The reason of the last failure, so that an outage is logged once.
#[derive(Default)]
struct Outage(Option<String>);

impl Outage {
    fn note(&mut self, why: &str) {
        if self.0.as_deref() == Some(why) {
            tracing::debug!("{why}");
        } else {
            tracing::warn!("{why}; messages stay in their queue, and the relay tries again");
        }
        self.0 = Some(why.to_owned());
    }

    fn ended(&mut self) {
        self.0 = None;
    }
}
