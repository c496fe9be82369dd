//! Links of small trees. Their pages lie in `pages`, and in `docs` only once the test runs: the rule reads this file too.

use super::*;

/// A tree with `pages/a.md`, whose heading is `Some heading`, and this file.
fn faults_of(path: &str, text: &str) -> Vec<String> {
    faults(&Tree::of(&[("pages/a.md", "# Some heading\n"), ("pages/b/c.md", ""), ("LICENSE", ""), (path, text)]))
}

#[test]
fn links_that_exist_are_no_fault() {
    for link in [
        "pages/a.md",
        "./pages/a.md#some-heading",
        "/pages/b/c.md",
        "pages/b",
        "pages/b/",
        "LICENSE",
        "#here",
        "https://example.org/x.md#y",
        "mailto:a@example.org",
    ] {
        assert_eq!(faults_of("README.md", &format!("# Here\n[x]({link})\n")), [""; 0], "{link}");
    }
    assert_eq!(faults_of("pages/b/d.md", "[x](c.md) [y](../a.md#some-heading) [z](../../LICENSE)\n"), [""; 0]);
}

#[test]
fn links_that_lead_nowhere_are_faults() {
    let check = |link: &str, why: &str| {
        let expect = format!("README.md:2: `{link}` leads nowhere: {why}");
        assert_eq!(faults_of("README.md", &format!("# Here\n[x]({link})\n")), [expect], "{link}");
    };
    check("pages/z.md", "there is no pages/z.md");
    check("doc", "there is no doc");
    check("pages/a.md#other", "pages/a.md has no heading `other`");
    check("#there", "README.md has no heading `there`");
    check("../pages/a.md", "there is no ../pages/a.md");
}

#[test]
fn cited_pages_must_exist() {
    let check = |cited: &str, expect: Option<&str>| {
        let cited = cited.replace("pages", "docs");
        let tree = [("pages/a.md", "# Some heading\n"), ("x.rs", "//! Rules: `CITED`.\nfn a() {} // See CITED.\n")];
        let [page, rust] = tree.map(|(path, text)| (path.replace("pages", "docs"), text.replace("CITED", &cited)));
        let tree = Tree::of(&[(&page.0, &page.1), (&rust.0, &rust.1)]);
        let fault =
            |line| expect.map(|why| format!("x.rs:{line}: `{cited}` leads nowhere: {}", why.replace("pages", "docs")));
        assert_eq!(faults(&tree), [fault(1), fault(2)].into_iter().flatten().collect::<Vec<_>>(), "{cited}");
    };
    check("pages/a.md", None);
    check("pages/a.md#some-heading", None);
    check("pages/a.md#other", Some("pages/a.md has no heading `other`"));
    check("pages/b/z.md#x", Some("there is no pages/b/z.md"));
    check("pages/image.png", None);
}
