//! The fault layer of file operations: a test makes the n-th of them fail.

use std::io;

/// Counts the operations in one folder; clones share the count. Nothing is counted outside of tests.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    #[cfg(test)]
    pub(crate) left: std::sync::Arc<std::sync::Mutex<Option<usize>>>,
}

impl Faults {
    /// Fails if a test wants this operation to fail now.
    #[cfg_attr(not(test), expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "it fails in tests only"))]
    pub(crate) fn point(&self, _operation: &'static str) -> io::Result<()> {
        #[cfg(test)]
        {
            let mut left = self.left.lock().unwrap();
            match *left {
                Some(0) => {
                    *left = None;
                    return Err(io::Error::other(format!("a test wants `{_operation}` to fail")));
                }
                Some(more) => *left = Some(more - 1),
                None => {}
            }
        }
        Ok(())
    }
}
