//! Sessions, and the transport of plain requests. Real clients and WebSockets are in `e2e/tests/socketio.rs`.

use actix_web::{
    dev::ServiceResponse,
    http::StatusCode,
    test::{self, TestRequest},
    web::Bytes,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tributary_admission::Admission;
use tributary_config::Config;
use tributary_engine::{EditRequest, Running};
use tributary_store::{DatabaseUrl, Store};

use super::{
    packet::{NOOP, PING, SEPARATOR},
    session::Packet,
    *,
};
use crate::http::compat::rows::RowList;

/// A master without sources, whose routes are called directly.
struct Server {
    app: web::Data<App>,
    running: Running,
    _folder: TempDir,
}

impl Server {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: DatabaseUrl = folder.path().join("database.db").to_str().unwrap().parse().unwrap();
        drop(Store::open(&database).unwrap());
        let config = Config { database, ..Config::default() };
        let (engine, running) = Engine::over(&config, CancellationToken::new()).unwrap();
        let app = web::Data::new(App::new(engine, Admission::default(), None, 1_000));
        Self { app, running, _folder: folder }
    }

    async fn send(&self, request: TestRequest) -> (StatusCode, String) {
        let service = test::init_service(crate::http::server::router::app(self.app.clone())).await;
        let request = request.insert_header(("host", "localhost")).to_request();
        let response: ServiceResponse<_> = test::call_service(&service, request).await;
        let status = response.status();
        (status, String::from_utf8(test::read_body(response).await.to_vec()).unwrap())
    }

    async fn get(&self, query: &str) -> (StatusCode, String) {
        self.send(TestRequest::get().uri(&format!("{PATH}?{query}"))).await
    }

    async fn open(&self) -> String {
        let (status, body) = self.get("EIO=4&transport=polling").await;
        assert_eq!(status, StatusCode::OK, "{body}");
        let open: Value = serde_json::from_str(body.strip_prefix('0').unwrap()).unwrap();
        assert_eq!((&open["upgrades"], &open["pingInterval"]), (&json!(["websocket"]), &json!(25_000)));
        open["sid"].as_str().unwrap().to_owned()
    }

    async fn poll(&self, sid: &str) -> Vec<String> {
        let (status, body) = self.get(&format!("EIO=4&transport=polling&sid={sid}")).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body.split(SEPARATOR).map(str::to_owned).collect()
    }

    async fn post(&self, sid: &str, packets: &[&str]) -> (StatusCode, String) {
        let body = packets.join(&SEPARATOR.to_string());
        let path = format!("{PATH}?EIO=4&transport=polling&sid={sid}");
        self.send(TestRequest::post().uri(&path).set_payload(body)).await
    }

    async fn correct(&self, name: &str) {
        let texts = [("name", name), ("description", "d")].map(|(column, text)| (column.to_owned(), text.to_owned()));
        self.app
            .engine
            .change_edit("s", EditRequest::Replace(texts.to_vec()), tributary_engine::EditTerms::default())
            .await
            .unwrap();
    }

    async fn stop(self) {
        drop(self.app);
        self.running.stop().await;
    }
}

fn list(json: &str) -> RowList {
    RowList { json: json.as_bytes().to_vec(), is_cut: false }
}

fn texts(packets: Vec<Packet>) -> Vec<String> {
    let text = |packet| match packet {
        Packet::Own(text) => text,
        Packet::Shared(text) => String::from_utf8(text.to_vec()).unwrap(),
    };
    packets.into_iter().map(text).collect()
}

/// A session alone, with what it would be sent.
struct Alone {
    session: Session,
    feed: Feed,
    sessions: Sessions,
}

impl Alone {
    fn new() -> Self {
        let session = Session::new(Carrier::Polling, CancellationToken::new(), &CancellationToken::new());
        Self { session, feed: Feed::new(CompatConfig::default()), sessions: Sessions::default() }
    }

    fn receive(&self, packet: &str) -> Result<(), String> {
        self.session.receive(packet, &self.feed)
    }

    /// Takes the packets that wait, without the answers to joining.
    fn waiting(&self) -> Vec<String> {
        texts(self.session.take(&self.feed)).into_iter().filter(|packet| !packet.starts_with("40")).collect()
    }
}

