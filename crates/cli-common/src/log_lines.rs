//! Lines of a log: what a source or a client says must not look like a line of our own.

use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use crate::text;

/// Indents every line of an event but its first, and escapes what would turn or move a line.
pub(crate) struct LogLines<M>(pub(crate) M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for LogLines<M> {
    type Writer = LogLine<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        LogLine(self.0.make_writer())
    }
}

/// Takes an event at a time, as `tracing_subscriber` writes it.
pub(crate) struct LogLine<W>(W);

impl<W: Write> Write for LogLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(shown(&String::from_utf8_lossy(event)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn shown(event: &str) -> String {
    // Escapes that colour the line are there already; those of a message are not, because `tracing_subscriber` takes them away.
    let coloured = event.trim_end_matches('\n').split('\u{1b}').map(text::lines);
    coloured.collect::<Vec<_>>().join("\u{1b}").replace('\n', "\n    ") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_cannot_forge_a_line() {
        let check = |event: &str, expect: &str| assert_eq!(shown(event), expect);
        check("INFO \u{1b}[2mready\u{1b}[0m\n", "INFO \u{1b}[2mready\u{1b}[0m\n");
        check("WARN down: a\nERROR forged\n", "WARN down: a\n    ERROR forged\n");
        check("WARN down: a\rERROR \u{202e}forged\n", "WARN down: a\\rERROR \\u{202e}forged\n");
    }

    #[test]
    fn an_event_is_written_at_once() {
        let mut written = Vec::new();
        LogLine(&mut written).write_all("WARN ä\nb\n".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "WARN ä\n    b\n");
    }
}
