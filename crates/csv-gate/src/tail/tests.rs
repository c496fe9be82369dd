//! Footers that are cut off, and rows that are not.

use super::*;
use crate::sniff::{Wanted, profile::of_sample, sniff};

/// Cuts the footer off a file, whose header is its first line.
fn cut(text: &str, is_padded: bool) -> &str {
    let splitter = Splitter::for_tests();
    let wanted = Wanted { delimiter: true, quoting: true, ..Wanted::default() };
    let found = sniff(text.as_bytes(), End::Eof, &splitter, wanted);
    let splitter = Splitter { delimiter: found.delimiter, quoting: found.quoting, ..splitter };
    let profile = of_sample(text.as_bytes(), End::Eof, &splitter).expect("these files have a header");
    &text[..Tail { splitter, profile, is_padded }.find(text.as_bytes(), true)]
}

#[test]
fn footers_are_cut_off() {
    let check = |footer: &str| {
        let rows = "sku,name,amount\nb1,Roads,1\nb2,Schools,2\nb3,Parks,3\n";
        assert_eq!(cut(&format!("{rows}{footer}"), false).trim_end(), rows.trim_end(), "{footer}");
    };
    check("Total,,6\n");
    check(",Total:,\"6\"");
    check("Total,6\n");
    check("\r\nSumme,,6\n\nSource: treasury, preliminary figures\n".replace("y, p", "y p").as_str());
    check("Total,,6\n\nSource of it\n# end\n");
    check("(3 rows)\n");
    check("(3 rows affected)\n\n");
    check("-- 3 rows\n");
    check("3 rows in set (0.00 sec)\n");
    check("# end of export");
    check("#eof\n");
    check("Report Total,,6\nAverage,,2\n");
    check(",,\nTotal,,6\n,,\nPrinted on 01.01.2024,,\n");
    check(",,\nAll prices net of tax,,\n");
    check("\\.\n");
    check("\n---\n");
    // Empty lines and rows do not count among the lines of a footer.
    check(&format!("Total,,6\n{}", "\n".repeat(50)));
    check(&format!("Total,,6\n{}", ",,\n".repeat(5000)));
    check("Total,,6\n\0\0");
    check(",,\n,,\n");
    check(&",,\n".repeat(5000));
    check(" , ,\n\n  \n");
    check("Total,,\"6,50 EUR\"\n");
    for word in
        ["Total EUR", "Total HT", "Summe netto", "Gesamtbetrag", "Totale generale", "Somma", "Count", "Total (EUR):"]
    {
        check(&format!("{word},,6.50\n"));
    }
    for mark in [
        "Stand: 01.01.2024",
        "Seite 1 von 1",
        "Page 1/2",
        "Anzahl: 3",
        "Total items: 3",
        "Ende",
        "*** Ende ***",
        "----------",
        "__________",
        "* Preise netto",
        "End of report.",
    ] {
        check(&format!("{mark},,\n"));
    }
}

#[test]
fn rows_are_not_cut_off() {
    let check = |text: &str| assert_eq!(cut(text, false), text);
    check("sku,name,n\na,Pen,1\nb,Nib,2\nTotal,Energy,3\n");
    check("sku,name,n\na,,1\nb,Nib,2\nTotal,,3\n");
    check("sku,name,n\na,Pen,1\nb,Nib,2\nTotals x,,3\n");
    check("sku,name,n\na,Pen,1\nTotal,,3\nb,Nib,2\n");
    check("sku,name,n\na,Pen,1\nb,Nib,2\np9\n");
    check("sku,name,n\na,Pen,1\nb,Nib,2\n\np9\n");
    check("sku,name,n\na,Pen,1\nb,Nib,2\ncut here\n");
    check("sku,name,n\na,Pen,1\nb,\"two\nTotal,,5\n\",2\n");
    check("text\na\n(3 rows)\n");
    check("sku,name\na,Pen\nTotal,3\n");
    check("sku,name,n\n");
    check("sku,name,n\na,Pen,1\n,,\n-,,\n");
    check("sku,name,n\na,Pen,1\n,,\n");
    check("sku,name,n\n,,\n,,\n");
    check("sku,name,n\n,,\n,,\t\n");
    check("sku,name,n\na,Pen,1\n\"\",\"\",\"\"\n\"\",\"\",\"\"\n");
    check("sku,name,n\na,Pen,1\n,,\nb,Nib,2\n");
    check("sku,name,n\na,\"Pen\n,,\n\",2\n");
    check("sku,name,n\nArt: 1,Pen,1\nArt: 2,,\n");
    check("sku,name,n\na,Pen,1\nb,,\nEnde,,\n");
    check("sku,name,n\na,Pen,1\nSet: red,,\n");
    check("sku,name,n\na,Pen,1\nEndive,,\n");
    check("sku,name,n\na,Pen,1\nPage,,\n");
    check("sku,name,n\na,Pen,1\nTotal Energy,,3\n");
    check("sku,name,n\na,Pen,1\nTotal,,x3\n");
    check("sku,name\na,Pen\nEnde,\n");
    let padded = "sku,name,n\na,Pen,1\nb,Nib,2\n\nnot a note\n";
    assert_eq!(cut(padded, true), padded);
}
