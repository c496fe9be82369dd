//! The list of products for people: counted, in pages back and forth, and searched a part at a time when it is large.

use super::{BROWSER, get, one_source, page};
use crate::system::System;

/// The links of a page to other pages of the list, by their words, and the skus that it shows.
fn read(system: &System, path: &str) -> (Vec<(String, String)>, Vec<String>, String) {
    let text = page(&get(system, path, &[BROWSER]), 200);
    let nav = text.split_once("<nav class=\"pages\"").unwrap().1.split("</nav>").next().unwrap();
    let links = nav.split("href=\"").skip(1).map(|link| {
        let (href, rest) = link.split_once('"').unwrap();
        let words = rest.split_once('>').unwrap().1.split('<').next().unwrap();
        (words.to_owned(), href.replace("&#38;", "&"))
    });
    let cells = text.split("<tr><td>").skip(1);
    let skus = cells.map(|cell| cell.split_once("<code>").unwrap().1.split('<').next().unwrap().to_owned());
    let count = text.split_once("role=\"status\">").unwrap().1.split('<').next().unwrap().to_owned();
    (links.collect(), skus.collect(), count)
}

fn link(links: &[(String, String)], words: &str) -> String {
    links.iter().find(|(link, _)| link == words).unwrap_or_else(|| panic!("no {words:?} in {links:?}")).1.clone()
}

#[test]
fn pages_lead_forth_and_back() {
    let rows: String = (0..120).map(|row| format!("s{row:03},N{}\n", row % 7)).collect();
    let system = one_source(&[("feed.csv", &format!("sku,name\n{rows}"))]);
    for query in ["", "&sort=-sku", "&sort=name", "&q=s"] {
        let (links, first, count) = read(&system, &format!("/products?columns=name{query}"));
        assert_eq!((first.len(), count.as_str()), (50, "120 products"), "{query}");
        assert_eq!(links.len(), 1, "{links:?}");
        let (links, second, _) = read(&system, &link(&links, "More"));
        let (links, third, _) = read(&system, &link(&links, "More"));
        assert_eq!((second.len(), third.len()), (50, 20), "{query}");
        assert!(links.iter().all(|(words, _)| words != "More"), "{links:?}");
        let (links, again, _) = read(&system, &link(&links, "Previous"));
        assert_eq!(again, second, "{query}");
        let (links, again, _) = read(&system, &link(&links, "Previous"));
        assert_eq!(again, first, "{query}");
        assert!(links.iter().all(|(words, _)| words != "Previous"), "{links:?}");
        link(&links, "More");
    }
    let (_, found, count) = read(&system, "/products?name=N3");
    assert_eq!((found.len(), count.as_str()), (17, "17 of 120 products"));
    // The files hold what is shown: the same products, order and columns.
    let text = page(&get(&system, "/products?sort=-sku&columns=name&after=s100", &[BROWSER]), 200);
    let file =
        text.split("href=\"/api/v1/products?").nth(1).unwrap().split("xlsx\"").next().unwrap().replace("&#38;", "&");
    let csv = get(&system, &format!("/api/v1/products?{file}csv&raw=1"), &[]).text();
    let mut lines = csv.lines();
    assert_eq!((lines.next(), lines.next(), lines.count()), (Some("sku,name"), Some("s099,N1"), 49), "{csv}");
}

