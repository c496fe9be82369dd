//! Workbooks written by another library come out as text; damaged ones are errors.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should end")]

use std::io::{Cursor, Read, Write};

use rust_xlsxwriter::{Chart, ChartType, ExcelDateTime, Format, Formula, Workbook};
use tributary_protocol::Sheet;
use tributary_workbook::{MAX_UNPACKED_BYTES, WorkbookError, to_csv};
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

/// Two sheets with all kinds of cells.
fn prices() -> Vec<u8> {
    let mut workbook = Workbook::new();
    let (date, zeros) = (Format::new().set_num_format("yyyy-mm-dd hh:mm"), Format::new().set_num_format("00000"));
    let notes = workbook.add_worksheet().set_name("Notes").unwrap();
    notes.write(0, 0, "see the other sheet").unwrap();
    let sheet = workbook.add_worksheet().set_name("Prices").unwrap();
    for (column, name) in ["sku", "name", "price", "since"].into_iter().enumerate() {
        sheet.write(0, column as u16, name).unwrap();
    }
    sheet.write(1, 0, "00123").unwrap();
    sheet.write(1, 1, "Tea, \"green\"\nloose").unwrap();
    sheet.write(1, 2, 12.5).unwrap();
    sheet.write_with_format(1, 3, ExcelDateTime::parse_from_str("2024-01-31").unwrap(), &date).unwrap();
    sheet.write(2, 0, "12345678901234567890").unwrap();
    sheet.write(2, 2, Formula::new("=C2*2").set_result("25")).unwrap();
    sheet.write_with_format(2, 3, ExcelDateTime::parse_from_str("2024-01-31T10:00:00").unwrap(), &date).unwrap();
    sheet.write_with_format(4, 0, 42, &zeros).unwrap();
    sheet.write(4, 1, true).unwrap();
    sheet.write(4, 2, Formula::new("=NA()").set_result("#N/A")).unwrap();
    sheet.write(5, 0, 8_850_101_234_567.0).unwrap();
    workbook.save_to_buffer().unwrap()
}

