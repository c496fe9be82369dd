//! Every wrong setting is refused with its place and its mend.

mod buckets;
mod engine;
mod reports;
mod results;
mod sales;
mod secrets;

use clap::Parser;

use tributary_admission::Token;

use super::*;

#[derive(Parser)]
struct Args {
    #[command(flatten)]
    config: ConfigArgs,
}

fn load(toml: &str, flags: &[&str]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tributary.toml");
    std::fs::write(&path, toml).unwrap();
    std::fs::write(folder.path().join("north.token"), "secret\n").unwrap();
    let config = path.to_str().unwrap();
    let args = Args::parse_from(["master", "--config", config].iter().chain(flags));
    Config::load(&args.config).map_err(|why| why.to_string().replace(config, "FILE"))
}

#[track_caller]
fn refused(toml: &str, flags: &[&str], parts: &[&str]) {
    let why = load(toml, flags).unwrap_err();
    for part in parts {
        assert!(why.contains(part), "`{why}` does not say `{part}`");
    }
}

#[test]
fn every_setting_is_understood() {
    let config = load(
        r#"
        database_url  = "some.db"
        listen        = "127.0.0.1:5005"
        public_url    = "https://shop.example/"
        work_dir      = "work"
        poll_interval = "2s"
        allowed_hosts = ["shop.example"]
        token_file    = "form.token"
        tls_cert      = "form.crt"
        tls_key       = "form.key"
        allow_anonymous = true
        [[source]]
        name     = "north"
        url      = "http://127.0.0.1:5001"
        priority = 3
        columns  = { sku = ["Item code", "Artikelnummer"], name = "Title" }
        include  = "*.csv"
        exclude  = ["old/**", "test*"]
        token_file = "north.token"
        [[source]]
        name = "south"
        url = "https://example.org/feeds/"
        [uploads]
        dir = "came in"
        priority = -1
        max_size = "2GiB"
        keep_free = "0B"
        keep_messages = 5
        keep_messages_for = "2h"
        "#,
        &[],
    )
    .unwrap();
    assert_eq!(config.database.to_string(), "some.db");
    assert!(config.database.place().ends_with("work/some.db"), "{:?}", config.database.place());
    assert_eq!((config.listen.as_str(), config.poll_interval), ("127.0.0.1:5005", Duration::from_secs(2)));
    assert_eq!(config.public_url.as_deref(), Some("https://shop.example"));
    assert_eq!(config.allowed_hosts, ["shop.example"]);
    assert!(config.access.token_file.unwrap().ends_with("form.token") && config.access.allow_anonymous);
    let (certificate, key) = config.tls.both().unwrap().unwrap();
    assert!(certificate.ends_with("form.crt") && key.ends_with("form.key") && certificate.parent() == key.parent());
    let UploadsConfig { dir, priority, max_size, keep_free, keep_messages, keep_messages_for, .. } = config.uploads;
    assert!(dir.unwrap().ends_with("came in"));
    assert_eq!((priority, max_size, keep_free), (-1, 2 << 30, 0));
    assert_eq!((keep_messages, keep_messages_for.as_secs()), (5, 7_200));
    let [north, south] = &config.sources[..] else { panic!("two sources") };
    assert_eq!(
        (north.name.as_str(), north.priority, north.token.as_ref().map(Token::expose)),
        ("north", 3, Some("secret"))
    );
    assert_eq!(north.columns.sku, ["Item code", "Artikelnummer"]);
    assert_eq!(north.columns.name, ["Title"]);
    let chosen = ["a.csv", "a.txt", "old/a.csv", "test.csv"].map(|path| north.selection.contains(path));
    assert_eq!(chosen, [true, false, false, false]);
    assert_eq!((south.name.as_str(), south.priority, south.url.as_str()), ("south", 0, "https://example.org/feeds/"));
}

#[test]
fn free_space_is_set_for_all_or_for_uploads_alone() {
    let load = |toml: &str| {
        let config = load(toml, &[]).unwrap();
        (config.keep_free, config.uploads.keep_free)
    };
    assert_eq!(load(""), (1 << 30, 1 << 30));
    assert_eq!(load("keep_free = \"5MiB\"\n"), (5 << 20, 5 << 20));
    assert_eq!(load("[uploads]\nkeep_free = \"0B\"\n"), (1 << 30, 0));
    assert_eq!(load("keep_free = \"5MiB\"\n[uploads]\nkeep_free = \"7MiB\"\n"), (5 << 20, 7 << 20));
    refused("keep_free = \"some\"\n", &[], &["FILE, line 1", "is not a size"]);
}