#[actix_web::test]
async fn a_client_that_polls_gets_the_rows_as_they_change() {
    let server = Server::new();
    let app = server.app.clone();
    let client = async {
        let sid = server.open().await;
        assert_eq!(server.post(&sid, &["40", "427[\"request_update\"]"]).await, (StatusCode::OK, "ok".to_owned()));
        let mut packets = server.poll(&sid).await;
        let joined = packets.remove(0);
        assert!(joined.starts_with("40{\"sid\":\"") && !joined.contains(&sid), "{joined}");
        assert_eq!(packets.remove(0), "437[]");
        while packets.is_empty() {
            packets = server.poll(&sid).await;
        }
        assert_eq!(packets, [r#"42["csv_update",[]]"#]);
        server.correct("Pen").await;
        assert_eq!(server.poll(&sid).await, [r#"42["csv_update",[{"sku":"s","name":"Pen","description":"d"}]]"#]);
        server.post(&sid, &["40/tributary,"]).await;
        assert!(server.poll(&sid).await[0].starts_with("40/tributary,{\"sid\":"));
        server.correct("Nib").await;
        let mut packets = Vec::new();
        while packets.len() < 2 {
            packets.extend(server.poll(&sid).await);
        }
        packets.sort();
        assert_eq!(packets[0], r#"42/tributary,["edit",{"sku":"s"}]"#);
        assert_eq!(packets[1], r#"42["csv_update",[{"sku":"s","name":"Nib","description":"d"}]]"#);
        server.post(&sid, &["1"]).await;
        assert_eq!(server.app.socketio.clients(), 0);
        assert_eq!(server.get(&format!("EIO=4&transport=polling&sid={sid}")).await.0, StatusCode::BAD_REQUEST);
        // Nobody is left, so nothing is kept.
        while server.app.socketio.feed.rows().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = app.socketio.run(&app.engine) => unreachable!("it never ends"),
        () = client => {}
    }
    drop(app);
    server.stop().await;
}

#[actix_web::test]
async fn what_is_no_request_of_a_client_is_refused() {
    let server = Server::new();
    for query in [
        "",
        "EIO=4",
        "EIO=3&transport=polling",
        "transport=polling",
        "EIO=4&transport=carrier",
        "EIO=4&transport=polling&sid=unknown",
        "EIO=4&transport=websocket",
        "EIO=4&transport=websocket&sid=unknown",
    ] {
        let (status, body) = server.get(query).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {body}");
    }
    assert_eq!(server.app.socketio.clients(), 0);
    assert_eq!(server.post("unknown", &["40"]).await.0, StatusCode::BAD_REQUEST);
    let head = TestRequest::with_uri(&format!("{PATH}?EIO=4&transport=polling"));
    let (status, _) = server.send(head.method(actix_web::http::Method::HEAD)).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    let foreign = TestRequest::get().uri(&format!("{PATH}?EIO=4&transport=websocket"));
    let foreign = foreign.insert_header(("upgrade", "websocket")).insert_header(("origin", "http://evil.example"));
    assert_eq!(server.send(foreign).await.0, StatusCode::FORBIDDEN);
    // A parameter of a client's own means nothing.
    assert_eq!(server.get("EIO=4&transport=polling&t=abc&theme=dark").await.0, StatusCode::OK);
    server.stop().await;
}

#[actix_web::test]
async fn a_packet_that_cannot_be_understood_ends_the_session() {
    let server = Server::new();
    for packet in ["x", "42{", "4\u{e4}"] {
        let sid = server.open().await;
        let (status, body) = server.post(&sid, &["40", packet]).await;
        assert_eq!((status, server.app.socketio.clients()), (StatusCode::BAD_REQUEST, 0), "{packet}: {body}");
    }
    let sid = server.open().await;
    let (status, _) = server.post(&sid, &["3".repeat(MAX_BODY_BYTES + 1).as_str()]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    server.stop().await;
}

#[actix_web::test]
async fn a_session_is_polled_once_at_a_time() {
    let server = Server::new();
    let sid = server.open().await;
    let poll = async {
        let query = format!("EIO=4&transport=polling&sid={sid}");
        let (first, second) = tokio::join!(server.poll(&sid), server.get(&query));
        assert_eq!(first, [NOOP], "it is answered when the session ends");
        second.0
    };
    assert_eq!(poll.await, StatusCode::BAD_REQUEST);
    assert_eq!(server.app.socketio.clients(), 0);
    server.stop().await;
}

#[actix_web::test]
async fn there_are_at_most_so_many_clients() {
    let server = Server::new();
    let stop = CancellationToken::new();
    for _ in 1..MAX_SESSIONS {
        server.app.socketio.sessions.add(Session::new(Carrier::Polling, CancellationToken::new(), &stop)).unwrap();
    }
    let sid = server.open().await;
    let (status, body) = server.get("EIO=4&transport=polling").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    server.post(&sid, &["1"]).await;
    server.open().await;
    server.stop().await;
}

#[actix_web::test]
async fn a_stop_answers_every_poll() {
    let server = Server::new();
    let sid = server.open().await;
    let stop = async {
        tokio::task::yield_now().await;
        server.app.engine.shutdown().cancel();
    };
    let (packets, ()) = tokio::join!(server.poll(&sid), stop);
    assert_eq!(packets, [NOOP]);
    server.stop().await;
}

#[test]
fn shared_text_is_sent_in_pieces_of_it() {
    for length in [0, 1, 7, 8, 9, 16, 20] {
        let text = Bytes::from(vec![b'x'; length]);
        let pieces: Vec<_> = polling::cut(&text, 8).collect();
        assert!(pieces.concat() == text && pieces.iter().all(|piece| (1..=8).contains(&piece.len())), "{pieces:?}");
    }
}

#[tokio::test]
async fn an_answer_has_at_most_16_packets_pings_included() {
    let alone = Alone::new();
    for id in 0..20 {
        alone.receive("40").unwrap();
        alone.receive(&format!("42{id}[\"anything\"]")).unwrap();
    }
    alone.feed.publish(list("[]"), &alone.sessions);
    assert!(alone.session.pulse(Instant::now() + PING_INTERVAL));
    let mut all = Vec::new();
    for count in [16, 16, 10] {
        let packets = texts(alone.session.take(&alone.feed));
        assert_eq!(packets.len(), count, "{packets:?}");
        all.extend(packets);
    }
    assert_eq!(all[39..], ["4319[]", PING, r#"42["csv_update",[]]"#]);
    assert!(alone.waiting().is_empty());
}

#[tokio::test]
async fn rows_that_wait_are_replaced_by_newer_ones() {
    let alone = Alone::new();
    alone.feed.publish(list("[1]"), &alone.sessions);
    assert!(alone.waiting().is_empty(), "it is not in the namespace");
    alone.receive("40").unwrap();
    (2..100).for_each(|number| alone.feed.publish(list(&format!("[{number}]")), &alone.sessions));
    assert_eq!(alone.waiting(), [r#"42["csv_update",[99]]"#]);
    alone.feed.publish(list("[99]"), &alone.sessions);
    assert!(alone.waiting().is_empty(), "they are the same");
    alone.receive("42[\"request_update\"]").unwrap();
    assert_eq!(alone.waiting(), [r#"42["csv_update",[99]]"#]);
    alone.receive("41").unwrap();
    alone.feed.publish(list("[100]"), &alone.sessions);
    alone.receive("421[\"request_update\"]").unwrap();
    assert!(alone.waiting().is_empty(), "it has left");
}

#[tokio::test]
async fn a_client_that_is_too_far_behind_learns_that_it_missed_events() {
    let alone = Alone::new();
    let send = |from: i32, to: i32| {
        (from..to).for_each(|number| alone.feed.send(&alone.sessions, "edit", &format!("{{\"sku\":\"{number}\"}}")));
    };
    alone.receive("40/tributary,").unwrap();
    send(0, 2);
    assert_eq!(alone.waiting(), [0, 1].map(|number| format!("42/tributary,[\"edit\",{{\"sku\":\"{number}\"}}]")));
    send(2, 2_000);
    assert_eq!(alone.waiting(), ["42/tributary,[\"reset\",{}]"]);
    send(2_000, 2_001);
    assert_eq!(alone.waiting(), ["42/tributary,[\"edit\",{\"sku\":\"2000\"}]"]);
    alone.receive("41/tributary,").unwrap();
    send(0, 1);
    assert!(alone.waiting().is_empty(), "it has left");
}

#[tokio::test]
async fn a_client_that_asks_without_reading_is_dropped() {
    let alone = Alone::new();
    alone.receive("40").unwrap();
    let answered = (1..2_000).take_while(|id| alone.receive(&format!("42{id}[\"x\"]")).is_ok()).count();
    assert_eq!(answered, 999);
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_dropped() {
    let alone = Alone::new();
    let later = |seconds: u64| Instant::now() + Duration::from_secs(seconds);
    assert!(alone.session.pulse(later(24)));
    assert!(alone.waiting().is_empty());
    assert!(alone.session.pulse(later(26)));
    assert_eq!(alone.waiting(), [PING]);
    assert!(alone.session.pulse(later(45)) && alone.waiting().is_empty());
    alone.receive("3").unwrap();
    assert!(alone.session.pulse(later(24)));
    assert!(alone.session.pulse(later(26)));
    assert!(!alone.session.pulse(later(47)));
}

#[tokio::test]
async fn an_unknown_namespace_is_refused_and_the_others_go_on() {
    let alone = Alone::new();
    alone.receive("40/shop,").unwrap();
    let [refused] = &alone.waiting()[..] else { panic!("one answer") };
    assert!(refused.starts_with("44/shop,{\"message\":\"there is no namespace `/shop`"), "{refused}");
    alone.receive("42/shop,1[\"x\"]").unwrap();
    alone.receive("40").unwrap();
    alone.receive("422[\"x\"]").unwrap();
    assert_eq!(alone.waiting(), ["432[]"]);
}

#[tokio::test]
async fn a_client_that_polls_while_it_tries_a_websocket_is_answered() {
    let alone = Alone::new();
    assert!(alone.session.probe() && !alone.session.probe());
    assert_eq!(texts(alone.session.polled(&alone.feed).await), [NOOP]);
    alone.receive("40").unwrap();
    alone.session.probed(Carrier::WebSocket);
    assert_eq!(texts(alone.session.polled(&alone.feed).await), [NOOP], "packets are left for the WebSocket");
    assert_eq!(alone.session.next(&alone.feed, Carrier::WebSocket).await.len(), 1);
    assert!(alone.session.poll().is_none());
}
