//! Delays for senders of wrong tokens. They slow down nobody with a right one, who is never looked up here.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Wrong tokens per address that are answered at once: typing errors, and a browser that has an old password.
const FREE_TRIES: u32 = 10;
/// The first delay; each further wrong token doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// The longest delay. A master waits 5 s for its source, and must still read that its token is wrong.
const MAX_DELAY: Duration = Duration::from_secs(2);
/// Time without a wrong token after which an address is forgotten.
const MEMORY: Duration = Duration::from_secs(60);
/// Addresses that are remembered. The one that was quiet for longest makes room.
const MAX_ADDRESSES: usize = 1_024;
/// Requests that are delayed at a time, per address and in all. More are refused at once, because each holds a connection.
const MAX_WAITING_PER_ADDRESS: u32 = 4;
const MAX_WAITING: u32 = 64;

/// The addresses that sent wrong tokens; clones share them.
#[derive(Debug, Clone, Default)]
pub struct WrongTokens(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    senders: HashMap<IpAddr, Sender>,
    /// Requests that wait, of all addresses.
    waiting: u32,
}

#[derive(Debug)]
struct Sender {
    tries: u32,
    last: Instant,
    waiting: u32,
}

/// The time for which the answer to a wrong token waits. While it is held, it counts as waiting.
#[derive(Debug)]
pub struct Delay {
    /// The time to wait.
    pub time: Duration,
    address: IpAddr,
    table: WrongTokens,
}

impl WrongTokens {
    /// Notes a wrong token of this address. `None`: too many of its requests wait already, so this one is refused at once.
    #[must_use]
    pub fn note(&self, address: IpAddr, now: Instant) -> Option<Delay> {
        let address = network(address);
        let mut table = self.lock();
        let Table { senders, waiting } = &mut *table;
        senders.retain(|_, sender| sender.waiting > 0 || now.saturating_duration_since(sender.last) < MEMORY);
        if senders.len() >= MAX_ADDRESSES && !senders.contains_key(&address) {
            let quiet = senders.iter().filter(|(_, sender)| sender.waiting == 0).min_by_key(|(_, sender)| sender.last);
            if let Some(quiet) = quiet.map(|(address, _)| *address) {
                senders.remove(&quiet);
            }
        }
        let sender = senders.entry(address).or_insert(Sender { tries: 0, last: now, waiting: 0 });
        (sender.tries, sender.last) = (sender.tries.saturating_add(1), now);
        if sender.tries == FREE_TRIES + 1 {
            tracing::warn!(%address, "{FREE_TRIES} wrong tokens from {address}: the answers to more of them are delayed");
        }
        let time = delay(sender.tries);
        if !time.is_zero() && (sender.waiting >= MAX_WAITING_PER_ADDRESS || *waiting >= MAX_WAITING) {
            return None;
        }
        sender.waiting += 1;
        *waiting += 1;
        drop(table);
        Some(Delay { time, address, table: self.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Delay {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        table.waiting = table.waiting.saturating_sub(1);
        if let Some(sender) = table.senders.get_mut(&self.address) {
            sender.waiting = sender.waiting.saturating_sub(1);
        }
    }
}

fn delay(tries: u32) -> Duration {
    match tries.checked_sub(FREE_TRIES + 1) {
        None => Duration::ZERO,
        Some(doublings) => FIRST_DELAY.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(MAX_DELAY),
    }
}

/// The part of an address that one sender cannot change at will: of IPv6 the network, in which it has 2^64 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u32) -> IpAddr {
        IpAddr::from(last.to_be_bytes())
    }

    #[test]
    fn the_delay_grows_and_is_forgotten() {
        let (wrong, start) = (WrongTokens::default(), Instant::now());
        let mut times = Vec::new();
        for _ in 0..17 {
            times.push(wrong.note(address(1), start).unwrap().time.as_millis());
        }
        assert_eq!(times[..10], [0; 10]);
        assert_eq!(times[10..], [100, 200, 400, 800, 1_600, 2_000, 2_000]);
        assert_eq!(wrong.note(address(2), start).unwrap().time, Duration::ZERO, "another address");
        assert_eq!(wrong.note(address(1), start + MEMORY).unwrap().time, Duration::ZERO);
        assert_eq!(delay(u32::MAX), MAX_DELAY);
    }

    #[test]
    fn few_wait_at_a_time_and_few_are_remembered() {
        let (wrong, start) = (WrongTokens::default(), Instant::now());
        let tries = |last: u32| (0..FREE_TRIES).for_each(|_| drop(wrong.note(address(last), start)));
        let mut held = Vec::new();
        for last in 0..16 {
            tries(last);
            held.extend((0..MAX_WAITING_PER_ADDRESS).map(|_| wrong.note(address(last), start).unwrap()));
            assert!(wrong.note(address(last), start).is_none());
        }
        tries(99);
        assert!(wrong.note(address(99), start).is_none(), "64 wait already");
        drop(held);
        assert!(wrong.note(address(99), start).is_some());
        for last in 0..5_000 {
            drop(wrong.note(address(last), start));
        }
        assert!(wrong.lock().senders.len() <= MAX_ADDRESSES);
        assert_eq!(wrong.lock().waiting, 0);
    }

    #[test]
    fn a_sender_is_its_network() {
        let check = |one: &str, other: &str, expect: bool| {
            assert_eq!(network(one.parse().unwrap()) == network(other.parse().unwrap()), expect, "{one} {other}");
        };
        check("2001:db8::1", "2001:db8::ffff:2", true);
        check("2001:db8::1", "2001:db8:0:1::1", false);
        check("192.0.2.1", "192.0.2.2", false);
        check("::ffff:192.0.2.1", "192.0.2.1", true);
    }
}
