//! The stat of a file, by which a change is noticed without reading it.

use std::{
    fs::Metadata,
    os::unix::fs::MetadataExt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

pub(crate) const NS_PER_SECOND: i128 = 1_000_000_000;

/// Tells one state of a file from another without reading it, as git's index does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Bytes.
    pub size: u64,
    /// Last change of the content, nanoseconds since 1970. Programs may set it.
    pub mtime_ns: i128,
    /// Last change of content or attributes, nanoseconds since 1970. Programs cannot set it.
    pub ctime_ns: i128,
    /// Inode: tells a file from another one that took its name.
    pub ino: u64,
}

impl Stat {
    /// Returns the stat in a file's metadata.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let nanoseconds = |s: i64, ns: i64| i128::from(s) * NS_PER_SECOND + i128::from(ns);
        Self {
            size: metadata.size(),
            mtime_ns: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime_ns: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            ino: metadata.ino(),
        }
    }

    /// Returns how long after `at` a write can still leave this stat as it is, if the file system's clock advances in steps of
    /// `tick`; `None` if it no longer can.
    ///
    /// A write sets both times to the file system's now. So a ctime that is less than a tick older than `at` proves nothing,
    /// nor does such an mtime, unless it is further in the future: a write would bring it back.
    pub(crate) fn racy_for(&self, at: SystemTime, tick: Duration) -> Option<Duration> {
        let at = since_1970_ns(at);
        let tick = i128::try_from(tick.as_nanos()).unwrap_or(i128::MAX);
        let is_mtime_racy = (at - tick..=at + tick).contains(&self.mtime_ns);
        let latest = if is_mtime_racy { self.mtime_ns.max(self.ctime_ns) } else { self.ctime_ns };
        let left = latest + tick - at;
        (left >= 0).then(|| Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX)))
    }
}

fn since_1970_ns(at: SystemTime) -> i128 {
    let signed = |duration: Duration| i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX);
    at.duration_since(UNIX_EPOCH).map_or_else(|before| -signed(before.duration()), signed)
}

impl From<&rustix::fs::Stat> for Stat {
    #[allow(clippy::useless_conversion, clippy::unnecessary_fallible_conversions, reason = "integer widths vary")]
    fn from(stat: &rustix::fs::Stat) -> Self {
        Self {
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            mtime_ns: i128::from(stat.st_mtime) * NS_PER_SECOND + i128::from(stat.st_mtime_nsec),
            ctime_ns: i128::from(stat.st_ctime) * NS_PER_SECOND + i128::from(stat.st_ctime_nsec),
            ino: stat.st_ino.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_is_racy_until_its_times_are_a_tick_old() {
        let at = UNIX_EPOCH + Duration::from_secs(1000);
        let check = |mtime: i128, ctime: i128, expect: Option<u64>| {
            let stat = Stat { size: 1, mtime_ns: mtime * NS_PER_SECOND, ctime_ns: ctime * NS_PER_SECOND, ino: 1 };
            assert_eq!(stat.racy_for(at, Duration::from_secs(2)), expect.map(Duration::from_secs), "{mtime} {ctime}");
        };
        check(900, 900, None);
        check(997, 997, None);
        check(998, 998, Some(0));
        check(900, 999, Some(1));
        check(999, 900, Some(1));
        check(1000, 1000, Some(2));
        check(900, 1005, Some(7)); // a file server whose clock is ahead
        check(5000, 900, None); // set to the future by a program: a write would bring it back
        check(5000, 1000, Some(2));
    }
}
