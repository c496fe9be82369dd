//! Packets as text: those of Engine.IO, and those of Socket.IO in them. See
//! <https://socket.io/docs/v4/engine-io-protocol/> and <https://socket.io/docs/v4/socket-io-protocol/>.

use serde_json::{Value, json};

use super::{MAX_BODY_BYTES, PING_INTERVAL, PING_TIMEOUT};

/// Separates packets in a body.
pub(super) const SEPARATOR: char = '\x1e';
/// Asks a client whether it is there.
pub(super) const PING: &str = "2";
/// Carries nothing: it ends a poll.
pub(super) const NOOP: &str = "6";
/// Asks over a new WebSocket whether it works, and the answer.
pub(super) const PROBE: &str = "2probe";
pub(super) const PROBED: &str = "3probe";
/// Says that a client goes over to its WebSocket.
pub(super) const UPGRADE: &str = "5";

/// Longest name of a namespace, which an answer repeats.
const MAX_NAMESPACE_BYTES: usize = 256;
/// Digits of the number by which a client knows an acknowledgement.
const MAX_ID_DIGITS: usize = 20;

/// A packet of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    /// It goes.
    Close,
    /// It is there.
    Pong,
    /// It joins a namespace.
    Join { namespace: &'a str },
    /// It leaves a namespace.
    Leave { namespace: &'a str },
    /// An event. With an id, it wants to know that the event has arrived.
    Event { namespace: &'a str, id: Option<&'a str>, name: String },
    /// Anything that needs no answer.
    Other,
}

/// Reads a packet.
///
/// # Errors
/// The reason why it is none.
pub(super) fn parse(packet: &str) -> Result<Incoming<'_>, String> {
    match packet.chars().next() {
        Some('1') => Ok(Incoming::Close),
        Some('3') => Ok(Incoming::Pong),
        Some('4') => message(&packet[1..]),
        // Answers to what is never asked, and binary data.
        Some('2' | '5' | '6' | 'b') => Ok(Incoming::Other),
        _ => Err("this is no packet of Engine.IO".to_owned()),
    }
}

/// Reads a packet of Socket.IO.
fn message(packet: &str) -> Result<Incoming<'_>, String> {
    let Some(kind) = packet.chars().next() else { return Err("an empty packet of Socket.IO".to_owned()) };
    let (namespace, rest) = match packet.get(1..).unwrap_or_default() {
        rest if rest.starts_with('/') => rest.split_once(',').unwrap_or((rest, "")),
        rest => ("/", rest),
    };
    // Older clients put a query behind it.
    let namespace = namespace.split('?').next().unwrap_or_default();
    if namespace.len() > MAX_NAMESPACE_BYTES || namespace.chars().any(char::is_control) {
        return Err(format!("a namespace has at most {MAX_NAMESPACE_BYTES} bytes and no control characters"));
    }
    match kind {
        '0' => Ok(Incoming::Join { namespace }),
        '1' => Ok(Incoming::Leave { namespace }),
        '2' => event(namespace, rest),
        // Acknowledgements of what is never asked to be acknowledged, and events with binary data.
        '3' | '5' | '6' => Ok(Incoming::Other),
        _ => Err("this is no packet of Socket.IO".to_owned()),
    }
}

fn event<'a>(namespace: &'a str, rest: &'a str) -> Result<Incoming<'a>, String> {
    let digits = rest.len() - rest.trim_start_matches(|first: char| first.is_ascii_digit()).len();
    if digits > MAX_ID_DIGITS {
        return Err(format!("the id of an event has at most {MAX_ID_DIGITS} digits"));
    }
    let (id, data) = rest.split_at(digits);
    let data: Vec<Value> = serde_json::from_str(data).map_err(|why| format!("an event is no list in JSON: {why}"))?;
    let Some(Value::String(name)) = data.into_iter().next() else {
        return Err("an event has no name".to_owned());
    };
    Ok(Incoming::Event { namespace, id: Some(id).filter(|id| !id.is_empty()), name })
}

/// The first packet of a session.
pub(super) fn open(sid: &str, upgrades: &[&str]) -> String {
    let open = json!({
        "sid": sid,
        "upgrades": upgrades,
        "pingInterval": PING_INTERVAL.as_millis() as u64,
        "pingTimeout": PING_TIMEOUT.as_millis() as u64,
        "maxPayload": MAX_BODY_BYTES,
    });
    format!("0{open}")
}

