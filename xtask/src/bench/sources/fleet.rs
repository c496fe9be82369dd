//! Ten thousand sources in this process. Each has an address of its own below 127.1.0.0, so that a master keeps connections, names and
//! errors for each as if they were machines.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::{Notify, Semaphore},
};
use tokio_util::sync::CancellationToken;

use super::{
    asked::Asked,
    content::{Content, Offered},
    serve::serve,
};

/// Most sources: the third and fourth part of an address.
const MAX_SOURCES: usize = 254 * 250;

/// The way in which a source is ill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Illness {
    /// Its machine refuses connections. Only of the last sources, see [`Fleet::start`].
    Refuses,
    /// It takes requests and never answers.
    Hangs,
    /// It answers 500.
    Fails,
}

/// The sources, until this is dropped.
pub(in crate::bench) struct Fleet {
    shared: Arc<Shared>,
    /// The ports of the sources that are always there, and of those that may refuse connections.
    ports: [u16; 2],
    /// Number of the first source of the latter.
    mortal_from: usize,
    /// Ends the listener and the connections of the latter.
    mortal: CancellationToken,
    runtime: Option<Runtime>,
}

/// The state that the tasks of all connections share.
pub(super) struct Shared {
    sources: Vec<Source>,
    /// Connections that are open now: each holds a permit.
    pub(super) connections: Semaphore,
}

/// One source.
pub(super) struct Source {
    /// Held for one request or one change: a question must be noted beside the version that it was answered with.
    state: Mutex<State>,
    /// Wakes the held answer.
    pub(super) changed: Notify,
}

/// The state of a source.
pub(super) struct State {
    pub(super) offered: Arc<Offered>,
    pub(super) illness: Option<Illness>,
    pub(super) asked: Asked,
}

impl Source {
    fn new(content: Content) -> Self {
        let state = State { offered: Arc::new(content.offer()), illness: None, asked: Asked::default() };
        Self { state: Mutex::new(state), changed: Notify::new() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// The source at an address.
    pub(super) fn source(&self, address: Ipv4Addr) -> Option<&Source> {
        let [_, _, third, fourth] = address.octets();
        self.sources.get((usize::from(third) * 250 + usize::from(fourth)).checked_sub(1)?)
    }
}

/// The address of a source.
fn address(source: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 1, (source / 250) as u8, (source % 250) as u8 + 1)
}

impl Fleet {
    /// Starts sources of so many rows. The last `mortal` ones can refuse connections.
    pub(in crate::bench) fn start(sources: usize, rows: usize, mortal: usize) -> Result<Self> {
        ensure!(sources <= MAX_SOURCES, "at most {MAX_SOURCES} sources have an address");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let shared = Arc::new(Shared {
            sources: (0..sources).map(|source| Source::new(Content::first(source, rows))).collect(),
            connections: Semaphore::new(Semaphore::MAX_PERMITS),
        });
        let (immortal, mortal_token) = (CancellationToken::new(), CancellationToken::new());
        let mut ports = [0; 2];
        for (port, stop) in ports.iter_mut().zip([&immortal, &mortal_token]) {
            let listener = listen()?;
            *port = listener.local_addr()?.port();
            let listener = runtime.block_on(async { TcpListener::from_std(listener) })?;
            runtime.spawn(serve(listener, Arc::clone(&shared), stop.clone()));
        }
        let mortal_from = sources.saturating_sub(mortal);
        Ok(Self { shared, ports, mortal_from, mortal: mortal_token, runtime: Some(runtime) })
    }

    /// Number of the sources.
    pub(in crate::bench) fn len(&self) -> usize {
        self.shared.sources.len()
    }

    /// The URL of a source.
    pub(super) fn url(&self, source: usize) -> String {
        let port = self.ports[usize::from(source >= self.mortal_from)];
        format!("http://{}:{port}", address(source))
    }

    /// Gives these sources new contents, all at once. Returns when the first one had it.
    pub(super) fn change(&self, contents: impl Iterator<Item = Content>) -> Instant {
        // Hashes take a while, which would spread the changes.
        let offers: Vec<_> = contents.map(|content| Arc::new(content.offer())).collect();
        let begun = Instant::now();
        for offered in offers {
            let source = &self.shared.sources[offered.content.source];
            let mut state = source.state();
            state.asked.applied = None;
            state.offered = offered;
            drop(state);
            source.changed.notify_waiters();
        }
        begun
    }

    /// Makes these sources ill. An answer that is held meanwhile is the last good one.
    pub(super) fn fall_ill(&self, sources: impl Iterator<Item = usize>, illness: Illness) {
        for source in sources {
            self.shared.sources[source].state().illness = Some(illness);
        }
        if illness == Illness::Refuses {
            self.mortal.cancel();
        }
    }

    /// The sources that refuse connections after [`Illness::Refuses`].
    pub(super) fn mortal(&self) -> Range<usize> {
        self.mortal_from..self.len()
    }

    /// When the last of these sources was found to have been applied as it is now; none if one was not.
    pub(super) fn applied(&self, sources: impl Iterator<Item = usize>) -> Option<Instant> {
        let applied = sources.map(|source| self.shared.sources[source].state().asked.applied);
        applied.reduce(|one, other| Some(one?.max(other?))).flatten()
    }

    /// Whether an answer of each of these is held.
    pub(super) fn all_held(&self, mut sources: impl Iterator<Item = usize>) -> bool {
        sources.all(|source| self.shared.sources[source].state().asked.is_held)
    }

    /// Begins to watch the times between questions.
    pub(in crate::bench) fn watch(&self) {
        self.shared.sources.iter().for_each(|source| source.state().asked.watch());
    }

    /// The longest time between two questions to one of these sources since [`Fleet::watch`], or since the last one.
    pub(in crate::bench) fn longest_gap(&self, sources: impl Iterator<Item = usize>) -> Result<Duration> {
        let now = Instant::now();
        let gaps = sources.map(|source| {
            let gap = self.shared.sources[source].state().asked.longest_gap(now);
            gap.with_context(|| format!("source {source} was never asked"))
        });
        gaps.reduce(|one, other| Ok(one?.max(other?))).context("there are no sources")?
    }

    /// Numbers of `/sense`, `/sense/files` and `/read` so far.
    pub(super) fn requests(&self) -> [u64; 3] {
        self.shared.sources.iter().fold([0; 3], |[senses, manifests, reads], source| {
            let asked = &source.state().asked;
            [senses + asked.senses, manifests + asked.manifests, reads + asked.reads]
        })
    }

    /// Number of open connections.
    pub(super) fn connections(&self) -> usize {
        Semaphore::MAX_PERMITS - self.shared.connections.available_permits()
    }

    /// Forgets what was applied and asked, as a master that starts again does.
    pub(super) fn forget(&self) {
        self.shared.sources.iter().for_each(|source| source.state().asked = Asked::default());
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.mortal.cancel();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Listens on every address, because the sources have thousands; connections of other machines are closed.
fn listen() -> Result<StdListener> {
    let open = || -> io::Result<StdListener> {
        let listener = StdListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))?;
        // The usual 128 are too few for 10,000 clients that come at once.
        rustix::net::listen(&listener, 4_096)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    open().context("failed to listen for the sources")
}
