//! The `Host` rule. Without it, a name whose DNS an attacker controls could point here, and a page under that name could
//! read this server's answers (DNS rebinding).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether `host` names this server: the address `local` at which the request arrived, a name of this machine, or one of
/// `allowed`. Ports are compared only where `allowed` names one, because tunnels and proxies listen on others.
pub(crate) fn is_own_host(host: &str, local: Option<IpAddr>, allowed: &[String]) -> bool {
    let (name, port) = split_port(host);
    // Another program may read a number that is no port in another way.
    if port.is_some_and(|port| !port.is_empty() && port.parse::<u16>().is_err()) {
        return false;
    }
    let is_own = match address(name) {
        Some(ip) => ip.is_loopback() || local.is_some_and(|local| local.to_canonical() == ip),
        None => name.eq_ignore_ascii_case("localhost"),
    };
    let is_allowed = |allowed: &String| {
        let allowed = without_scheme(allowed);
        match split_port(allowed) {
            (_, Some(_)) => allowed.eq_ignore_ascii_case(host),
            (allowed, None) => allowed.eq_ignore_ascii_case(name),
        }
    };
    is_own || allowed.iter().any(is_allowed)
}

/// Returns an address as a URL writes it: that of IPv6 stands in brackets, no other does, and none has a zone.
fn address(name: &str) -> Option<IpAddr> {
    let ip = match name.strip_prefix('[') {
        Some(rest) => IpAddr::V6(rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?),
        None => IpAddr::V4(name.parse::<Ipv4Addr>().ok()?),
    };
    Some(ip.to_canonical())
}

/// An allowed host may say by which scheme browsers see it, which is of no interest here.
fn without_scheme(allowed: &str) -> &str {
    allowed.split_once("://").map_or(allowed, |(_, host)| host)
}

/// Splits HOST:PORT; the port is `None` if there is no colon behind the name.
pub(crate) fn split_port(host: &str) -> (&str, Option<&str>) {
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
        let allowed = ["shop.example", "lab:8080", "https://shop2.example"].map(str::to_owned);
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
        for own in
            ["[::1]:5000", "[::1]", "shop.example", "Shop.Example:443", "lab:8080", "shop2.example", "localhost:"]
        {
            check(own, true);
        }
        for other in ["", "evil.example", "192.168.1.6", "lab", "lab:80", "localhost.evil.example", "shop.example.evil"]
        {
            check(other, false);
        }
        // A name in brackets, brackets that do not match, an address of IPv6 without them, one with a zone, a user, no port.
        for other in ["[localhost]", "[localhost]:5000", "[127.0.0.1]", "127.0.0.1]", "[::1", "::1]", "[[::1]]", "::1"]
        {
            check(other, false);
        }
        for other in ["[::1%25lo]", "[::1%lo]:5000", "user@localhost", "user:pw@127.0.0.1:5000", "localhost:65536"] {
            check(other, false);
        }
        for other in
            ["localhost:5000:5000", "localhost,evil.example", "localhost evil.example", "localhost/", "2130706433"]
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
