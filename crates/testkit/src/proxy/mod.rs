//! A connection that fails: a TCP proxy before a server that counts, holds up, cuts or spoils what passes through it. It is no HTTP proxy, and
//! knows no more of HTTP than where a request begins.

mod answers;
mod spoil;

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

pub use spoil::{Fault, Way};
use spoil::{Passing, Spoiled};

use crate::wait;

/// A proxy; it runs until the test process ends.
pub struct Proxy {
    /// Its URL, without a slash at the end.
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// Address of the server.
    target: String,
    /// Held for a look or a change only, never while bytes are passed on.
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Bytes that clients have sent.
    sent: u64,
    /// Bytes after which nothing is passed on, if any.
    limit: Option<u64>,
    connections: Vec<TcpStream>,
    /// Whether new connections are closed at once.
    is_down: bool,
    /// The fault of requests to come, if any.
    spoil: Option<Spoil>,
    hits: usize,
    /// Whether that which waits may pass.
    is_released: bool,
}

/// A fault of all requests whose first line contains a text.
#[derive(Clone)]
struct Spoil {
    way: Way,
    line: String,
    fault: Fault,
    is_once: bool,
}

impl Proxy {
    /// Starts a proxy before the server at this URL, which need not run yet.
    ///
    /// # Panics
    /// There is no free port.
    #[must_use]
    pub fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let url = format!("http://{}", listener.local_addr().expect("a listener has an address"));
        let target = target.trim_start_matches("http://").to_owned();
        let shared = Arc::new(Shared { target, state: Mutex::default(), changed: Condvar::new() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Without a server the client's connection breaks.
                let _ = serving.connect(client);
            }
        });
        Self { url, shared }
    }

    /// Spoils every request to come whose first line contains `line`, or its answer.
    pub fn spoil(&self, way: Way, line: &str, fault: Fault) {
        self.shared.spoil(Spoil { way, line: line.to_owned(), fault, is_once: false });
    }

    /// Spoils the next such request only.
    pub fn spoil_once(&self, way: Way, line: &str, fault: Fault) {
        self.shared.spoil(Spoil { way, line: line.to_owned(), fault, is_once: true });
    }

    /// Passes on what [`Fault::Hold`] holds up, and spoils no request to come.
    pub fn release(&self) {
        let mut state = self.shared.state();
        state.spoil = None;
        state.is_released = true;
        self.shared.changed.notify_all();
    }

    /// Spoils no request to come. What stands still stays so.
    pub fn heal(&self) {
        self.shared.state().spoil = None;
    }

    /// Requests and answers that were spoilt.
    #[must_use]
    pub fn hits(&self) -> usize {
        self.shared.state().hits
    }

    /// Bytes that clients have sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.shared.state().sent
    }

    /// Passes on only so many bytes more.
    pub fn hold_after(&self, bytes: u64) {
        let mut state = self.shared.state();
        state.limit = Some(state.sent + bytes);
        self.shared.changed.notify_all();
    }

    /// Waits until nothing more is passed on.
    pub fn is_held(&self) {
        wait::until("the proxy holds up a client", || {
            let state = self.shared.state();
            state.limit.filter(|limit| state.sent >= *limit).map(drop)
        });
    }

    /// Cuts all connections, and passes on everything of later ones.
    pub fn cut(&self) {
        self.go_down();
        self.come_up();
    }

    /// Passes on everything of new connections.
    pub fn come_up(&self) {
        self.shared.state().is_down = false;
    }

    /// Cuts all connections, and closes new ones at once.
    pub fn go_down(&self) {
        let mut state = self.shared.state();
        state.limit = None;
        state.is_down = true;
        for connection in state.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        if self.state().is_down {
            return Ok(());
        }
        let server = TcpStream::connect(&self.target)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        self.state().connections.extend([client.try_clone()?, server.try_clone()?]);
        let connection = Arc::new(Connection { client, server, spoiled: Mutex::default() });
        let (asked, answered) = (Arc::clone(&connection), connection);
        let (shared, also_shared) = (Arc::clone(self), Arc::clone(self));
        thread::spawn(move || also_shared.pass_answers(&answered));
        thread::spawn(move || shared.pass_requests(&asked));
        Ok(())
    }

    /// Passes on what a client sends, as far as the limit.
    fn pass_requests(&self, connection: &Connection) {
        let mut chunk = vec![0; 64 << 10];
        while let Ok(count @ 1..) = (&connection.client).read(&mut chunk) {
            let mut state = self.state();
            while state.limit.is_some_and(|limit| state.sent >= limit) {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            drop(state);
            let chunk = &mut chunk[..count];
            if let Some(line) = answers::first_line(chunk) {
                let spoil = self.spoil_of(line);
                *connection.spoiled() = spoil.map(|(way, fault)| Spoiled::new(way, fault));
                if let Some((_, fault)) = spoil
                    && fault.is_answer()
                {
                    self.state().hits += 1;
                    // A client that has gone away needs no answer.
                    let _ = answers::answer(&connection.client, &self.target, chunk, fault);
                    break;
                }
            }
            match self.pass(Way::Request, connection, chunk) {
                Passing::On => self.state().sent += count as u64,
                Passing::Ended => break,
                // Both ends wait, until one of them gives up.
                Passing::Stalled | Passing::Held(_) => return,
            }
        }
        connection.close();
    }

    fn pass_answers(&self, connection: &Connection) {
        let mut chunk = vec![0; 64 << 10];
        while let Ok(count @ 1..) = (&connection.server).read(&mut chunk) {
            match self.pass(Way::Answer, connection, &mut chunk[..count]) {
                Passing::On => {}
                Passing::Ended => break,
                Passing::Stalled | Passing::Held(_) => return,
            }
        }
        let is_answered = connection.spoiled().as_ref().is_some_and(|spoiled| spoiled.fault.is_answer());
        if !is_answered {
            let _ = connection.client.shutdown(Shutdown::Both);
        }
    }

    fn spoil(&self, spoil: Spoil) {
        let mut state = self.state();
        state.spoil = Some(spoil);
        state.is_released = false;
    }

    fn wait_for_release(&self) {
        let mut state = self.state();
        while !state.is_released {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The fault of a request with this first line. One that is meant for one request is used up.
    fn spoil_of(&self, line: &[u8]) -> Option<(Way, Fault)> {
        let mut state = self.state();
        let line = String::from_utf8_lossy(line).into_owned();
        let spoil = state.spoil.clone().filter(|spoil| line.contains(&spoil.line))?;
        if spoil.is_once {
            state.spoil = None;
        }
        Some((spoil.way, spoil.fault))
    }

    /// Passes a chunk on, spoilt if that is due.
    fn pass(&self, way: Way, connection: &Connection, chunk: &mut [u8]) -> Passing {
        let spoiled = connection.spoiled().take_if(|spoiled| spoiled.way == way);
        let mut to = if way == Way::Request { &connection.server } else { &connection.client };
        let Some(mut spoiled) = spoiled else {
            return if to.write_all(chunk).is_ok() { Passing::On } else { Passing::Ended };
        };
        let had_hit = spoiled.has_hit;
        let mut passing = spoiled.pass(to, chunk);
        self.state().hits += usize::from(spoiled.has_hit && !had_hit);
        if let Passing::Held(at) = passing {
            self.wait_for_release();
            passing = if to.write_all(&chunk[at..]).is_ok() { Passing::On } else { Passing::Ended };
        }
        if passing == Passing::Ended && matches!(spoiled.fault, Fault::Reset(_)) {
            let _ = rustix::net::connect_unspec(&connection.client);
            let _ = rustix::net::connect_unspec(&connection.server);
        }
        // The next request may have set another one meanwhile, which the client begins only after this answer.
        connection.spoiled().get_or_insert(spoiled);
        passing
    }
}

struct Connection {
    client: TcpStream,
    server: TcpStream,
    /// The fault of the current request. Locked to take or put it only.
    spoiled: Mutex<Option<Spoiled>>,
}

impl Connection {
    fn spoiled(&self) -> MutexGuard<'_, Option<Spoiled>> {
        self.spoiled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let _ = self.server.shutdown(Shutdown::Both);
        let _ = self.client.shutdown(Shutdown::Both);
    }
}
