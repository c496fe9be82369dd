//! Anchors and links of small pages.

use super::*;

fn anchors(text: &str) -> Vec<String> {
    Page::parse(text).anchors.into_iter().collect()
}

fn links(text: &str) -> Vec<(usize, String)> {
    Page::parse(text).links
}

#[test]
fn anchors_follow_githubs_rules() {
    let check = |heading: &str, expect: &str| assert_eq!(anchors(&format!("## {heading}\n")), [expect], "{heading}");
    check("Reports", "reports");
    check("Run it on your folders", "run-it-on-your-folders");
    check("Feeds: what a file must have", "feeds-what-a-file-must-have");
    check("`POST /api/v1/uploads`", "post-apiv1uploads");
    check("`[[report]]`, in *detail*", "report-in-detail");
    check("Host & Origin", "host--origin");
    check("snake_case and kebab-case", "snake_case-and-kebab-case");
    check("[A link](x.md) in it", "a-link-in-it");
    check("Größe", "größe");
    check("Closed ##", "closed");
}

#[test]
fn equal_headings_are_numbered() {
    assert_eq!(anchors("# A\n## B\n## A\n### A\n"), ["a", "a-1", "a-2", "b"]);
    assert_eq!(anchors("# A\n# A-1\n# A\n"), ["a", "a-1", "a-2"]);
}

#[test]
fn only_headings_and_html_make_anchors() {
    assert_eq!(
        anchors("```\n# code\n```\n\nSetext\n---\n\n<a id=\"by-hand\"></a>\n\n#hashtag\n"),
        ["by-hand", "setext"]
    );
}

#[test]
fn links_are_found_with_their_lines() {
    let text = "[a](a.md)\nand ![b](b.png \"title\")\n\n| [c](c.md#d) |\n| --- |\n| [e][ref] |\n\n[ref]: e.md\n";
    let expect = [(1, "a.md"), (2, "b.png"), (4, "c.md#d"), (6, "e.md")].map(|(line, link)| (line, link.to_owned()));
    assert_eq!(links(text), expect);
    assert_eq!(links("x\n\n<img width=\"9\" src=\"f.png\">\n"), [(3, "f.png".to_owned())]);
    assert_eq!(links("`[no](no.md)` and\n\n    [no](no.md)\n"), []);
}
