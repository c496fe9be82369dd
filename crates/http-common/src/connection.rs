//! An accepted connection: its settings, and the end that it gets when its client takes an answer too slowly, or asks for nothing.
//!
//! The library holds the socket, and is asked only when it can go on. So only a second handle of the socket can let a client go that does
//! nothing. The library's own limit for the head of a request is off:
//! it answers 408 where nothing was asked, which a client that begins to ask just then takes for its answer, and it does not hold
//! for the second request of a connection.

use std::{
    cell::{Cell, RefCell},
    io,
    mem::MaybeUninit,
    net::{Shutdown, SocketAddr},
    rc::{Rc, Weak},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use actix_web::rt::{self, net::TcpStream, task::JoinHandle};
use socket2::{SockRef, Socket};
use tributary_pace::{MAX_PATIENCE, Pace};

use crate::reading::{Body, Reading};

/// Bytes that the system holds for a client beside those that are under way. It makes the speed of the client visible, and
/// bounds its memory: without it some 2.5 MB are accepted at once, and then nothing until a third of them is taken. A client that takes
/// nothing is given so many bytes, whatever they cost.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 64 << 10;
/// Patiences after an answer in which the client must have taken the last of it, or asked for more as a whole.
const TAIL: u32 = 2;
/// Time after which the system itself gives up a client that takes nothing. It does not tell the client, who would wait for ever, so it
/// must come behind our own end.
const ABANDONED: Duration = Duration::from_secs(120);
/// Connections of one thread that ask for nothing. With more of them, the one that has waited longest is let go.
const MAX_SILENT: usize = 1_000;
/// Connections of one thread whose client has not taken what it was given. With more of them, the one that is waited for longest is let go:
/// each holds some 50 KiB, most of it the answer. Few in tests, which have few sockets.
const MAX_WAITED: usize = if cfg!(test) { 8 } else { 500 };
/// Time that a client was waited for from which on it may be let go in favour of others; of so many that take nothing, it is shorter.
const MIN_WAIT: Duration = Duration::from_secs(2);
const MIN_WAIT_OF_MANY: Duration = Duration::from_millis(500);
/// Bounds of the interval in which all connections are looked at.
const LOOK_INTERVAL: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// One connection, which belongs to one thread.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The server's own end. Where a server listens on every address, this is the one that the client asked.
    pub(crate) local: Option<SocketAddr>,
    /// A second handle of the socket.
    socket: Option<Socket>,
    patience: Duration,
    /// Borrowed for one change only.
    taking: RefCell<Taking>,
    /// Borrowed for one change only.
    reading: RefCell<Reading>,
}

/// The speed at which the client takes answers, and asks for them.
#[derive(Debug)]
struct Taking {
    pace: Pace,
    /// Since when the client does not take what it is given.
    waits: Option<Instant>,
    /// Since when a request is waited for, and until when: since the client connected, or the last answer had no more to give.
    silent: Option<(Instant, Instant)>,
}

thread_local! {
    /// The connections of this thread.
    static ALL: RefCell<Vec<Weak<Connection>>> = const { RefCell::new(Vec::new()) };
    /// Number of their clients that do not take what they are given.
    static WAITED: Cell<usize> = const { Cell::new(0) };
    /// The task that looks at them.
    static LOOKS: RefCell<Option<JoinHandle<()>>> = const { RefCell::new(None) };
}

#[cfg(target_os = "linux")]
fn limit_buffers(socket: &SockRef<'_>, timeout: Duration) {
    // A connection that refuses them only lasts longer, or takes more memory of the system.
    let _ = socket.set_tcp_user_timeout(Some(timeout));
    let _ = socket.set_tcp_notsent_lowat(MAX_UNSENT_BYTES);
}

#[cfg(not(target_os = "linux"))]
fn limit_buffers(_: &SockRef<'_>, _: Duration) {}

fn watch(connection: &Rc<Connection>, patience: Duration) {
    let [least, most] = LOOK_INTERVAL;
    let interval = (patience / 6).clamp(least, most);
    ALL.with_borrow_mut(|all| {
        all.push(Rc::downgrade(connection));
        if all.len() > MAX_SILENT {
            all.retain(|connection| connection.strong_count() > 0);
        }
    });
    let_longest_go(|client| client.silent_for(), MAX_SILENT, MIN_WAIT);
    LOOKS.with_borrow_mut(|task| {
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            *task = Some(rt::spawn(async move {
                loop {
                    rt::time::sleep(interval).await;
                    look();
                }
            }));
        }
    });
}

