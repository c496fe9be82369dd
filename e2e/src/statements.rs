//! A proxy between a master and its PostgreSQL server that counts the statements of the session that writes, and cuts or holds that
//! connection at one of them. It knows as much of the protocol as it takes to tell where a statement and its answer end.

mod messages;

use std::{
    collections::HashMap,
    io::{self, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use messages::{Message, read_message, startup};
use tributary_testkit::wait;
use url::Url;

/// The name of the sessions that are counted, as they tell it to the server.
const WRITER: &str = "tributary writer";

/// The fault at a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plug {
    /// The connection is cut, and the server never sees the statement.
    Before,
    /// The server executes it, and the connection is cut before the answer comes back.
    After,
    /// The same, and no connection is let through until [`Statements::come_up`].
    Away,
    /// The server executes it, and the answer is held until [`Statements::release`].
    Hold,
}

/// A statement among those to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// That of this number, from 1.
    Number(usize),
    /// The first with this text.
    Text(&'static str),
}

/// A proxy before a server; it runs until the test process ends.
pub struct Statements {
    port: u16,
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
    /// Statements of the writing sessions since the last call of [`Statements::arm`].
    seen: usize,
    /// The statement that something happens at, and what.
    plug: Option<(At, Plug)>,
    /// The statement that it has happened at.
    hit: Option<String>,
    is_held: bool,
    is_down: bool,
    connections: Vec<TcpStream>,
}

impl Statements {
    /// Starts a proxy before the server of this URL.
    ///
    /// # Panics
    /// There is no free port, or the URL is none of a server.
    #[must_use]
    pub fn start(url: &str) -> Self {
        let url: Url = url.parse().expect("the URL of a server");
        let target = format!("{}:{}", url.host_str().expect("it names the host"), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let port = listener.local_addr().expect("a listener has an address").port();
        let shared = Arc::new(Shared { target, state: Mutex::default(), changed: Condvar::new() });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // Without a server the client's connection breaks.
                let _ = serving.connect(client);
            }
        });
        Self { port, shared }
    }

    /// The same URL, by way of this proxy.
    ///
    /// # Panics
    /// It is none of a server.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        let mut url: Url = url.parse().expect("the URL of a server");
        url.set_host(Some("127.0.0.1")).expect("a server has a host");
        url.set_port(Some(self.port)).expect("a server has a port");
        url.into()
    }

    /// Counts anew, and pulls the plug at a statement, once.
    pub fn arm(&self, at: At, plug: Plug) {
        let mut state = self.shared.state();
        (state.seen, state.plug, state.hit) = (0, Some((at, plug)), None);
    }

    /// The statement that it has happened at.
    #[must_use]
    pub fn hit(&self) -> Option<String> {
        self.shared.state().hit.clone()
    }

    /// Waits until the answer of a statement is held, and returns the statement.
    ///
    /// # Panics
    /// There is no such statement.
    #[must_use]
    pub fn held(&self) -> String {
        wait::until("a statement is held", || {
            let state = self.shared.state();
            state.hit.clone().filter(|_| state.is_held)
        })
    }

    /// Passes on what is held.
    pub fn release(&self) {
        self.shared.state().is_held = false;
        self.shared.changed.notify_all();
    }

    /// Passes on new connections.
    pub fn come_up(&self) {
        self.shared.state().is_down = false;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts all connections, and closes new ones at once.
    fn go_down(&self) {
        let mut state = self.state();
        state.is_down = true;
        for connection in state.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        if self.state().is_down {
            return Ok(());
        }
        let server = TcpStream::connect(&self.target)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        self.state().connections.extend([client.try_clone()?, server.try_clone()?]);
        let connection = Arc::new(Connection { client, server, plug: Mutex::default() });
        let (asked, answered) = (Arc::clone(&connection), connection);
        let (shared, also_shared) = (Arc::clone(self), Arc::clone(self));
        // The end of a connection is no fault.
        thread::spawn(move || {
            let _ = also_shared.pass_answers(&answered);
            answered.close();
        });
        thread::spawn(move || {
            let _ = shared.pass_statements(&asked);
            asked.close();
        });
        Ok(())
    }

    /// Passes on what a client says, a statement at a time: as the protocol has it, up to its `Sync`.
    fn pass_statements(&self, connection: &Connection) -> io::Result<()> {
        let begin = startup(&connection.client)?;
        let is_writer = begin.windows(WRITER.len()).any(|found| found == WRITER.as_bytes());
        (&connection.server).write_all(&begin)?;
        let (mut names, mut statement, mut text) = (HashMap::new(), Vec::new(), String::new());
        loop {
            let message = read_message(&connection.client)?;
            if let Some(said) = text_of(&message, &mut names) {
                text = said;
            }
            statement.extend_from_slice(&message.bytes);
            if !message.ends_statement() {
                continue;
            }
            if is_writer
                && message.counts()
                && let Some(plug) = self.count(std::mem::take(&mut text))
            {
                if plug == Plug::Before {
                    return Ok(());
                }
                *connection.plug() = Some(plug);
            }
            (&connection.server).write_all(&statement)?;
            statement.clear();
        }
    }

    /// Counts a statement, and returns what happens at it.
    fn count(&self, text: String) -> Option<Plug> {
        let mut state = self.state();
        state.seen += 1;
        let seen = state.seen;
        let (_, plug) = state.plug.take_if(|(at, _)| match at {
            At::Number(number) => *number == seen,
            At::Text(wanted) => *wanted == text,
        })?;
        state.hit = Some(text);
        Some(plug)
    }

    fn pass_answers(&self, connection: &Connection) -> io::Result<()> {
        loop {
            let message = read_message(&connection.server)?;
            let is_end = message.ends_answer();
            let plug = *connection.plug();
            match plug {
                Some(Plug::After) if is_end => return Ok(()),
                Some(Plug::Away) if is_end => {
                    self.go_down();
                    return Ok(());
                }
                Some(Plug::Hold) if is_end => {
                    *connection.plug() = None;
                    self.hold();
                }
                Some(Plug::After | Plug::Away) => continue,
                _ => {}
            }
            (&connection.client).write_all(&message.bytes)?;
        }
    }

    fn hold(&self) {
        let mut state = self.state();
        state.is_held = true;
        while state.is_held {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Text of the statement that a message belongs to, if it names one.
fn text_of(message: &Message, names: &mut HashMap<String, String>) -> Option<String> {
    match message.kind {
        b'Q' => message.texts().next(),
        b'P' => {
            let [name, text] = [0, 1].map(|place| message.texts().nth(place).unwrap_or_default());
            names.insert(name, text.clone());
            Some(format!("prepare {text}"))
        }
        b'B' => names.get(&message.texts().nth(1)?).cloned(),
        _ => None,
    }
}

struct Connection {
    client: TcpStream,
    server: TcpStream,
    /// The fault at the answer of the current statement. Locked to take or put it only.
    plug: Mutex<Option<Plug>>,
}

impl Connection {
    fn plug(&self) -> MutexGuard<'_, Option<Plug>> {
        self.plug.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let _ = self.server.shutdown(Shutdown::Both);
        let _ = self.client.shutdown(Shutdown::Both);
    }
}
