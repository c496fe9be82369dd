//! Figures of the kernel about this process, under the names that all Prometheus clients use. Elsewhere than on Linux there is
//! nothing to read, and these metrics are absent.

use std::fs;

use prometheus_client::registry::Registry;

use super::{add_counter, add_gauge};

/// Adds the metrics of this process.
pub(super) fn register(registry: &mut Registry) {
    if let Some(usage) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(Usage::parse) {
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        let cpu = usage.cpu_ticks as f64 / ticks;
        add_counter(registry, "process_cpu_seconds", "User and system CPU time", cpu);
        let resident = usage.resident_pages * rustix::param::page_size() as u64;
        add_gauge(registry, "process_resident_memory_bytes", "Resident memory", resident);
        add_gauge(registry, "process_virtual_memory_bytes", "Virtual memory", usage.virtual_bytes);
        if let Some(boot) = fs::read_to_string("/proc/stat").ok().as_deref().and_then(boot_time) {
            let start = boot as f64 + usage.start_ticks as f64 / ticks;
            add_gauge(registry, "process_start_time_seconds", "Start of the process, in seconds since 1970", start);
        }
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        // One of them is the folder itself, opened to read it.
        let open = open.count().saturating_sub(1) as u64;
        add_gauge(registry, "process_open_fds", "Open file descriptors", open);
    }
    if let Some(max) = fs::read_to_string("/proc/self/limits").ok().as_deref().and_then(max_files) {
        add_gauge(registry, "process_max_fds", "Limit of open file descriptors", max);
    }
}

/// Fields of `/proc/self/stat` (proc_pid_stat(5)).
#[derive(Debug, PartialEq, Eq)]
struct Usage {
    cpu_ticks: u64,
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl Usage {
    fn parse(stat: &str) -> Option<Self> {
        // The program's name, in parentheses, may contain spaces and parentheses. The field after it is number 3.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        let (user, system) = (field(14)?, field(15)?);
        Some(Self {
            cpu_ticks: user + system,
            start_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

fn boot_time(stat: &str) -> Option<u64> {
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

/// The soft limit; `None` if there is none.
fn max_files(limits: &str) -> Option<u64> {
    limits.lines().find_map(|line| line.strip_prefix("Max open files"))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_any_program_name() {
        let stat =
            "7 (a (b) c) S 1 7 7 0 -1 4194560 200 0 1 0 30 12 0 0 20 0 5 0 1234 8192000 321 18446744073709551615";
        let expect = Usage { cpu_ticks: 42, start_ticks: 1234, virtual_bytes: 8_192_000, resident_pages: 321 };
        assert_eq!(Usage::parse(stat), Some(expect));
        assert_eq!(Usage::parse("7 (a) S 1"), None);
        assert_eq!(boot_time("cpu 1 2\nbtime 1700000000\nprocesses 9\n"), Some(1_700_000_000));
        assert_eq!(max_files("Max processes  9 9 processes\nMax open files   1024   4096   files\n"), Some(1024));
        assert_eq!(max_files("Max open files   unlimited   unlimited   files\n"), None);
    }
}
