//! An accepted connection: its settings, and the end that it gets when its client takes an answer too slowly, or asks for nothing.
//!
//! The library holds the socket, and polls a body only while its own buffer has room. So whoever waits for a slow client is never
//! asked, and only a second handle of the socket can let that client go. The library's own limit for the head of a request is off:
//! it answers 408 where nothing was asked, which a client that begins to ask just then takes for its answer, and it does not hold
//! for the second request of a connection.

use std::{
    any::Any,
    cell::RefCell,
    mem::MaybeUninit,
    net::{Shutdown, SocketAddr},
    rc::{Rc, Weak},
    time::{Duration, Instant},
};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    dev::Extensions,
    rt::{self, net::TcpStream, task::JoinHandle},
};
use socket2::{SockRef, Socket};
use tributary_pace::{MAX_PATIENCE, Pace};

/// Bytes that the system holds for a client beside those that are under way. It makes the speed of the client visible, and
/// bounds its memory: without it some 2.5 MB are accepted at once, and then nothing until a third of them is taken.
#[cfg(target_os = "linux")]
const MAX_UNSENT_BYTES: u32 = 256 << 10;
/// Patiences after an answer in which the client must have taken the last of it, or asked for more as a whole.
const TAIL: u32 = 2;
/// Time after which the system itself gives up a client that takes nothing. It does not tell the client, who would wait for ever, so it
/// must come behind our own end.
const ABANDONED: Duration = Duration::from_secs(120);
/// Connections of one thread that ask for nothing. With more of them, the one that has waited longest is let go.
const MAX_SILENT: usize = 1_000;
/// Connections of one thread whose client has not taken what it was given. With more of them, the one that is waited for longest is let go:
/// each holds some 110 KiB, with an answer and up to 16 requests of one that sends them together. Few in tests, which have few sockets.
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
}

/// The speed at which the client takes answers, and asks for them.
#[derive(Debug)]
struct Taking {
    pace: Pace,
    /// Bytes that the library got last, and since when it has not asked for more.
    waits: Option<(u64, Instant)>,
    /// Since when a request is waited for, and until when: since the client connected, or the last answer had no more to give.
    silent: Option<(Instant, Instant)>,
}

thread_local! {
    /// The connections of this thread.
    static ALL: RefCell<Vec<Weak<Connection>>> = const { RefCell::new(Vec::new()) };
    /// The task that looks at them.
    static LOOKS: RefCell<Option<JoinHandle<()>>> = const { RefCell::new(None) };
}