#[test]
fn a_source_has_limits_that_can_be_set() {
    let limits = |lines: &str| {
        load(&format!("[[source]]\nname = \"a\"\nurl = \"http://h:1\"\n{lines}"), &[])
            .map(|config| config.sources[0].limits)
    };
    assert_eq!(limits(""), Ok(SourceLimits::default()));
    let expect = SourceLimits { max_files: 5, max_file_size: 2 << 20, max_rejects: 0 };
    assert_eq!(limits("max_files = 5\nmax_file_size = \"2MiB\"\nmax_rejects = 0\n"), Ok(expect));
    for line in ["max_files = 0", "max_file_size = \"0B\"", "max_rejects = -1"] {
        let why = limits(line).unwrap_err();
        assert!(why.contains("FILE, line 4"), "{line}: {why}");
    }
}

#[test]
fn the_files_of_a_part_can_be_set() {
    let files = |toml: &str| load(toml, &[]).map(|config| config.limits.files_per_part);
    assert_eq!((files(""), files("[limits]\nfiles_per_part = 1\n")), (Ok(10_000), Ok(1)));
    let why = files("[limits]\nfiles_per_part = 0\n").unwrap_err();
    assert!(why.contains("FILE, line 2") && why.contains("write a number from 1"), "{why}");
}

#[test]
fn a_source_has_a_brake_that_can_be_set() {
    let brake = |lines: &str| {
        let toml = format!("[[source]]\nname = \"a\"\nurl = \"http://h:1\"\n{lines}");
        load(&toml, &[]).map(|config| config.sources[0].brake)
    };
    assert_eq!(brake(""), Ok(Brake::default()));
    assert_eq!(brake("max_removal = false\nhold_for = false\n"), Ok(Brake::OFF));
    let max_removal = Some(MaxRemoval { share: 0.25, rows: 100 });
    assert_eq!(brake("max_removal = { share = 0.25 }\n"), Ok(Brake { max_removal, ..Brake::default() }));
    let max_removal = Some(MaxRemoval { share: 0.0, rows: 7 });
    let hold_for = Some(Duration::from_secs(3600));
    assert_eq!(
        brake("max_removal = { share = 0, rows = 7 }\nhold_for = \"1h\"\n"),
        Ok(Brake { max_removal, hold_for })
    );
    for (line, parts) in [
        ("max_removal = true", ["FILE, line 4", "false to hold nothing"]),
        ("max_removal = { share = 50 }", ["FILE, line 4", "from 0 to 1"]),
        ("max_removal = { rows = -1 }", ["FILE, line 4", "number of skus"]),
        ("max_removal = { percent = 1 }", ["FILE, line 4", "unknown field `percent`"]),
        ("hold_for = 10", ["FILE, line 4", "10m"]),
        ("hold_for = \"0s\"", ["FILE, line 4", "must not be 0"]),
    ] {
        let why = brake(line).unwrap_err();
        assert!(parts.iter().all(|part| why.contains(part)), "{line}: {why}");
    }
    let toml = "[[source]]\nname = \"a\"\nurl = \"http://h:1\"\nhold_for = false\n";
    let shown = load(toml, &[]).unwrap().to_string();
    assert!(shown.contains("more than 100 skus and 50 % is held until someone accepts it"), "{shown}");
}

#[test]
fn formats_stand_under_sources_uploads_and_reports() {
    let toml = r#"
        [[source]]
        name = "north"
        url  = "http://127.0.0.1:5001"
        [[source.format]]
        files = "*.txt"
        delimiter = "\t"
        [[source.format]]
        encoding = "windows-1250"
        [uploads]
        [[uploads.format]]
        quote = ""
        [[report]]
        name = "sales"
        files = "*.csv"
        metrics = { rows = "count()" }
        [[report.format]]
        skip_rows = 3
        "#;
    let config = load(toml, &[]).unwrap();
    let [north] = &config.sources[..] else { panic!("one source") };
    assert_eq!(north.formats.spec("a.txt").delimiter.as_deref(), Some("\t"));
    assert_eq!(north.formats.spec("a.csv").encoding.as_deref(), Some("windows-1250"));
    assert_eq!(config.uploads.formats.spec("a.csv").quote.as_deref(), Some(""));
    assert_eq!(config.reports[0].formats.spec("a.csv").skip_rows, Some(3));
    assert_eq!(config.uploads.source(Path::new("/x")).formats, config.uploads.formats);
    let report = "[[report]]\nname = \"a\"\nfiles = \"*\"\nmetrics = { n = \"count()\" }\n[[report.format]]\n";
    refused(&format!("{report}delimiter = \"\"\n"), &[], &["FILE, line 6", "delimiter"]);
    refused("[uploads]\n[[uploads.format]]\nfiles = \"*\"\nescape = \"ab\"\n", &[], &["FILE, line 4", "escape"]);
    refused("[[uploads.format]]\nencodings = \"x\"\n", &[], &["FILE, line 2", "`encodings`", "`encoding`"]);
}

