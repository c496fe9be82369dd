//! An accepted connection: its settings, and the end that it gets when its client takes an answer too slowly.
//!
//! The library holds the socket, and polls a body only while its own buffer has room. So whoever waits for a slow client is never
//! asked, and only a second handle of the socket can let that client go.

use std::{
    any::Any,
    cell::RefCell,
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
/// Time after an answer in which the client must have taken the last of it, or asked for more.
const TAIL: Duration = Duration::from_secs(60);
/// Time that a client was waited for from which on it may be let go in favour of others.
const MIN_WAIT: Duration = Duration::from_secs(2);
/// Bounds of the interval in which all connections are looked at.
const LOOK_INTERVAL: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// One connection, which belongs to one thread.
#[derive(Debug)]
pub(crate) struct Connection {
    /// The server's own end. Where a server listens on every address, this is the one that the client asked.
    pub(crate) local: Option<SocketAddr>,
    /// A second handle of the socket.
    socket: Option<Socket>,
    /// Borrowed for one change only.
    taking: RefCell<Taking>,
}

/// The speed at which the client takes answers.
#[derive(Debug)]
struct Taking {
    pace: Pace,
    /// Bytes that the library got last, and since when it has not asked for more.
    waits: Option<(u64, Instant)>,
    /// When the last answer had no more to give.
    ended: Option<Instant>,
}

thread_local! {
    /// The connections of this thread.
    static ALL: RefCell<Vec<Weak<Connection>>> = const { RefCell::new(Vec::new()) };
    /// The task that looks at them.
    static LOOKS: RefCell<Option<JoinHandle<()>>> = const { RefCell::new(None) };
}

/// Prepares each connection of a server: remembers at which address it arrived, sends small pieces at once, and lets its client go if it
/// takes less than the least speed over `patience`. Pass it to `HttpServer::on_connect`.
pub fn prepare_connection(patience: Duration) -> impl Fn(&dyn Any, &mut Extensions) + Send + Clone + 'static {
    move |connection, data| {
        let below = || connection.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0);
        let Some(tcp) = connection.downcast_ref::<TcpStream>().or_else(below) else { return };
        let socket = SockRef::from(tcp);
        // A streamed response is written in several pieces. With Nagle's algorithm the last one waits for the client's delayed
        // acknowledgement, 40 ms per small file: a master needed 13 s to load 2,000 one-row files, and 0.6 s with this option.
        // A connection that refuses it is only slower.
        let _ = tcp.set_nodelay(true);
        limit_buffers(&socket);
        let taking = Taking { pace: Pace::new(patience), waits: None, ended: None };
        let connection = Rc::new(Connection {
            local: tcp.local_addr().ok(),
            // Without it, the connection lasts as long as the system lets it.
            socket: socket.try_clone().ok(),
            taking: RefCell::new(taking),
        });
        watch(&connection, patience);
        data.insert(connection);
    }
}

#[cfg(target_os = "linux")]
fn limit_buffers(socket: &SockRef<'_>) {
    // A connection that refuses them only lasts longer, or takes more memory of the system.
    let _ = socket.set_tcp_user_timeout(Some(TAIL));
    let _ = socket.set_tcp_notsent_lowat(MAX_UNSENT_BYTES);
}

#[cfg(not(target_os = "linux"))]
fn limit_buffers(_: &SockRef<'_>) {}

fn watch(connection: &Rc<Connection>, patience: Duration) {
    let [least, most] = LOOK_INTERVAL;
    let interval = (patience.min(MAX_PATIENCE) / 6).clamp(least, most);
    ALL.with_borrow_mut(|all| all.push(Rc::downgrade(connection)));
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
                connection.cut();
            }
            true
        });
    });
}

/// Lets go the client of this thread that has been waited for longest, if that is long.
pub(crate) fn let_slowest_go() {
    ALL.with_borrow(|all| {
        let waiting = all.iter().filter_map(Weak::upgrade).filter_map(|client| Some((client.waited()?, client)));
        let slowest = waiting.max_by_key(|(waited, _)| *waited).filter(|(waited, _)| *waited >= MIN_WAIT);
        if let Some((_, client)) = slowest {
            client.cut();
        }
    });
}

impl Connection {
    /// Notes that the client asks for something: it has taken all before.
    pub(crate) fn asks(&self) {
        self.taking.borrow_mut().ended = None;
    }

    /// Notes that the client has taken what it got, and wants more.
    ///
    /// # Errors
    /// It was too slow.
    pub(crate) fn wants_more(&self) -> Result<(), tributary_pace::TooSlow> {
        let mut taking = self.taking.borrow_mut();
        taking.ended = None;
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
        let mut taking = self.taking.borrow_mut();
        (taking.waits, taking.ended) = (None, Some(Instant::now()));
    }

    /// A handle of the socket by which others can see whether the client is still there.
    pub(crate) fn socket(&self) -> Option<Socket> {
        self.socket.as_ref().and_then(|socket| socket.try_clone().ok())
    }

    fn waited(&self) -> Option<Duration> {
        self.taking.borrow().waits.map(|(_, since)| since.elapsed())
    }

    fn is_too_slow(&self) -> bool {
        let taking = self.taking.borrow();
        let is_tail_late = taking.ended.is_some_and(|ended| ended.elapsed() >= TAIL);
        is_tail_late || taking.waits.is_some_and(|(_, since)| taking.pace.is_too_slow(since.elapsed()))
    }

    /// Breaks the connection. What the system still holds for the client is dropped.
    fn cut(&self) {
        let Some(socket) = &self.socket else { return };
        tracing::debug!("a client takes its answer too slowly and is let go");
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
        assert_eq!(SockRef::from(tcp).tcp_user_timeout().unwrap(), Some(TAIL));
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
        data.get::<Rc<Connection>>().unwrap().given(1);
        let read = rt::task::spawn_blocking(move || client.read(&mut [0; 1]).map_err(|error| error.kind()));
        // A clean end, not a reset, because nothing was under way.
        assert_eq!(read.await.unwrap(), Ok(0));
        other_client.set_nonblocking(true).unwrap();
        assert_eq!((&other_client).read(&mut [0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
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