/// Prepares each connection of a server: remembers at which address it arrived, sends small pieces at once, and lets its client go if it
/// takes less than the least speed over `patience`, or asks for nothing.
pub(crate) fn prepare_connection(patience: Duration) -> impl Fn(&dyn Any, &mut Extensions) + Send + Clone + 'static {
    let patience = patience.min(MAX_PATIENCE);
    move |connection, data| {
        let below = || connection.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0);
        let Some(tcp) = connection.downcast_ref::<TcpStream>().or_else(below) else { return };
        let socket = SockRef::from(tcp);
        // A streamed response is written in several pieces. With Nagle's algorithm the last one waits for the client's delayed
        // acknowledgement, 40 ms per small file: a master needed 13 s to load 2,000 one-row files, and 0.6 s with this option.
        // A connection that refuses it is only slower.
        let _ = tcp.set_nodelay(true);
        limit_buffers(&socket, ABANDONED);
        let now = Instant::now();
        let taking = Taking { pace: Pace::new(patience), waits: None, silent: Some((now, now + patience)) };
        let connection = Rc::new(Connection {
            local: tcp.local_addr().ok(),
            // Without it, the connection lasts as long as the system lets it.
            socket: socket.try_clone().ok(),
            patience,
            taking: RefCell::new(taking),
        });
        watch(&connection, patience);
        data.insert(connection);
    }
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
    let_longest_go(Connection::waited, MAX_WAITED, MIN_WAIT_OF_MANY);
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
            if connection.is_too_slow() && !connection.is_heard() {
                connection.cut("it takes its answer too slowly, or asks for nothing");
            }
            true
        });
    });
    // Clients may connect first, and ask together.
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
    /// Notes that the client asks for something: it has taken all before.
    pub(crate) fn asks(&self) {
        self.taking.borrow_mut().silent = None;
    }

    /// Notes that the client has taken what it got, and wants more.
    ///
    /// # Errors
    /// It was too slow.
    pub(crate) fn wants_more(&self) -> Result<(), tributary_pace::TooSlow> {
        let mut taking = self.taking.borrow_mut();
        match taking.waits.take() {
            Some((bytes, since)) => taking.pace.moved(since.elapsed(), bytes),
            None => Ok(()),
        }
    }

    /// Notes that the client is given bytes.
    pub(crate) fn given(&self, bytes: usize) {
        self.taking.borrow_mut().waits = Some((bytes as u64, Instant::now()));
    }

    /// Notes that an answer has ended.
    pub(crate) fn ended(&self) {
        let now = Instant::now();
        let mut taking = self.taking.borrow_mut();
        (taking.waits, taking.silent) = (None, Some((now, now + TAIL * self.patience)));
    }

    /// A handle of the socket by which others can see whether the client is still there.
    pub(crate) fn socket(&self) -> Option<Socket> {
        self.socket.as_ref().and_then(|socket| socket.try_clone().ok())
    }

    fn waited(&self) -> Option<Duration> {
        self.taking.borrow().waits.map(|(_, since)| since.elapsed())
    }

    /// For how long a request is waited for.
    fn silent_for(&self) -> Option<Duration> {
        self.taking.borrow().silent.map(|(since, _)| since.elapsed())
    }

    fn is_too_slow(&self) -> bool {
        let taking = self.taking.borrow();
        let is_silent = taking.silent.is_some_and(|(_, until)| Instant::now() >= until);
        is_silent || taking.waits.is_some_and(|(_, since)| taking.pace.is_too_slow(since.elapsed()))
    }

    /// Whether the client has sent what nobody has read yet: it is not late, but we are.
    fn is_heard(&self) -> bool {
        let is_silent = self.taking.borrow().silent.is_some();
        let socket = self.socket.as_ref().filter(|_| is_silent);
        socket.is_some_and(|socket| matches!(socket.peek(&mut [MaybeUninit::uninit()]), Ok(1..)))
    }

    /// Breaks the connection. What the system still holds for the client is dropped.
    fn cut(&self, why: &str) {
        // Nobody is let go twice.
        (self.taking.borrow_mut().waits, self.taking.borrow_mut().silent) = (None, None);
        let Some(socket) = &self.socket else { return };
        tracing::debug!("a client is let go: {why}");
        // Both fail only on a connection that is gone.
        let _ = socket.set_linger(Some(Duration::ZERO));
        let _ = socket.shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, sync::Arc};

    use tributary_tls::{PairInForce, TlsFiles, Trust};

    use super::*;

    async fn pair() -> (std::net::TcpStream, TcpStream) {
        let listener = rt::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().await.unwrap().0)
    }

    fn check(tcp: &TcpStream, data: &Extensions) {
        assert!(tcp.nodelay().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(SockRef::from(tcp).tcp_user_timeout().unwrap(), Some(ABANDONED));
        let connection = data.get::<Rc<Connection>>().unwrap();
        assert_eq!(connection.local, Some(tcp.local_addr().unwrap()));
    }

    #[actix_web::test]
    async fn a_connection_knows_its_address_and_does_not_wait() {
        let (_client, tcp) = pair().await;
        assert!(!tcp.nodelay().unwrap(), "else this tests nothing");
        let mut data = Extensions::new();
        prepare_connection(MAX_PATIENCE)(&tcp, &mut data);
        check(&tcp, &data);
    }

    #[actix_web::test]
    async fn a_client_that_takes_nothing_is_cut_off_and_others_stay() {
        let (mut client, tcp) = pair().await;
        let (other_client, other) = pair().await;
        let (mut data, mut other_data) = (Extensions::new(), Extensions::new());
        let prepare = prepare_connection(Duration::from_secs(1));
        prepare(&tcp, &mut data);
        prepare(&other, &mut other_data);
        let connection = |data: &Extensions| Rc::clone(data.get::<Rc<Connection>>().unwrap());
        for data in [&data, &other_data] {
            connection(data).asks();
        }
        connection(&data).given(1);
        let read = rt::task::spawn_blocking(move || client.read(&mut [0; 1]).map_err(|error| error.kind()));
        // A clean end, not a reset, because nothing was under way.
        assert_eq!(read.await.unwrap(), Ok(0));
        other_client.set_nonblocking(true).unwrap();
        assert_eq!((&other_client).read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }

    /// Six thousand clients that sent 20 requests each, and took nothing, used to cost 217 MiB.
    #[actix_web::test]
    async fn few_clients_that_take_nothing_are_waited_for_together() {
        let prepare = prepare_connection(MAX_PATIENCE);
        let mut clients = Vec::new();
        for number in 0..=MAX_WAITED {
            let (client, tcp) = pair().await;
            let mut data = Extensions::new();
            prepare(&tcp, &mut data);
            let connection = data.get::<Rc<Connection>>().unwrap();
            connection.asks();
            let since = Instant::now().checked_sub(MIN_WAIT_OF_MANY + Duration::from_millis(number as u64)).unwrap();
            connection.taking.borrow_mut().waits = Some((1, since));
            client.set_nonblocking(true).unwrap();
            clients.push((client, tcp, data));
        }
        // One more is let in, and takes its answers.
        let (_client, tcp) = pair().await;
        prepare(&tcp, &mut Extensions::new());
        let is_cut = |mut client: &std::net::TcpStream| matches!(client.read(&mut [0; 1]), Ok(0));
        let cut: Vec<bool> = clients.iter().map(|(client, ..)| is_cut(client)).collect();
        assert_eq!(cut.iter().filter(|cut| **cut).count(), 1, "{cut:?}");
        assert!(cut[MAX_WAITED], "the one that was waited for longest");
    }

    #[actix_web::test]
    async fn an_encrypted_connection_is_prepared_below_its_encryption() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| Some(folder.path().join(name));
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(path("c").unwrap(), made.cert.pem()).unwrap();
        std::fs::write(path("k").unwrap(), made.signing_key.serialize_pem()).unwrap();
        let pair = PairInForce::read(&TlsFiles { tls_cert: path("c"), tls_key: path("k") }).unwrap().unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(pair.server().unwrap()));
        let client = Trust::pinned(pair.pin().unwrap()).client().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connect = async {
            let connection = TcpStream::connect(address).await.unwrap();
            let name = "localhost".try_into().unwrap();
            tokio_rustls::TlsConnector::from(Arc::new(client)).connect(name, connection).await.unwrap()
        };
        let accept = async { acceptor.accept(listener.accept().await.unwrap().0).await.unwrap() };
        let (_client, accepted) = tokio::join!(connect, accept);
        let (connection, mut data) = (TlsStream::from(accepted), Extensions::new());
        prepare_connection(MAX_PATIENCE)(&connection, &mut data);
        check(connection.get_ref().0, &data);
    }
}
