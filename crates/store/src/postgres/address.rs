//! Checks the URL of a database of a PostgreSQL server. A URL that can be read in two ways is refused: libpq would take a part of a password
//! for a host, look that up in the network, and put it into errors. No error from here repeats any of the URL.

use percent_encoding::percent_decode_str;

/// The fault of a URL, in words that follow "the database url".
pub(crate) type Fault = &'static str;

const ENCODE: &str = "is not one URL: write each `@`, `/`, `?`, `%` and blank of its user and its password as %40, %2F, %3F, %25 and %20";
const NO_NAME: &str = "names no database";

/// Returns the name of the database in the text behind `postgres://`, still encoded.
pub(crate) fn name_in(rest: &str) -> Result<&str, Fault> {
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, name) = place.split_once('/').unwrap_or((place, ""));
    let (user, hosts) = authority.split_once('@').unwrap_or(("", authority));
    if !is_encoded(user) || !is_encoded(hosts) || hosts.contains('@') || !hosts.split(',').all(is_host) {
        return Err(ENCODE);
    }
    if name.contains(['/', '@']) || !is_encoded(name) || !are_parameters(parameters) {
        return Err(ENCODE);
    }
    // Without a name, libpq takes that of the user: two programs might mean two databases.
    if name.is_empty() { Err(NO_NAME) } else { Ok(name) }
}

/// Whether every percent sign begins a byte other than zero, and nothing is a blank or a control character.
fn is_encoded(text: &str) -> bool {
    let is_byte = |behind: &str| {
        let digits = behind.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit) && digits != b"00")
    };
    !text.contains(|sign: char| sign.is_whitespace() || sign.is_control())
        && text.split('%').skip(1).all(is_byte)
        && percent_decode_str(text).decode_utf8().is_ok()
}

/// Whether it is a host, an address of IPv6 in brackets or nothing, with or without a port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((address, behind)) = rest.split_once(']') else { return false };
            let Some(port) = behind.strip_prefix(':').or(behind.is_empty().then_some("")) else { return false };
            (address, port)
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    !host.contains(['[', ']']) && (port.is_empty() || port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn are_parameters(text: &str) -> bool {
    let is_one = |parameter: &str| {
        let Some((key, value)) = parameter.split_once('=') else { return false };
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        is_key && is_encoded(value) && !value.contains(['=', '@'])
    };
    text.is_empty() || text.split('&').all(is_one)
}

#[cfg(test)]
mod tests {
    use diesel::{Connection, PgConnection};

    use super::*;

    #[test]
    fn a_url_that_reads_in_one_way_is_taken() {
        for (rest, name) in [
            ("me:secret@host/db", "db"),
            ("me:p%40%2F%3F%25%20w@host:5432/a%20b", "a%20b"),
            ("me:p#:+!w@host/db?sslmode=require&options=-c%20x%3D1", "db"),
            ("host/db", "db"),
            ("/db", "db"),
            ("%2Frun%2Fpostgresql/db", "db"),
            ("[::1]:5432/db", "db"),
            ("[::1]/db", "db"),
            ("one:5432,two:5433/db", "db"),
            ("host:/db?host=%2Frun%2Fpostgresql&password=secret", "db"),
            ("/..", ".."),
        ] {
            assert_eq!(name_in(rest), Ok(name), "{rest}");
        }
        for rest in ["me:secret@host", "me:secret@host/", "host/?sslmode=require", ""] {
            assert_eq!(name_in(rest), Err(NO_NAME), "{rest}");
        }
    }

    /// libpq's own words about each of these would show the password, or look a part of it up as a host.
    #[test]
    fn a_password_that_nobody_has_encoded_is_refused() {
        for password in [
            "a@secret",
            "secret/x",
            "secret?x",
            "secret%zz",
            "secret%",
            "12345/x",
            "12345?x",
            "12345?x=1",
            "sec ret",
            "sec\nret",
            "%00secret",
            "%FFsecret",
            "[secret/",
            "1/db?secret",
        ] {
            for host in ["127.0.0.1:1", "127.0.0.1"] {
                let rest = format!("me:{password}@{host}/db");
                let found = name_in(&rest).unwrap_err();
                assert!(found == ENCODE || found == NO_NAME, "{rest}: {found}");
            }
        }
        for rest in [
            "me@[::1:5432/db",
            "host:x/db",
            "host:0/db",
            "host:65536/db",
            "a[b/db",
            "host/a/b",
            "host/db?x",
            "host/db?x=a=b",
        ] {
            assert_eq!(name_in(rest), Err(ENCODE), "{rest}");
        }
    }

    /// The judge is libpq, which reports what it cannot read before it connects anywhere.
    #[test]
    fn libpq_reads_what_is_taken() {
        for rest in ["me:p%40%2Fw#@127.0.0.1:1/db", "[::1]:1/db?connect_timeout=2", "127.0.0.1:1,127.0.0.1:1/db"] {
            assert!(name_in(rest).is_ok(), "{rest}");
            let error = PgConnection::establish(&format!("postgres://{rest}")).err().map(|error| error.to_string());
            assert!(error.is_some_and(|error| error.contains("port 1 failed")), "{rest}");
        }
    }
}
