//! A connection that fails: a TCP proxy before a server that counts, holds up and cuts what a client sends.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use tributary_testkit::wait;

/// A proxy; it runs until the test process ends.
pub struct Proxy {
    /// Its URL, without a slash at the end.
    pub url: String,
    shared: Arc<Shared>,
}

struct Shared {
    /// Address of the server.
    target: String,
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
        self.state().connections.extend([client.try_clone()?, server.try_clone()?]);
        let (from, to, shared) = (client.try_clone()?, server.try_clone()?, Arc::clone(self));
        thread::spawn(move || shared.pass_on(from, to));
        thread::spawn(move || {
            let (mut server, mut client) = (server, client);
            let _ = io::copy(&mut server, &mut client);
            let _ = client.shutdown(Shutdown::Both);
        });
        Ok(())
    }

    /// Passes on what a client sends, as far as the limit.
    fn pass_on(&self, mut client: TcpStream, mut server: TcpStream) {
        let mut chunk = vec![0; 64 << 10];
        while let Ok(count @ 1..) = client.read(&mut chunk) {
            let mut state = self.state();
            while state.limit.is_some_and(|limit| state.sent >= limit) {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            drop(state);
            if server.write_all(&chunk[..count]).is_err() {
                break;
            }
            self.state().sent += count as u64;
        }
        let _ = server.shutdown(Shutdown::Both);
    }
}
