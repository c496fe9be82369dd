//! The parts into which a cluster divides a large file, and its groups. Each is a task, which costs time beside its work.

/// The option of a session.
pub(super) const PARTITIONS: &str = "datafusion.execution.target_partitions";

/// Tasks per slot, so that none waits long for the slowest.
const TASKS_PER_SLOT: u64 = 2;
/// The least size of a part, above the least number of parts.
const MIN_PART_BYTES: u64 = 16 << 20;
/// The largest size of a part, as long as there are few of them: stock readers give up a part that takes them more than three minutes.
const MAX_PART_BYTES: u64 = 256 << 20;
const MAX_PARTS_FOR_SIZE: u64 = 64;
/// With a single part Ballista 55 plans some queries over several files so that they never end.
const MIN_PARTS: u64 = 2;

/// The number of parts for a cluster that runs so many tasks at a time, and files of which the largest has `bytes`.
pub(super) fn partitions(slots: u32, bytes: u64) -> u64 {
    let for_slots = (u64::from(slots) * TASKS_PER_SLOT).min(bytes / MIN_PART_BYTES);
    let for_size = bytes.div_ceil(MAX_PART_BYTES).min(MAX_PARTS_FOR_SIZE);
    for_slots.max(for_size).max(MIN_PARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_neither_tiny_nor_huge() {
        let check = |slots, mebibytes: u64, expect| {
            assert_eq!(partitions(slots, mebibytes << 20), expect, "{slots}, {mebibytes}");
        };
        check(2, 300, 4);
        check(0, 0, 2);
        check(1, 300, 2);
        check(16, 300, 18);
        check(16, 3, 2);
        check(2, 15_000, 59);
        check(2, 100_000, 64);
        check(100, 100_000, 200);
    }
}
