//! The `Host` rule. Without it, a name whose DNS an attacker controls could point here, and a page under that name could
//! read this server's answers (DNS rebinding).

use std::net::IpAddr;

/// Returns whether `host` names this server: the address `local` at which the request arrived, a name of this machine, or one of
/// `allowed`. Ports are compared only where `allowed` names one, because tunnels and proxies listen on others.
pub(crate) fn is_own_host(host: &str, local: Option<IpAddr>, allowed: &[String]) -> bool {
    let (name, _) = split_port(host);
    let bare = name.trim_matches(['[', ']']);
    let is_own = match bare.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(ip) => ip.is_loopback() || local.is_some_and(|local| local.to_canonical() == ip),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    };
    let is_allowed = |allowed: &String| match split_port(allowed) {
        (_, Some(_)) => allowed.eq_ignore_ascii_case(host),
        (allowed, None) => allowed.eq_ignore_ascii_case(name),
    };
    is_own || allowed.iter().any(is_allowed)
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !name.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(port)),
        _ => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_names_are_own_hosts() {
        let allowed = ["shop.example".to_owned(), "lab:8080".to_owned()];
        let check = |host: &str, expect: bool| {
            assert_eq!(is_own_host(host, Some(IpAddr::from([192, 168, 1, 5])), &allowed), expect, "{host}");
        };
        for own in [
            "192.168.1.5:5000",
            "192.168.1.5",
            "localhost",
            "LocalHost:5000",
            "127.0.0.1:5000",
            "127.9.9.9",
            "[::ffff:192.168.1.5]",
        ] {
            check(own, true);
        }
        for own in ["[::1]:5000", "[::1]", "shop.example", "Shop.Example:443", "lab:8080"] {
            check(own, true);
        }
        for other in ["", "evil.example", "192.168.1.6", "lab", "lab:80", "localhost.evil.example", "shop.example.evil"]
        {
            check(other, false);
        }
        for other in ["10.0.0.1:5000", "[::2]:5000", "127.0.0.1.evil.example", "0.0.0.0", ":5000"] {
            check(other, false);
        }
    }

    #[test]
    fn an_unknown_local_address_leaves_the_loopback() {
        assert!(is_own_host("127.0.0.1", None, &[]) && is_own_host("localhost:1", None, &[]));
        assert!(!is_own_host("192.168.1.5", None, &[]));
    }
}