#[test]
fn a_flag_beats_the_file() {
    let toml = "database_url = \"a.db\"\n[[source]]\nname = \"n\"\nurl = \"http://h:1\"\n";
    let config = load(toml, &["--database-url", "sqlite:b.db", "--source", "http://h:2", "--source", "x=http://h:3/?"]);
    assert!(config.is_err(), "a query is refused");
    let config =
        load(toml, &["--database-url", "sqlite:b.db", "--source", "http://h:2", "--source", "x y=http://h"]).unwrap();
    assert_eq!(config.database.place(), Path::new("b.db"));
    assert_eq!(config.sources.iter().map(|source| source.name.as_str()).collect::<Vec<_>>(), ["h:2", "x y"]);
}

#[test]
fn wrong_settings_name_their_line_and_the_mend() {
    refused("\nfoo = 1\n", &[], &["FILE, line 2", "unknown field `foo`", "database_url"]);
    refused("\n\npoll_interval = \"soon\"\n", &[], &["FILE, line 3", "`soon` is not a duration", "250ms"]);
    refused("patience = \"31s\"\n", &[], &["FILE, line 1", "`31s` is out of range", "1s to 30s"]);
    refused("poll_interval = \"0s\"\n", &[], &["FILE, line 1", "must not be 0"]);
    refused("listen = \"5000\"\n", &[], &["FILE, line 1", "HOST:PORT"]);
    refused("public_url = \"http://a/b\"\n", &[], &["FILE, line 1", "public_url", "has a path"]);
    refused("", &["--public-url", "a"], &["--public-url", "is not a URL"]);
    refused("[[source]]\nname = \"a\"\n", &[], &["FILE, line 1", "missing field `url`"]);
    refused("[[source]]\nname = \"a\"\nurl = \"ftp://h\"\n", &[], &["FILE, line 3", "http://HOST:PORT"]);
    refused(
        "[[source]]\nname = \"a\"\nurl = \"http://h:1\"\nprio = 1\n",
        &[],
        &["FILE, line 4", "unknown field `prio`", "priority"],
    );
    refused(
        "[[source]]\nname = \"a\"\nurl = \"http://h:1\"\ncolumns = { skew = \"x\" }\n",
        &[],
        &["FILE, line 4", "`skew`", "`sku`"],
    );
    refused(
        "[[source]]\nname = \"a\"\nurl = \"http://h:1\"\ncolumns = { sku = \" \" }\n",
        &[],
        &["FILE, line 4", "header"],
    );
    refused(
        "[[source]]\nname = \"a\"\nurl = \"http://h:1\"\ncolumns = { sku = [] }\n",
        &[],
        &["FILE, line 4", "header"],
    );
    refused(
        "[[source]]\nname = \"a\"\nurl = \"http://h:1\"\ninclude = [\"a***\"]\n",
        &[],
        &["FILE, line 4", "`a***` is not a path pattern"],
    );
    let twice = "[[source]]\nname = \"a\"\nurl = \"http://h:1\"\n[[source]]\nname = \"a\"\nurl = \"http://h:2\"\n";
    refused(twice, &[], &["FILE, line 5", "line 2", "`a`"]);
    refused("[[source]]\nname = \"a\"\nurl = \"http://h:1\"\ntoken_file = \"none\"\n", &[], &["FILE, line 4", "none"]);
    let secure = |line: &str| format!("[[source]]\nname = \"a\"\nurl = \"https://h:1\"\n{line}\n");
    refused(&secure("ca_file = \"none.pem\""), &[], &["FILE, line 4", "none.pem"]);
    refused(&secure("pin = \"00\""), &[], &["FILE, line 4", "sha256:"]);
    let pin = format!("pin = \"sha256:{}\"", "0".repeat(64));
    refused(&secure(&pin).replace("https", "http"), &[], &["FILE, line 4", "write https://"]);
    refused("tls_cert = \"a.crt\"\n", &[], &["without `tls_key`"]);
    refused("", &["--tls-key", "a.key"], &["without `tls_cert`"]);
    refused("a = [\n", &[], &["FILE, line"]);
    refused("", &["--source", "north=nowhere"], &["--source north=nowhere", "http://HOST:PORT"]);
    refused("", &["--source", "a=http://h:1", "--source", "a=http://h:2"], &["another source has the name `a`"]);
    refused("", &["--poll-interval", "x"], &["--poll-interval"]);
    refused("", &["--patience", "0s"], &["--patience"]);
    refused("", &["--database-url", "postgres://h"], &["postgres"]);
    refused("\ndatabase_url = \"postgres://me:secret@h\"\n", &[], &["FILE, line 2", "postgres"]);
    assert!(!load("database_url = \"postgres://me:secret@h\"", &[]).unwrap_err().contains("secret"));
    refused("", &["--source", "http://me:secret@h:1"], &["token_file"]);
}