/// Lets slow clients go, and forgets connections that have ended.
fn look() {
    ALL.with_borrow_mut(|all| {
        all.retain(|connection| {
            let Some(connection) = connection.upgrade() else { return false };
            if connection.is_too_slow() {
                connection.cut("it takes its answer too slowly, or asks for nothing");
            }
            true
        });
    });
    // They may not have waited for long enough when the last one began to.
    while let_longest_go(Connection::waited, MAX_WAITED, MIN_WAIT_OF_MANY) {}
}

/// Lets go the client of this thread that has been waited for longest while it takes an answer. Returns whether there was one.
pub(crate) fn let_slowest_go() -> bool {
    let_longest_go(Connection::waited, 0, MIN_WAIT_OF_MANY)
}

/// Lets go the client that has been waited for longest, if more than `most` are waited for, and it at least for `least`. Returns whether there
/// was one.
fn let_longest_go(waited: impl Fn(&Connection) -> Option<Duration>, most: usize, least: Duration) -> bool {
    ALL.with_borrow(|all| {
        if all.len() <= most {
            return false;
        }
        let clients = all.iter().filter_map(Weak::upgrade);
        let waiting: Vec<_> = clients.filter_map(|client| Some((waited(&client)?, client))).collect();
        let longest = waiting.iter().max_by_key(|(waited, _)| *waited).filter(|(waited, _)| *waited >= least);
        let longest = longest.filter(|_| waiting.len() > most);
        longest.is_some_and(|(_, client)| {
            client.cut("others need its place");
            true
        })
    })
}

impl Connection {
    /// Takes charge of a connection that was accepted: remembers at which address it arrived, sends small pieces at once, and lets its client
    /// go if it takes less than the least speed over `patience`, or asks for nothing.
    pub(crate) fn open(tcp: &TcpStream, patience: Duration) -> Rc<Self> {
        let (socket, patience) = (SockRef::from(tcp), patience.min(MAX_PATIENCE));
        // A streamed response is written in several pieces. With Nagle's algorithm the last one waits for the client's delayed
        // acknowledgement, 40 ms per small file: a master needed 13 s to load 2,000 one-row files, and 0.6 s with this option.
        // A connection that refuses it is only slower.
        let _ = tcp.set_nodelay(true);
        limit_buffers(&socket, ABANDONED);
        let now = Instant::now();
        let taking = Taking { pace: Pace::new(patience), waits: None, silent: Some((now, now + patience)) };
        let connection = Rc::new(Self {
            local: tcp.local_addr().ok(),
            // Without it, the connection lasts as long as the system lets it.
            socket: socket.try_clone().ok(),
            patience,
            taking: RefCell::new(taking),
            reading: RefCell::default(),
        });
        watch(&connection, patience);
        connection
    }

    /// Notes that a request is being answered: the client has taken all before.
    pub(crate) fn begins(&self, body: Body) {
        self.taking.borrow_mut().silent = None;
        self.reading.borrow_mut().begin(body);
    }

    /// Notes that the answer has ended.
    pub(crate) fn ended(&self) {
        self.taking.borrow_mut().silent = Some(self.silence());
        self.reading.borrow_mut().end();
    }

    fn silence(&self) -> (Instant, Instant) {
        let now = Instant::now();
        (now, now + TAIL * self.patience)
    }

    /// Returns how many bytes may be read.
    pub(crate) fn poll_turn(&self, cx: &mut Context<'_>) -> Poll<u64> {
        let is_blocked = self.taking.borrow().waits.is_some();
        self.reading.borrow_mut().poll_turn(is_blocked, cx)
    }

    /// Returns how many of these bytes are given to the library.
    pub(crate) fn give(&self, bytes: &[u8]) -> usize {
        self.reading.borrow_mut().give(bytes)
    }

    /// Notes that the client takes nothing at the moment.
    pub(crate) fn takes_nothing(&self) {
        let is_first = self.taking.borrow().waits.is_none();
        if is_first {
            self.taking.borrow_mut().waits = Some(Instant::now());
            WAITED.set(WAITED.get() + 1);
            if WAITED.get() > MAX_WAITED {
                let_longest_go(Self::waited, MAX_WAITED, MIN_WAIT_OF_MANY);
            }
        }
    }

    /// Notes that the client takes bytes.
    ///
    /// # Errors
    /// It was too slow.
    pub(crate) fn takes(&self, bytes: usize) -> io::Result<()> {
        let Some(since) = self.is_waited_for_no_more() else { return Ok(()) };
        let mut taking = self.taking.borrow_mut();
        taking.silent = taking.silent.map(|_| self.silence());
        let moved = taking.pace.moved(since.elapsed(), bytes as u64);
        moved.map_err(|slow| io::Error::new(io::ErrorKind::TimedOut, slow))?;
        self.reading.borrow_mut().wake();
        Ok(())
    }

