//! Each flag is read, and contradictions are refused.

use super::*;

/// Parses a command line into a request or the kind of the error.
fn parse(typed: &str) -> Result<Request, ErrorKind> {
    let words = std::iter::once("readdb").chain(typed.split_whitespace());
    let args = Args::try_parse_from(words).map_err(|error| error.kind())?;
    Request::try_from(&args).map_err(|error| error.kind())
}

#[test]
fn the_definition_is_valid() {
    Args::command().debug_assert();
}

#[test]
fn each_flag_is_read() {
    let check = |typed: &str, expect: Request| assert_eq!(parse(typed), Ok(expect), "{typed}");
    let text = |word: &str| Some(word.to_owned());
    let base = || Request {
        table: None,
        limit: None,
        sku: None,
        name: None,
        report: None,
        span: HistorySpan::Hour,
        source: None,
        watch: None,
        format: Format::Table,
    };
    check("", base());
    check("--sku 1 --name a", Request { sku: text("1"), name: text("a"), ..base() });
    check("aggr --limit 0", Request { table: Some(Table::Aggr), limit: Some(0), ..base() });
    check("--format json", Request { format: Format::Json, ..base() });
    let limit = |typed: &str| parse(typed).unwrap().limit();
    assert_eq!((limit(""), limit("--limit 11"), limit("--format json")), (10, 11, i64::MAX));
    for (word, table) in [
        ("products", Table::Products),
        ("sources", Table::Sources),
        ("files", Table::Files),
        ("rejects", Table::Rejects),
        ("edits", Table::Edits),
        ("queues", Table::Queues),
        ("held", Table::Held),
        ("history", Table::History),
        ("reports", Table::Reports),
    ] {
        check(&format!("{word} --format csv"), Request { table: Some(table), format: Format::Csv, ..base() });
    }
}

#[test]
fn a_report_has_a_name_and_the_history_a_span() {
    let report = parse("report sales --limit 3").unwrap();
    assert_eq!((report.table, report.report.as_deref()), (Some(Table::Report), Some("sales")));
    let history = parse("history --span year --source north").unwrap();
    assert_eq!((history.span, history.source.as_deref()), (HistorySpan::Year, Some("north")));
    for (wrong, kind) in [
        ("report", ErrorKind::ArgumentConflict),
        ("changes", ErrorKind::ArgumentConflict),
        ("products sales", ErrorKind::ArgumentConflict),
        ("products --span day", ErrorKind::ArgumentConflict),
        ("--source north", ErrorKind::ArgumentConflict),
        ("history --span month", ErrorKind::InvalidValue),
    ] {
        assert_eq!(parse(wrong), Err(kind), "{wrong}");
    }
}

#[test]
fn a_watch_has_an_interval_and_is_for_people() {
    let watch = |typed: &str| parse(typed).unwrap().watch.map(|every| every.as_secs());
    assert_eq!((watch("held"), watch("held --watch"), watch("--watch=30")), (None, Some(1), Some(30)));
    assert_eq!(watch("--watch held"), Some(1), "the table is not taken for the seconds");
    for (wrong, kind) in [
        ("--watch=0", ErrorKind::ValueValidation),
        ("--watch=3601", ErrorKind::ValueValidation),
        ("held --watch --format json", ErrorKind::ArgumentConflict),
    ] {
        assert_eq!(parse(wrong), Err(kind), "{wrong}");
    }
}

#[test]
fn wrong_usage_is_refused() {
    let check = |typed: &str, expect: ErrorKind| assert_eq!(parse(typed), Err(expect), "{typed}");
    check("nothing", ErrorKind::InvalidValue);
    check("--limit -1", ErrorKind::UnknownArgument);
    check("--limit=-1", ErrorKind::ValueValidation);
    check("--limit ten", ErrorKind::ValueValidation);
    check("--format xml", ErrorKind::InvalidValue);
    check("--format csv", ErrorKind::ArgumentConflict);
    for table in ["aggr", "sources", "files", "rejects"] {
        check(&format!("{table} --sku 1"), ErrorKind::ArgumentConflict);
    }
    for table in ["edits", "sources", "files", "rejects", "queues"] {
        check(&format!("{table} --name a"), ErrorKind::ArgumentConflict);
    }
}
