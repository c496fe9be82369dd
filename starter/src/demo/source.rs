//! The data-sources of the demo. One of them is down now and then.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use anyhow::{Context, Result};
use tributary_admission::{Access, Admission};
use tributary_data_source::Config;
use tributary_format_rules::{FormatRules, Selection};
use tributary_pace::MAX_PATIENCE;

use super::stage::Stage;

/// Time for which a changed file must be quiet. The demo replaces files as a whole, so it may be short.
const SETTLE: Duration = Duration::from_millis(50);
/// Time for which a source is up before its next outage, and how long that lasts.
const UP_FOR: Duration = Duration::from_secs(50);
const DOWN_FOR: Duration = Duration::from_secs(10);
/// The first outage comes soon, so that nobody has to wait for it.
const FIRST_UP_FOR: Duration = Duration::from_secs(15);

/// A data-source of one folder, listening on a free port.
pub(super) struct Source {
    pub(super) url: String,
    address: SocketAddr,
    listener: TcpListener,
    config: Config,
}

impl Source {
    pub(super) fn bind(stage: &Stage, name: &str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port is free")?;
        let address = listener.local_addr().context("failed to get the address of a source")?;
        let config = Config {
            dir: stage.folder.join(name),
            name: name.to_owned(),
            settle: SETTLE,
            max_settle: Duration::from_secs(10),
            rescan: Duration::from_secs(30),
            selection: Selection::default(),
            formats: FormatRules::default(),
            report_memory: tributary_data_source::DEFAULT_REPORT_MEMORY,
            admission: Admission::default(),
            patience: MAX_PATIENCE,
            access: Access::default(),
            pair: None,
            announce: false,
        };
        Ok(Self { url: format!("http://{address}"), address, listener, config })
    }

    pub(super) fn name(&self) -> &str {
        &self.config.name
    }

    /// Serves until shutdown.
    pub(super) async fn serve(self, stage: Stage) -> Result<()> {
        tributary_data_source::run(self.config, self.listener, stage.shutdown).await
    }

    /// Serves until shutdown, but from when all is loaded on it is down once a minute.
    pub(super) async fn serve_with_outages(self, stage: Stage) -> Result<()> {
        let Self { address, mut listener, config, .. } = self;
        let mut up_for = FIRST_UP_FOR;
        loop {
            let stop = stage.shutdown.child_token();
            let served = tributary_data_source::run(config.clone(), listener, stop.clone());
            let outage = async {
                let goes_down = stage.loaded().await && stage.pause(up_for).await;
                stop.cancel();
                goes_down
            };
            let (served, goes_down) = tokio::join!(ended(served, &stage), outage);
            served?;
            if !goes_down || !stage.pause(DOWN_FOR).await {
                return Ok(());
            }
            // Nobody else may have the port: the master knows the source by it. So wait until it is free.
            listener = loop {
                match TcpListener::bind(address) {
                    Ok(listener) => break listener,
                    Err(_) if stage.pause(Duration::from_secs(1)).await => {}
                    Err(_) => return Ok(()),
                }
            };
            up_for = UP_FOR;
        }
    }
}

/// Stops the demo if the source fails.
async fn ended(served: impl Future<Output = Result<()>>, stage: &Stage) -> Result<()> {
    let served = served.await;
    if served.is_err() {
        stage.shutdown.cancel();
    }
    served
}
