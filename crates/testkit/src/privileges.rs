//! Makes permissions count in tests that run as root.

use std::thread;

use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

/// Runs `test` on a thread to which permissions apply even if it is root's: the thread drops the capabilities that override
/// them. Threads that `test` starts inherit this, programs do not: start those as another user.
///
/// # Panics
/// The test panics, or the system refuses.
pub fn without_override<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    let drop_and_test = || {
        let mut sets = capabilities(None).expect("capabilities can be read");
        sets.effective -= CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
        set_capabilities(None, sets).expect("capabilities can be dropped");
        test()
    };
    thread::scope(|scope| scope.spawn(drop_and_test).join().expect("the test"))
}