#[test]
fn wrong_settings_of_uploads_and_reserved_names_are_refused() {
    refused("\n[uploads]\nmax_size = \"64\"\n", &[], &["FILE, line 3", "`64` is not a size", "64GiB"]);
    refused("[uploads]\nmax_size = \"0GiB\"\n", &[], &["FILE, line 2", "must not be 0"]);
    refused("[uploads]\n\nkeep_free = \"-1GiB\"\n", &[], &["FILE, line 3", "is not a size"]);
    refused("[uploads]\ndir = \" \"\n", &[], &["FILE, line 2", "leave it out"]);
    refused("[uploads]\nmaxsize = \"1GiB\"\n", &[], &["FILE, line 2", "`maxsize`", "`max_size`"]);
    refused(
        "[[source]]\nname = \"uploads\"\nurl = \"http://h:1\"\n",
        &[],
        &["FILE, line 2", "give this source another"],
    );
    refused("", &["--source", "uploads=http://h:1"], &["--source uploads=", "give this source another"]);
    refused("", &["--source", "..=http://h:1"], &["cannot stand in the path of a URL"]);
}

#[test]
fn a_named_file_must_be_there() {
    let args = Args::parse_from(["master", "--config", "/nowhere/t.toml"]);
    assert!(Config::load(&args.config).unwrap_err().to_string().contains("/nowhere/t.toml"));
}

const SOURCE: &str = "[[source]]\nname = \"erp\"\nurl = \"http://127.0.0.1:5001\"\n";

#[test]
fn a_catalog_is_understood() {
    let config = load(
        r#"
        [catalog]
        columns  = ["price", "stock_level", { name = "gtin", label = "GTIN" }]
        check    = "price >= 0"
        newest   = "updated_at"
        group_by = "gtin"
        index    = ["gtin", "sku", "name", "gtin"]
        [catalog.from]
        price       = "erp"
        description = ["uploads", "erp"]
        [[source]]
        name    = "erp"
        url     = "http://127.0.0.1:5001"
        columns = { sku = "Item code", price = ["Price", "RRP"], updated_at = "Changed" }
        [[source.format]]
        fill_down = ["name", "price"]
        [uploads]
        columns = { gtin = "EAN" }
        "#,
        &[],
    )
    .unwrap();
    let CatalogConfig { columns, check, newest, from, group_by, index } = &config.catalog;
    let labels: Vec<_> = columns.iter().map(|column| column.label.as_str()).collect();
    assert_eq!(labels, ["Price", "Stock level", "GTIN"]);
    assert_eq!((check.as_slice(), newest.as_deref()), (&["price >= 0".to_owned()][..], Some("updated_at")));
    assert_eq!((group_by.as_deref(), index.as_slice()), (Some("gtin"), &["gtin".to_owned(), "name".to_owned()][..]));
    assert_eq!(from["description"], ["uploads", "erp"]);
    let own = |columns: &tributary_csv_gate::Columns| {
        columns.own.iter().map(|own| (own.name.clone(), own.headers.join("|"))).collect::<Vec<_>>()
    };
    let expect = |texts: [(&str, &str); 4]| texts.map(|(name, headers)| (name.to_owned(), headers.to_owned()));
    let erp = [("price", "Price|RRP"), ("stock_level", ""), ("gtin", ""), ("updated_at", "Changed")];
    assert_eq!(own(&config.sources[0].columns), expect(erp));
    let uploads = [("price", ""), ("stock_level", ""), ("gtin", "EAN"), ("updated_at", "")];
    assert_eq!(own(&config.uploads.columns), expect(uploads));
    let words = config.to_string();
    assert!(words.contains("price comes only from erp") && words.contains("aggr counts gtin"), "{words}");
    // Sources given as flags have the columns, too.
    let config = load("[catalog]\ncolumns = [\"price\"]", &["--source", "http://127.0.0.1:1"]).unwrap();
    assert_eq!(config.sources[0].columns.own.len(), 1);
}