/// A copy of the workbook in which `change` has changed a part.
fn with_part(workbook: &[u8], name: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    let mut parts = ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..parts.len() {
        let mut part = parts.by_index(at).unwrap();
        let (part_name, mut bytes) = (part.name().unwrap().into_owned(), Vec::new());
        part.read_to_end(&mut bytes).unwrap();
        out.start_file(&*part_name, SimpleFileOptions::default()).unwrap();
        out.write_all(&if part_name == name { change(bytes) } else { bytes }).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// It was called damaged, to be saved again in Excel.
#[test]
fn a_chart_is_not_a_table() {
    let mut workbook = Workbook::new();
    workbook.add_worksheet().write(0, 0, "sku").unwrap();
    let mut chart = Chart::new(ChartType::Pie);
    chart.add_series().set_values("Sheet1!$A$1:$A$1");
    workbook.add_chartsheet().set_name("Sales").unwrap().insert_chart(0, 0, &chart).unwrap();
    let workbook = workbook.save_to_buffer().unwrap();
    assert_eq!(to_csv(&workbook, &Sheet::Number(2)), Err(WorkbookError::NoTable("Sales".to_owned())));
    assert_eq!(to_csv(&workbook, &Sheet::Number(1)).unwrap(), b"sku\r");
}

#[test]
fn cells_come_out_as_their_values() {
    let expect = "sku,name,price,since\r\
                  00123,\"Tea, \"\"green\"\"\nloose\",12.5,2024-01-31\r\
                  12345678901234567890,,25,2024-01-31T10:00:00\r\
                  \r\
                  00042,true,,\r\
                  8850101234567\r";
    for sheet in [Sheet::Name("Prices".into()), Sheet::Name("PRICES".into()), Sheet::Number(2)] {
        assert_eq!(String::from_utf8(to_csv(&prices(), &sheet).unwrap()).unwrap(), expect, "{sheet:?}");
    }
    assert_eq!(to_csv(&prices(), &Sheet::Number(1)).unwrap(), b"see the other sheet\r");
}

#[test]
fn a_sheet_that_is_not_there_is_named_beside_those_that_are() {
    for (sheet, wanted) in [
        (Sheet::Number(0), "no sheet 0"),
        (Sheet::Number(3), "no sheet 3"),
        (Sheet::Number(u32::MAX), "no sheet 4294967295"),
        (Sheet::Name("2".into()), "no sheet \"2\""),
    ] {
        let error = to_csv(&prices(), &sheet).unwrap_err().to_string();
        assert!(error.contains(wanted) && error.contains("\"Notes\", \"Prices\""), "{error}");
    }
}

#[test]
fn other_files_are_refused() {
    let check = |bytes: &[u8], expect: WorkbookError| {
        assert_eq!(to_csv(bytes, &Sheet::Number(1)).unwrap_err(), expect);
    };
    check(b"", WorkbookError::NotAWorkbook);
    check(b"sku,name\n1,a\n", WorkbookError::NotAWorkbook);
    check(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more", WorkbookError::OldOrEncrypted);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("feed.csv", SimpleFileOptions::default()).unwrap();
    check(&zip.finish().unwrap().into_inner(), WorkbookError::NotAWorkbook);
}

/// A workbook of some hundred kilobytes must not take gigabytes of memory.
#[test]
fn a_bomb_is_over_the_limit() {
    let bomb = with_part(&prices(), "xl/worksheets/sheet2.xml", |mut xml| {
        let room = MAX_UNPACKED_BYTES as usize - xml.len();
        xml.extend(b"<!---->".iter().cycle().take(room));
        xml
    });
    assert!(bomb.len() < 2 << 20, "{} bytes", bomb.len());
    let error = to_csv(&bomb, &Sheet::Number(1)).unwrap_err();
    assert!(matches!(error, WorkbookError::TooLarge { limit: MAX_UNPACKED_BYTES, .. }), "{error}");
    // A directory that says that the part is small.
    let (true_size, lie) = ((MAX_UNPACKED_BYTES as u32).to_le_bytes(), 9_u32.to_le_bytes());
    let mut lying = bomb.clone();
    for at in 0..lying.len() - 4 {
        if lying[at..at + 4] == true_size {
            lying[at..at + 4].copy_from_slice(&lie);
        }
    }
    assert_ne!(lying, bomb);
    to_csv(&lying, &Sheet::Number(1)).unwrap_err();
}

/// A text of 250 MiB in a workbook of 250 KiB was copied six times.
#[test]
fn one_text_cannot_ask_for_memory() {
    let with_text = |part: &str, text: &str| {
        let grown = with_part(&prices(), part, |xml| {
            String::from_utf8(xml).unwrap().replace("</sheetData>", text).replace("</sst>", text).into_bytes()
        });
        to_csv(&grown, &Sheet::Number(2)).map(|csv| String::from_utf8(csv).unwrap())
    };
    let row = |text: &str| format!("<row r=\"9\"><c r=\"A9\" t=\"inlineStr\"><is>{text}</is></c></row></sheetData>");
    let (sheet, texts) = ("xl/worksheets/sheet2.xml", "xl/sharedStrings.xml");
    let long = "y".repeat((4 << 20) + 1);
    for (part, text) in [
        (sheet, row(&format!("<t>{long}</t>"))),
        (sheet, format!("<row r=\"{long}\"/></sheetData>")),
        (texts, format!("<si><t>{long}</t></si></sst>")),
    ] {
        let error = with_text(part, &text).unwrap_err().to_string();
        assert!(error.contains("more than 4194304 bytes in one text"), "{error}");
    }
    let runs = |count: usize| row(&"<r><t>0123456789abcdef</t></r>".repeat(count));
    assert!(with_text(sheet, &runs(32_767 / 16)).unwrap().ends_with("cdef\r"));
    let error = with_text(sheet, &runs(8_193)).unwrap_err().to_string();
    assert!(error.contains("more than 131072 bytes in one cell"), "{error}");
}

/// Elements of a few bytes take many more in memory: styles of 1 MB took 2.4 GB.
#[test]
fn small_elements_cannot_ask_for_memory() {
    let check = |part: &str, begin: &str, element: &str, what: &str| {
        let grown = with_part(&prices(), part, |xml| {
            let xml = String::from_utf8(xml).unwrap();
            let at = xml.find(begin).unwrap_or_else(|| panic!("{part} has no {begin}: {xml}"));
            let at = at + xml[at..].find('>').unwrap() + 1;
            [&xml[..at], &element.repeat((8 << 20) + 1), &xml[at..]].concat().into_bytes()
        });
        let error = to_csv(&grown, &Sheet::Number(2)).unwrap_err().to_string();
        assert!(error.contains(what), "{part}: {error}");
    };
    check("xl/styles.xml", "<cellXfs", "<xf/>", "more than 1048576 elements of styles, sheets or names");
    check("xl/workbook.xml", "<sheets", "<sheet/>", "more than 1048576 elements");
    check("xl/_rels/workbook.xml.rels", "<Relationships", "<a/>", "more than 1048576 elements");
    check("xl/sharedStrings.xml", "<sst", "<si/>", "more than 8388608 texts");
    // Of a sheet nothing is held.
    let rows = with_part(&prices(), "xl/worksheets/sheet2.xml", |xml| {
        let xml = String::from_utf8(xml).unwrap();
        xml.replace("</sheetData>", &format!("{}</sheetData>", "<row></row>".repeat(1 << 20))).into_bytes()
    });
    to_csv(&rows, &Sheet::Number(2)).unwrap();
}

/// calamine makes room for as many texts as the workbook announces, and a failed allocation ends the process.
#[test]
fn announced_texts_cannot_ask_for_memory() {
    let announce = |count: &'static str| {
        with_part(&prices(), "xl/sharedStrings.xml", move |xml| {
            let xml = String::from_utf8(xml).unwrap();
            let at = xml.find("uniqueCount").unwrap();
            let end = at + xml[at..].find('>').unwrap();
            format!("{}uniqueCount = {count}{}", &xml[..at], &xml[end..]).into_bytes()
        })
    };
    to_csv(&announce("'7'"), &Sheet::Number(2)).unwrap();
    for count in ["'99999999999999'", "\"99999999999999999999999999\"", "\n'+70000000000'"] {
        let error = to_csv(&announce(count), &Sheet::Number(2)).unwrap_err();
        assert!(error.to_string().contains("more texts"), "{error}");
    }
    let hidden = with_part(&prices(), "xl/sharedStrings.xml", |xml| {
        let utf16 = String::from_utf8(xml).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        [&b"\xff\xfe"[..], &utf16].concat()
    });
    assert!(to_csv(&hidden, &Sheet::Number(2)).is_err());
}

/// Garbage is an error or another table, never a panic or an abort.
#[test]
fn damaged_workbooks_do_no_harm() {
    let workbook = prices();
    for len in (0..workbook.len()).step_by(7) {
        let _ = to_csv(&workbook[..len], &Sheet::Number(2));
    }
    assert!(to_csv(&workbook[..workbook.len() - 9], &Sheet::Number(2)).is_err());
    // A generator of fixed numbers, so that a failure repeats.
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..300 {
        let mut damaged = workbook.clone();
        for _ in 0..=random(4) {
            let at = random(damaged.len());
            damaged[at] = random(256) as u8;
        }
        let _ = to_csv(&damaged, &Sheet::Number(2));
    }
    // Inside the parts, where no checksum of the archive shows it.
    for part in ["xl/worksheets/sheet2.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml"] {
        for _ in 0..100 {
            let (from, to) = (random(1 << 20), random(1 << 20) as u8);
            let damaged = with_part(&workbook, part, |mut xml| {
                let at = from % xml.len();
                xml[at] = to;
                xml
            });
            let _ = to_csv(&damaged, &Sheet::Number(2));
        }
    }
}

#[test]
fn references_that_overflow_are_errors() {
    let check = |reference: &'static str| {
        let changed = with_part(&prices(), "xl/worksheets/sheet2.xml", |xml| {
            let xml = String::from_utf8(xml).unwrap();
            assert!(xml.contains("r=\"A6\""), "{xml}");
            xml.replace("r=\"A6\"", &format!("r=\"{reference}\"")).into_bytes()
        });
        assert!(matches!(to_csv(&changed, &Sheet::Number(2)), Err(WorkbookError::Damaged(_))), "{reference}");
    };
    check("A99999999999999");
    check("ZZZZZZZZZZZZ6");
    check("A0");
    check("XFE6");
    check("A1048577");
    check("A1");
}
