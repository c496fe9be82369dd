//! Sources that say how their files are to be read, and mean harm with it.

use std::{
    fs,
    io::{Cursor, Read, Write},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    Attack, How,
    hostile::{reply, sensed},
    peers::write_list,
    stage::{Plan, Stage},
};

pub(super) const ATTACKS: &[Attack] = &[
    Attack("3", "two sources announce patterns that take for ever", How::On(patterns, change_is_applied)),
    Attack("3", "a source lifts the limit of a record, and packs one of 600 MB", How::On(long_record, is_refused)),
    Attack("3", "a source lifts the limit of columns, and packs 40 million", How::On(many_columns, is_refused)),
    Attack("3", "three sources with a workbook of one text of 250 MB each", How::On(workbooks, is_refused)),
    Attack("3", "six sources list 1,000,000 files each", How::On(six_lists, six_read)),
];

/// A source with one file, whose manifest says how it is to be read.
fn announcing(plan: Plan, name: &str, path: &str, body: Vec<u8>, formats: &str) -> Result<Plan> {
    let entry = format!(
        "{{\"path\":\"{path}\",\"size\":{},\"modified\":\"2026-11-22T00:00:00Z\",\"hash\":\"blake3:{}\"}}",
        body.len(),
        blake3::hash(&body).to_hex()
    );
    let manifest = format!("{{\"version\":\"v1\",\"files\":[{entry}],\"formats\":[{formats}]}}");
    plan.hostile(name, "", move |asked, out| match asked {
        "/sense/files" => reply(out, "application/json", manifest.as_bytes()),
        _ if asked.starts_with("/read/") => reply(out, "application/octet-stream", &body),
        _ => sensed(asked, out),
    })
}

fn patterns() -> Result<Plan> {
    let (stars, path) = ("*a".repeat(30) + "b/x.csv", "a".repeat(200) + "/x.csv");
    let formats = format!("{{\"files\":[\"{stars}\"],\"null\":[\"-\"]}}");
    let body = b"sku,name\np,Pattern\n".to_vec();
    let plan = announcing(Plan::new(), "bad", &path, body.clone(), &formats)?;
    announcing(plan, "worse", &path, body, &formats)
}

/// A change of the good source must be applied as ever.
fn change_is_applied(stage: &Stage) -> Result<String> {
    stage.until("the hostile sources are asked", || (stage.hostile("worse").asked() > 1).then_some(()))?;
    let begun = Instant::now();
    fs::write(stage.folder().join("more.csv"), "sku,name\nmore,More\n")?;
    stage.until("a change of the good source is applied", || stage.shows("more")?.then_some(()))?;
    let seconds = begun.elapsed().as_secs_f64();
    fs::remove_file(stage.folder().join("more.csv"))?;
    stage.until("it is gone", || (!stage.shows("more")?).then_some(()))?;
    Ok(format!("a change of the good source was applied after {seconds:.1} s"))
}

/// Packs what the shell prints, by the program `gzip`.
fn packed(script: &str) -> Result<Vec<u8>> {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("({script}) | gzip -1")]);
    Ok(shell.output().context("failed to run sh")?.stdout)
}

const LIFTED: &str = "{\"files\":[],\"max_record\":\"64GiB\",\"max_field\":\"64GiB\",\"max_columns\":1000000000000,\"max_ratio\":1000000000000}";

fn long_record() -> Result<Plan> {
    let body =
        packed("printf 'sku,name,description\\nr1,n,\"'; head -c 600000000 /dev/zero | tr '\\0' x; printf '\"\\n'")?;
    announcing(Plan::new(), "bad", "a.csv.gz", body, LIFTED)
}

fn many_columns() -> Result<Plan> {
    let body = packed("printf 'sku,name,description'; head -c 40000000 /dev/zero | tr '\\0' ,; printf '\\n1,2,3\\n'")?;
    announcing(Plan::new(), "bad", "a.csv.gz", body, LIFTED)
}

fn workbooks() -> Result<Plan> {
    let body = workbook(250 << 20)?;
    ["bad", "worse", "worst"].into_iter().try_fold(Plan::new(), |plan, name| {
        announcing(plan, name, "a.xlsx", body.clone(), "{\"files\":[\"*.xlsx\"],\"sheet\":1}")
    })
}

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A workbook whose only row has a text of so many letters.
fn workbook(letters: u64) -> Result<Vec<u8>> {
    let relation = |kind: &str, target: &str| {
        let to = format!("<Relationship Id=\"rId1\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/>");
        format!("<Relationships xmlns=\"{RELATIONS}\">{to}</Relationships>")
    };
    let book = format!(
        "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    );
    let cell = |text: &str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let header = ["sku", "name", "description"].map(cell).concat();
    let begin = format!(
        "<worksheet xmlns=\"{MAIN}\"><sheetData><row>{header}</row><row>{}{}<c t=\"inlineStr\"><is><t>",
        cell("w"),
        cell("W")
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let parts = [
        (
            "[Content_Types].xml",
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_owned(),
        ),
        ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
        ("xl/workbook.xml", book),
        ("xl/_rels/workbook.xml.rels", relation("worksheet", "worksheets/sheet1.xml")),
        ("xl/worksheets/sheet1.xml", begin),
    ];
    for (name, text) in parts {
        zip.start_file(name, SimpleFileOptions::default())?;
        zip.write_all(text.as_bytes())?;
    }
    std::io::copy(&mut std::io::repeat(b'y').take(letters), &mut zip)?;
    zip.write_all(b"</t></is></c></row></sheetData></worksheet>")?;
    Ok(zip.finish()?.into_inner())
}

/// The file must be refused, and the source must say why.
fn is_refused(stage: &Stage) -> Result<String> {
    let error = stage.says("bad", "a.")?;
    ensure!(error.len() < 8 << 10, "its error has {} bytes", error.len());
    let asked = stage.hostile("bad").asked();
    stage.until("it is asked again", || (stage.hostile("bad").asked() > asked + 1).then_some(()))?;
    Ok(error.chars().take(160).collect())
}

const SIX: [&str; 6] = ["bad", "bad2", "bad3", "bad4", "bad5", "bad6"];

fn six_lists() -> Result<Plan> {
    SIX.into_iter().try_fold(Plan::new(), |plan, name| {
        plan.hostile(name, "", |path, out| match path {
            "/sense/files" => write_list(1_000_000, out),
            _ => sensed(path, out),
        })
    })
}

/// Each is read some time: those for which there is no room beside the others take turns.
fn six_read(stage: &Stage) -> Result<String> {
    for name in SIX {
        stage.says(name, "were not asked for")?;
    }
    Ok(String::new())
}
