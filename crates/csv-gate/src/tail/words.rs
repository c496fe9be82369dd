//! The words of footers.

use crate::sniff::profile::{Kind, kind};

/// Fewest dashes that are a line drawn below a table. A single one is a word for nothing.
const MIN_LINE_BYTES: usize = 3;
/// Words for a total and for what is computed of rows like one, in lowercase.
const TOTALS: [&str; 61] = [
    "total",
    "totals",
    "subtotal",
    "sum",
    "sums",
    "summe",
    "summen",
    "summa",
    "gesamt",
    "gesamtsumme",
    "zwischensumme",
    "insgesamt",
    "endsumme",
    "totaal",
    "totale",
    "totali",
    "totaux",
    "somme",
    "totales",
    "suma",
    "razem",
    "celkem",
    "összesen",
    "yhteensä",
    "toplam",
    "итого",
    "всего",
    "合計",
    "小計",
    "总计",
    "합계",
    "총계",
    "รวม",
    "average",
    "mean",
    "median",
    "min",
    "max",
    "minimum",
    "maximum",
    "durchschnitt",
    "mittelwert",
    "moyenne",
    "promedio",
    "total général",
    "total general",
    "total geral",
    "i alt",
    "somma",
    "gesamtbetrag",
    "gesamtwert",
    "gesamtanzahl",
    "endbetrag",
    "grand total",
    "count",
    "counts",
    "anzahl",
    "aantal",
    "antal",
    "liczba",
    "suma końcowa",
];
/// Words that may follow one for a total.
const OF_TOTALS: [&str; 35] = [
    "net",
    "netto",
    "brutto",
    "gross",
    "ht",
    "ttc",
    "vat",
    "mwst",
    "incl",
    "inkl",
    "excl",
    "exkl",
    "eur",
    "euro",
    "usd",
    "gbp",
    "chf",
    "€",
    "$",
    "£",
    "general",
    "generale",
    "général",
    "geral",
    "amount",
    "sum",
    "price",
    "qty",
    "items",
    "item",
    "products",
    "rows",
    "artikel",
    "positionen",
    "stück",
];
/// Words with which a page number begins.
const PAGES: [&str; 7] = ["page", "seite", "pagina", "página", "strana", "strona", "sida"];
/// Texts at the end of a file that say so.
const ENDS: [&str; 21] = [
    "end",
    "ende",
    "fin",
    "fine",
    "einde",
    "koniec",
    "slut",
    "konec",
    "конец",
    "eof",
    "end of file",
    "end of report",
    "end of export",
    "end of data",
    "end of list",
    "end of table",
    "ende der liste",
    "ende der datei",
    "ende des berichts",
    "fin du fichier",
    "fin de fichier",
];
/// Words for what a count counts, and words that may follow.
const COUNTED: [&str; 12] =
    ["row", "rows", "record", "records", "line", "lines", "tuple", "tuples", "zeile", "zeilen", "ligne", "lignes"];
const AFTER_COUNT: [&str; 8] = ["affected", "in", "set", "selected", "returned", "exported", "sec", "total"];

/// Whether a text in lowercase stands for a total, such as `total`, `grand total` or `totals for may`.
pub(super) fn is_total_word(text: &str) -> bool {
    let text = text.trim_end_matches([':', ' ']);
    let ends = [" total", " totals", " gesamt"].iter().any(|end| text.ends_with(end));
    let begins = ["total for ", "totals for ", "total ("].iter().any(|begin| text.starts_with(begin));
    let mut words = text.split([' ', '(', ')', '.']).filter(|word| !word.is_empty());
    let is_followed =
        words.next().is_some_and(|word| TOTALS.contains(&word)) && words.all(|word| OF_TOTALS.contains(&word));
    TOTALS.contains(&text) || ends || begins || is_followed
}

/// Whether a cell is a number beside the name of a currency.
pub(super) fn is_amount(cell: &[u8]) -> bool {
    let cell = cell.trim_ascii();
    let is_name = |name: &[u8]| name.iter().all(u8::is_ascii_uppercase);
    let before = cell.split_first_chunk::<3>().filter(|(name, _)| is_name(*name)).map(|(_, rest)| rest);
    let behind = cell.split_last_chunk::<3>().filter(|(_, name)| is_name(*name)).map(|(rest, _)| rest);
    before.or(behind).is_some_and(|number| kind(number) == Kind::Number)
}

/// Whether a text in lowercase is one that files end with and that is none of a row: a drawn line, the number of the page, a label
/// with a number or a date, a footnote, or the word that it is the end.
pub(super) fn is_mark(text: &str) -> bool {
    let is_line = text.len() >= MIN_LINE_BYTES && text.bytes().all(|byte| b"-=_*".contains(&byte));
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let is_page =
        || has_digit && text.split(' ').next().is_some_and(|word| PAGES.contains(&word)) && text.contains(' ');
    let is_footnote = || text.strip_prefix("* ").is_some_and(|note| note.trim().contains(' '));
    let is_end = || ENDS.contains(&text.trim_matches(|c| "*-=_.#: ".contains(c)));
    is_line || is_labelled(text) || is_page() || is_footnote() || is_end()
}

/// Whether a text is a label, a colon, and a number or a date.
fn is_labelled(text: &str) -> bool {
    const MAX_LABEL_WORDS: usize = 4;
    let Some((label, value)) = text.split_once(':') else { return false };
    let is_word = |word: &str| word.chars().all(|c| c.is_alphabetic() || c == '.' || c == '-');
    let words = label.split_whitespace();
    let is_label = words.clone().all(is_word) && (1..=MAX_LABEL_WORDS).contains(&words.count());
    is_label && value.starts_with(' ') && kind(value.as_bytes()) == Kind::Number
}

/// Leaves out a line at the end of a file that counts its rows.
pub(crate) fn without_count(text: &[u8], line_end: u8) -> &[u8] {
    let rows = text.trim_ascii_end();
    let start = memchr::memrchr(line_end, rows).map_or(0, |at| at + 1);
    let is_short = rows.len() - start < 80;
    match is_short && is_count(&String::from_utf8_lossy(&rows[start..]).to_lowercase()) {
        true => &text[..start],
        false => text,
    }
}

/// Whether a text in lowercase counts rows, such as `(3 rows)` or `-- 3 rows`.
pub(super) fn is_count(text: &str) -> bool {
    // The end of a dump by `psql`.
    if text == "\\." {
        return true;
    }
    let bare = text.trim_start_matches(['-', '#', ' ', '(']);
    let digits = bare.trim_start_matches(|c: char| c.is_ascii_digit() || c == ',');
    let mut words = digits.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let counts = digits.len() < bare.len() && words.next().is_some_and(|word| COUNTED.contains(&word));
    counts && words.all(|word| AFTER_COUNT.contains(&word))
}