#[test]
fn a_wrong_catalog_is_refused_with_its_line() {
    let wrong = |catalog: &str, parts: &[&str]| refused(&format!("\n[catalog]\n{catalog}\n{SOURCE}"), &[], parts);
    wrong("columns = [\"a b\"]", &["FILE, line 3", "`a b` cannot be the name of a column"]);
    wrong("columns = [\"9\"]", &["cannot be the name"]);
    wrong("columns = [\"Name\"]", &["every catalog has the column `Name`"]);
    wrong("columns = [\"source\"]", &["`source` has a meaning of its own"]);
    wrong("columns = [\"price\",\n\"PRICE\"]", &["line 4", "listed twice"]);
    wrong("columns = [1]", &["a name, or a table such as"]);
    wrong("columns = [{ name = \"a\", label = \" \" }]", &["label of `a` needs words"]);
    wrong("group_by = \"brand\"", &["line 3", "no column `brand`; it has `sku`, `name`, `description`"]);
    wrong("index = [\"brand\"]", &["no column `brand`"]);
    wrong("newest = \"limit\"", &["`limit` has a meaning"]);
    wrong("[catalog.from]\nbrand = [\"erp\"]", &["line 4", "no column `brand`"]);
    wrong("[catalog.from]\nname = []", &["line 4", "needs at least one source"]);
    wrong("[catalog.from]\nsku = \"erp\"", &["line 4", "leave the sku out"]);
    wrong("[catalog.from]\nname = [\"erp\", \"erp\"]", &["line 4", "`erp` twice"]);
    wrong("[catalog.from]\nname = [\"erb\"]", &["line 3", "`erb`, which is no source; there are `erp`, `uploads`"]);
    wrong("group_by = \"sku\"", &["line 3", "nothing to count"]);
    wrong("newest = \"sku\"", &["line 3", "the same in all offers"]);
    wrong("newest = \"Name\"", &["line 3", "write `name`"]);
    wrong("columns = [\"edited_at\"]", &["`edited_at` has a meaning"]);
    wrong("columns = [{ name = \"a\", lable = \"b\" }]", &["line 3", "a name, or a table such as"]);
    wrong("check = [\"price >=\"]", &["line 3", "`price >=` cannot be read"]);
    wrong("colums = []", &["unknown field `colums`"]);
    refused(&format!("{SOURCE}columns = {{ price = \"Price\" }}"), &[], &["line 4", "no column `price`", "and `op`"]);
    refused(&format!("{SOURCE}[[source.format]]\nfill_down = [\"price\"]"), &[], &["line 5", "no column `price`"]);
    refused(
        &format!("{SOURCE}[[source.format]]\nfill_down = [\"sku\"]"),
        &[],
        &["line 5", "fill_down: a sku is never inherited"],
    );
}

/// An error of a type named the line alone.
#[test]
fn a_wrong_value_names_its_key() {
    let format = |line: &str, expect: &str| {
        refused(&format!("{SOURCE}[[source.format]]\n{line}"), &[], &[&format!("line 5: {expect}")]);
    };
    format("quotes = true", "quotes: ");
    format("null = \"NULL\"", "null: ");
    format("skip_rows = 99999999999999999999", "skip_rows: ");
    format("max_field = \"5\"", "max_field: `5` is not a size");
    format("thousands = \"ab\"", "thousands");
    format("files = []", "files is an empty list");
    format("max_columns = 0", "max_columns = 0");
    format("op = { upsert = \"delete\" }", "op: `upsert` has its meaning");
    refused("poll_interval = \"soon\"\n", &[], &["line 1: poll_interval: `soon`"]);
    refused("[uploads]\nmax_size = \"5\"\n", &[], &["line 2: max_size: `5` is not a size"]);
    refused(&format!("{SOURCE}include = []"), &[], &["line 4", "include"]);
}
