//! The input behind a window of text.

/// The input behind a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Possibly more text: grow the window.
    More,
    /// More text, but the window has its maximum size.
    Full,
    /// Nothing: the file ends here.
    Eof,
}