#[test]
fn corrected_products_are_found() {
    let system = one_source(&[("feed.csv", "sku,name\na,A\nb,B\nc,C\n")]);
    assert_eq!(system.ask("PATCH", "/api/v1/products/b", r#"{"name":"x"}"#).status, 200);
    assert_eq!(system.ask("DELETE", "/api/v1/products/c", "").status, 204);
    let listed = |path: &str| {
        let items = system.json(path)["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["sku"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (edited, expect) in [("true", &["b"][..]), ("false", &["a"]), ("", &["a", "b"])] {
        assert_eq!(listed(&format!("/api/v1/products?edited={edited}")), expect, "{edited}");
        assert_eq!(read(&system, &format!("/products?edited={edited}")).1, expect, "{edited}");
    }
    assert_eq!(get(&system, "/products?edited=x", &[BROWSER]).status, 400);
    let first = system.json("/api/v1/products?before=b&limit=1");
    assert_eq!((&first["items"][0]["sku"], &first["next"], &first["previous"]), (&"a".into(), &"a".into(), &().into()));
    for wrong in ["after=a&before=b", "before=x&sort=name", "before=a&format=csv"] {
        assert_eq!(get(&system, &format!("/api/v1/products?{wrong}"), &[]).status, 400, "{wrong}");
    }
}

/// Guards against a page that reads all of 5,000,000 products.
#[test]
fn a_large_table_is_searched_a_part_at_a_time() {
    let rows: String = (0..25_000).map(|row| format!("s{row:05},Name {}\n", row % 2_500)).collect();
    let system = one_source(&[("feed.csv", &format!("sku,name\n{rows}"))]);
    assert_eq!(system.ask("PATCH", "/api/v1/products/s24999", r#"{"description":"x"}"#).status, 200);
    let (mut path, mut all, mut pages) = ("/products?name=Name+1234".to_owned(), Vec::new(), 0);
    loop {
        let (links, skus, count) = read(&system, &path);
        assert_eq!(count, "some of 25,000 products");
        all.extend(skus);
        pages += 1;
        match links.iter().find(|(words, _)| words == "Search on") {
            Some((_, next)) => path.clone_from(next),
            None => break,
        }
    }
    let expect: Vec<_> = (0..10).map(|part| format!("s{:05}", part * 2_500 + 1_234)).collect();
    assert_eq!((all, pages), (expect, 3));
    // Back again from the end.
    let (links, skus, _) = read(&system, "/products?name=Name+1234&before=s24999");
    assert_eq!(skus, ["s16234", "s18734", "s21234", "s23734"]);
    assert_eq!(link(&links, "Search on"), "/products?name=Name%201234&before=s14999");
    // Another order would read everything; the file has it.
    let text = page(&get(&system, "/products?sort=-name", &[BROWSER]), 200);
    assert!(text.contains("Sorted by SKU") && text.contains("s00049"), "{text}");
    assert!(text.contains("/products?after=s00049") && text.contains("sort=-name&#38;columns="), "{text}");
    // Edits lead to those that are corrected, however far they are.
    let (_, corrected, count) = read(&system, "/products?edited=true");
    assert_eq!((corrected, count.as_str()), (vec!["s24999".to_owned()], "1 of 25,000 products"));
}

/// Many names are searched a part at a time, by name; each is found once.
#[test]
fn many_names_are_searched_in_parts() {
    let rows: String = (0..100_100).map(|row| format!("s{row},N{row:06}\n")).collect();
    let more = "m1,Twice\nm2,Twice\n";
    let system = one_source(&[("feed.csv", &format!("sku,name\n{rows}{more}"))]);
    let text = page(&get(&system, "/names", &[BROWSER]), 200);
    assert!(text.contains("The most frequent first") && text.contains(">Twice</a>"), "{text}");
    // The names that are found, and the pages that say that they looked at a part.
    let search = |part: &str| {
        let (mut path, mut found, mut looked) = (format!("/names?q={part}"), Vec::new(), 0);
        loop {
            let text = page(&get(&system, &path, &[BROWSER]), 200);
            let names = text.split("<tr><td><a href=\"").skip(1).map(|cell| cell.split_once("\">").unwrap().1);
            found.extend(names.map(|name| name.split('<').next().unwrap().to_owned()));
            looked += usize::from(text.contains("id=\"searched\""));
            let Some((_, next)) = text.split_once("rel=\"next\" href=\"") else { return (found, looked) };
            path = next.split('"').next().unwrap().replace("&#38;", "&");
        }
    };
    assert_eq!(search("099999"), (vec!["N099999".to_owned()], 2));
    let expect: Vec<_> = (0..100_100).map(|row| format!("N{row:06}")).filter(|name| name.contains("077")).collect();
    assert_eq!(search("077").0, expect);
    assert!(page(&get(&system, "/names?offset=5000", &[BROWSER]), 200).contains("N000000"));
}