/// Lets a client into a namespace. `sid`: its id there.
pub(super) fn joined(namespace: &str, sid: &str) -> String {
    format!("40{}{}", prefix(namespace), json!({ "sid": sid }))
}

/// Keeps a client out of a namespace.
pub(super) fn refused(namespace: &str) -> String {
    let message = format!("there is no namespace `{namespace}`; the namespaces are `/` and `/tributary`");
    format!("44{}{}", prefix(namespace), json!({ "message": message }))
}

/// Tells a client that its event has arrived.
pub(super) fn acknowledgement(namespace: &str, id: &str) -> String {
    format!("43{}{id}[]", prefix(namespace))
}

/// An event. `data` is JSON.
pub(super) fn event_text(namespace: &str, name: &str, data: &str) -> String {
    format!("42{}[{},{data}]", prefix(namespace), Value::from(name))
}

/// A namespace as packets name it.
fn prefix(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { format!("{namespace},") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_clients_are_read() {
        let event = |namespace, id, name: &str| Incoming::Event { namespace, id, name: name.to_owned() };
        for (text, expect) in [
            ("1", Incoming::Close),
            ("3", Incoming::Pong),
            ("3probe", Incoming::Pong),
            ("6", Incoming::Other),
            ("bAQID", Incoming::Other),
            ("40", Incoming::Join { namespace: "/" }),
            ("40{\"token\":\"x\"}", Incoming::Join { namespace: "/" }),
            ("40/tributary,", Incoming::Join { namespace: "/tributary" }),
            ("40/tributary,{\"a\":1}", Incoming::Join { namespace: "/tributary" }),
            ("40/tributary", Incoming::Join { namespace: "/tributary" }),
            ("40/a?b=1,", Incoming::Join { namespace: "/a" }),
            ("41", Incoming::Leave { namespace: "/" }),
            ("41/tributary,", Incoming::Leave { namespace: "/tributary" }),
            ("42[\"request_update\"]", event("/", None, "request_update")),
            ("4217[\"request_update\",{\"a\":[1]}]", event("/", Some("17"), "request_update")),
            ("42/tributary,0[\"x\",\"a,b\"]", event("/tributary", Some("0"), "x")),
            ("431[]", Incoming::Other),
            ("451-[\"x\",{\"_placeholder\":true,\"num\":0}]", Incoming::Other),
        ] {
            assert_eq!(parse(text).as_ref(), Ok(&expect), "{text}");
        }
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        let long = format!("40/{},", "n".repeat(MAX_NAMESPACE_BYTES));
        let deep = format!("42[\"x\",{}", "[".repeat(100_000));
        let numbered = format!("42{}[\"x\"]", "1".repeat(21));
        let wrong =
            ["", "0", "7", "ü", "4", "49", "4ü", "42", "42{}", "42[]", "42[1]", "42[\"x\"", "42[\"x\"]]", "40/a\n,"];
        for text in wrong.into_iter().chain([long.as_str(), &deep, &numbered]) {
            assert!(parse(text).is_err(), "{text:.40}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "4?[0-9]?(/[a-z?]*,?)?[0-9]{0,22}[\\[\\]{}\"a,]{0,9}.{0,9}") {
            let _ = parse(&text);
        }
    }

    #[test]
    fn packets_of_the_server_are_written() {
        assert_eq!(
            open("s1", &["websocket"]),
            r#"0{"maxPayload":1000000,"pingInterval":25000,"pingTimeout":20000,"sid":"s1","upgrades":["websocket"]}"#
        );
        assert_eq!(joined("/", "s2"), r#"40{"sid":"s2"}"#);
        assert_eq!(joined("/tributary", "s2"), r#"40/tributary,{"sid":"s2"}"#);
        assert!(refused("/a\"b").starts_with(r#"44/a"b,{"message":"there is no namespace `/a\"b`"#));
        assert_eq!(acknowledgement("/", "12"), "4312[]");
        assert_eq!(acknowledgement("/tributary", "0"), "43/tributary,0[]");
        assert_eq!(event_text("/", "csv_update", "[]"), r#"42["csv_update",[]]"#);
        assert_eq!(event_text("/tributary", "edit", "{}"), r#"42/tributary,["edit",{}]"#);
    }
}