    fn is_waited_for_no_more(&self) -> Option<Instant> {
        let since = self.taking.borrow_mut().waits.take();
        if since.is_some() {
            // The thread may be ending.
            let _ = WAITED.try_with(|count| count.set(count.get() - 1));
        }
        since
    }

    /// A handle of the socket by which others can see whether the client is still there.
    pub(crate) fn socket(&self) -> Option<Socket> {
        self.socket.as_ref().and_then(|socket| socket.try_clone().ok())
    }

    fn waited(&self) -> Option<Duration> {
        self.taking.borrow().waits.map(|since| since.elapsed())
    }

    /// For how long a request is waited for.
    fn silent_for(&self) -> Option<Duration> {
        let taking = self.taking.borrow();
        taking.silent.filter(|_| taking.waits.is_none()).map(|(since, _)| since.elapsed())
    }

    fn is_too_slow(&self) -> bool {
        let taking = self.taking.borrow();
        match taking.waits {
            Some(since) => taking.pace.is_too_slow(since.elapsed()),
            None => taking.silent.is_some_and(|(_, until)| Instant::now() >= until) && !self.is_heard(),
        }
    }

    /// Whether the client has sent what nobody has read yet: it is not late, but we are.
    fn is_heard(&self) -> bool {
        let peek = |socket: &Socket| matches!(socket.peek(&mut [MaybeUninit::uninit()]), Ok(1..));
        self.socket.as_ref().is_some_and(peek)
    }

    /// Breaks the connection. What the system still holds for the client is dropped.
    fn cut(&self, why: &str) {
        // Nobody is let go twice.
        self.is_waited_for_no_more();
        self.taking.borrow_mut().silent = None;
        let Some(socket) = &self.socket else { return };
        tracing::debug!("a client is let go: {why}");
        // Both fail only on a connection that is gone.
        let _ = socket.set_linger(Some(Duration::ZERO));
        let _ = socket.shutdown(Shutdown::Both);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.is_waited_for_no_more();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    async fn pair() -> (std::net::TcpStream, TcpStream) {
        let listener = rt::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    fn check(tcp: &TcpStream, connection: &Connection) {
        assert!(tcp.nodelay().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(SockRef::from(tcp).tcp_user_timeout().unwrap(), Some(ABANDONED));
        assert_eq!(connection.local, Some(tcp.local_addr().unwrap()));
    }

    #[actix_web::test]
    async fn a_connection_knows_its_address_and_does_not_wait() {
        let (_client, tcp) = pair().await;
        assert!(!tcp.nodelay().unwrap(), "else this tests nothing");
        check(&tcp, &Connection::open(&tcp, MAX_PATIENCE));
    }

    #[actix_web::test]
    async fn a_client_that_takes_nothing_is_cut_off_and_others_stay() {
        let (mut client, tcp) = pair().await;
        let (other_client, other) = pair().await;
        let patience = Duration::from_secs(1);
        let (connection, other) = (Connection::open(&tcp, patience), Connection::open(&other, patience));
        for connection in [&connection, &other] {
            connection.begins(Body::None);
        }
        connection.takes_nothing();
        let read = rt::task::spawn_blocking(move || client.read(&mut [0; 1]).map_err(|error| error.kind()));
        // A clean end, not a reset, because nothing was under way.
        assert_eq!(read.await.unwrap(), Ok(0));
        other_client.set_nonblocking(true).unwrap();
        assert_eq!((&other_client).read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(other);
    }

    /// Six thousand clients that sent 20 requests each, and took nothing, used to cost 217 MiB.
    #[actix_web::test]
    async fn few_clients_that_take_nothing_are_waited_for_together() {
        let mut clients = Vec::new();
        for number in 0..MAX_WAITED {
            let (client, tcp) = pair().await;
            let connection = Connection::open(&tcp, MAX_PATIENCE);
            connection.begins(Body::None);
            connection.takes_nothing();
            let since = Instant::now().checked_sub(MIN_WAIT_OF_MANY + Duration::from_millis(number as u64)).unwrap();
            connection.taking.borrow_mut().waits = Some(since);
            client.set_nonblocking(true).unwrap();
            clients.push((client, tcp, connection));
        }
        let is_cut = |mut client: &std::net::TcpStream| matches!(client.read(&mut [0; 1]), Ok(0));
        let (_client, tcp) = pair().await;
        let another = Connection::open(&tcp, MAX_PATIENCE);
        assert!(!clients.iter().any(|(client, ..)| is_cut(client)));
        another.takes_nothing();
        let cut: Vec<bool> = clients.iter().map(|(client, ..)| is_cut(client)).collect();
        assert_eq!(cut.iter().filter(|cut| **cut).count(), 1, "{cut:?}");
        assert!(cut[MAX_WAITED - 1], "the one that was waited for longest");
        drop((clients, another));
        assert_eq!(WAITED.get(), 0);
    }
}
