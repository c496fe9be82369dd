//! Tells whether any CSV reader reads a file alike: one thread cuts it into blocks, others compare the rows of each with its lines. Only
//! such a file can be computed by others.

use std::{
    io::{self, Read},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use tributary_csv_gate::{
    Block, Blocks, Error, Settings, Table,
    plain::{ColumnFacts, NotPlain, PlainCheck, PlainFacts, PlainTable},
};
use tributary_protocol::{PlainColumn, PlainFile, PlainLine};

/// Size of a block, as for partials.
const BLOCK_BYTES: usize = 512 << 10;

/// A file that is plain, in the words of the protocol, or the reason why it is not.
type Found = Result<PlainFile, NotPlain>;

/// Tells whether any CSV reader reads a file alike. `open` must return the same bytes each time; a caller whose file may change has to check that afterwards. Calls
/// `go_on` after every block with the bytes so far, and stops with an error of the kind `Interrupted` if it returns false.
///
/// # Errors
/// The file cannot be read.
pub fn plain_line<R: Read>(
    (path, size): (&str, u64),
    open: impl Fn() -> io::Result<R>,
    settings: &Settings,
    threads: usize,
    go_on: impl FnMut(u64) -> bool,
) -> Result<PlainLine, Error> {
    let checked = match check((path, size), open, settings, threads, go_on) {
        Err(Error::Rejected(reject)) => Err(NotPlain::Rejected { reason: reject.to_string() }),
        Err(Error::NeedsTwoPasses) => Err(NotPlain::Encoding),
        checked => checked?,
    };
    Ok(match checked {
        Ok(file) => PlainLine::Plain(file),
        Err(why) => PlainLine::NotPlain { reason: why.to_string() },
    })
}

fn check<R: Read>(
    (path, size): (&str, u64),
    open: impl Fn() -> io::Result<R>,
    settings: &Settings,
    threads: usize,
    go_on: impl FnMut(u64) -> bool,
) -> Result<Found, Error> {
    let table = Table::open_once(path, size, open()?, settings)?;
    let check = match PlainCheck::new(&table, settings) {
        Ok(check) => check,
        Err(why) => return Ok(Err(why)),
    };
    let mut blocks = Blocks::new(table, BLOCK_BYTES);
    let facts = match judge_all(&mut blocks, &check, threads.max(1), go_on)? {
        Ok(facts) => facts,
        Err(why) => return Ok(Err(why)),
    };
    let plain = check.finish(facts, blocks.table(), size, open)?;
    let dialect = blocks.table().dialect();
    let (words, notes) = (dialect.in_words(), dialect.notes(blocks.table().rejects()));
    Ok(plain.map(|plain| PlainFile { format: Some(words), notes, ..of_table(plain) }))
}

/// Judges all blocks, until one is not plain.
fn judge_all<R: Read>(
    blocks: &mut Blocks<R>,
    check: &PlainCheck,
    threads: usize,
    mut go_on: impl FnMut(u64) -> bool,
) -> Result<Result<PlainFacts, NotPlain>, Error> {
    let (sender, receiver) = sync_channel(2 * threads);
    let (receiver, is_over) = (Mutex::new(receiver), AtomicBool::new(false));
    thread::scope(|scope| {
        let judge = || judge(check, &receiver, &is_over);
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(judge)).collect();
        let read = hand_out(blocks, sender, &is_over, &mut go_on);
        let judged =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        let judged: Vec<_> = judged.collect();
        read?;
        let mut all = PlainFacts::default();
        for facts in judged {
            match facts {
                Ok(facts) => all.merge(facts),
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(all))
    })
}

fn hand_out<R: Read>(
    blocks: &mut Blocks<R>,
    sender: SyncSender<Block>,
    is_over: &AtomicBool,
    go_on: &mut impl FnMut(u64) -> bool,
) -> Result<(), Error> {
    while let Some(block) = blocks.next_block()? {
        // Workers take blocks until the sender is dropped, so this never waits for ever.
        if is_over.load(Ordering::Relaxed) || sender.send(block).is_err() {
            return Ok(());
        }
        if !go_on(blocks.table().bytes_read()) {
            return Err(Error::Io(io::ErrorKind::Interrupted.into()));
        }
    }
    Ok(())
}

/// Judges blocks until there are no more.
fn judge(check: &PlainCheck, receiver: &Mutex<Receiver<Block>>, is_over: &AtomicBool) -> Result<PlainFacts, NotPlain> {
    let next = || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
    let mut found = Ok(PlainFacts::default());
    while let Ok(block) = next() {
        if is_over.load(Ordering::Relaxed) {
            continue;
        }
        match (&mut found, check.judge(&block)) {
            (Ok(all), Ok(facts)) => all.merge(facts),
            (_, Err(why)) => {
                is_over.store(true, Ordering::Relaxed);
                found = Err(why);
            }
            (Err(_), Ok(_)) => {}
        }
    }
    found
}

fn of_table(table: PlainTable) -> PlainFile {
    let PlainTable { delimiter, has_header, columns, rows, facts } = table;
    let column = |(name, facts): (String, ColumnFacts)| {
        let ColumnFacts { empty, padded, texts, integer_digits, fraction_digits, .. } = facts;
        PlainColumn { name, empty, padded, texts, whole: integer_digits, fraction: fraction_digits }
    };
    PlainFile {
        delimiter: delimiter.into(),
        header: has_header,
        rows,
        columns: columns.into_iter().zip(facts).map(column).collect(),
        format: None,
        notes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(text: &str, threads: usize) -> PlainLine {
        let open = || Ok(text.as_bytes());
        plain_line(("a.csv", text.len() as u64), open, &Settings::default(), threads, |_| true).unwrap()
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let many = format!("shop,price\n{}south,-100.25\n", "north,1.5\n".repeat(200_000));
        let one = see(&many, 1);
        let PlainLine::Plain(file) = &one else { panic!("{one:?}") };
        assert_eq!((file.rows, file.delimiter, file.header), (200_001, ',', true));
        let price = PlainColumn { name: "price".into(), empty: 0, padded: 0, texts: 0, whole: 3, fraction: 2 };
        assert_eq!(file.columns[1], price);
        assert_eq!(see(&many, 4), one);
        let odd = format!("{many}\"two\nlines\",1\n");
        assert!(
            matches!(see(&odd, 4), PlainLine::NotPlain { reason } if reason.contains("line 200003 ends inside quotes"))
        );
    }

    #[test]
    fn a_file_that_is_rejected_is_not_plain() {
        assert!(matches!(see("", 2), PlainLine::NotPlain { reason } if reason.contains("it is rejected")));
    }
}
