//! The pages of reports, as a browser gets them.

use super::*;

const BROWSER: Option<&str> = Some("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

/// The page at a path.
async fn page(path: &str) -> String {
    let answer = ask(path, BROWSER).await;
    assert_eq!((answer.status, answer.kind.as_str()), (StatusCode::OK, "text/html; charset=utf-8"), "{}", answer.body);
    // The policy of the pages allows nothing in line.
    assert!(!answer.body.contains("style=") && !answer.body.contains("<style"), "{path}");
    answer.body
}

/// The text between two texts, each time.
fn between<'a>(page: &'a str, before: &'a str, behind: &'a str) -> Vec<&'a str> {
    page.split(before).skip(1).filter_map(|rest| rest.split(behind).next()).collect()
}

#[actix_web::test]
async fn the_list_leads_to_every_report_and_every_page_to_the_list() {
    let list = page("/reports").await;
    for part in [
        "href=\"/reports/sales\"",
        "href=\"/reports/odd%20%C3%BC%2F%26\"",
        "3 groups by Department Name",
        "one row of totals",
        "href=\"/rejects?report=sales\">2 rejects",
        "computed 2026-11-25 10:11:12",
        "not computed yet",
        "id=\"reports\" data-live",
    ] {
        assert!(list.contains(part), "{part}: {list}");
    }
    for path in ["/", "/names", "/reports/sales"] {
        assert!(page(path).await.contains("<a href=\"/reports\""), "{path}");
    }
}

/// A report that failed each time was shown as `current`, with nothing that said why.
#[actix_web::test]
async fn the_state_is_shown_with_its_reason() {
    let list = page("/reports").await;
    let failed = "<span class=\"error\">source `north`: a.csv: &#60;no answer&#62;</span>";
    for part in ["<span class=\"state failed\">failed</span>", failed, "north/b &#60;.csv: no column `n`"] {
        assert!(list.contains(part), "{part}: {list}");
    }
    let one = page("/reports/failing").await;
    for part in
        ["<span class=\"state failed\">failed</span>", "<p class=\"error\">source `north`: a.csv: &#60;no answer"]
    {
        assert!(one.contains(part), "{part}: {one}");
    }
    assert!(!page("/reports/total").await.contains("class=\"error\""));
}

#[actix_web::test]
async fn the_largest_groups_are_drawn_by_any_metric() {
    let drawn = |page: &str| {
        let [labels, widths, values] =
            [("class=\"label\" title=\"", "\""), ("<rect width=\"", "\""), ("</svg> <span class=\"number\">", "<")]
                .map(|(before, behind)| {
                    between(page, before, behind).into_iter().map(str::to_owned).collect::<Vec<_>>()
                });
        (labels, widths, values)
    };
    let texts = |texts: [&str; 3]| texts.map(str::to_owned).to_vec();
    let by_rows = page("/reports/sales").await;
    let expect = (
        texts(["Books", "Toys, &#34;new&#34;", "=1+1"]),
        texts(["100.00%", "66.67%", "33.33%"]),
        texts(["3", "2", "1"]),
    );
    assert_eq!(drawn(&by_rows), expect);
    assert!(
        by_rows.contains("<b>rows</b>") && by_rows.contains("href=\"/reports/sales?metric=total_sales\""),
        "{by_rows}"
    );

    let by_average = page("/reports/sales?metric=avg&order=-rows").await;
    let expect = (
        texts(["Toys, &#34;new&#34;", "Books", "=1+1"]),
        texts(["100.00%", "2.86%", "0.00%"]),
        texts(["3.5", "0.1", "–"]),
    );
    assert_eq!(drawn(&by_average), expect);
    assert!(by_average.contains("href=\"/reports/sales?order=-rows&#38;metric=rows\""), "{by_average}");
    assert_eq!(between(&page("/reports/sales?metric=total_sales").await, "class=\"bar negative\"", ">").len(), 1);
}

#[actix_web::test]
async fn the_table_is_sorted_by_its_heads() {
    let first = |page: &str| between(page, "<tr><td>", "<")[0].to_owned();
    let plain = page("/reports/sales").await;
    assert_eq!(first(&plain), "=1+1");
    assert!(
        plain.contains("aria-sort=\"ascending\"><a href=\"/reports/sales?order=-Department%20Name&#38;metric=rows\""),
        "{plain}"
    );
    assert!(plain.contains("<a href=\"/reports/sales?order=-total_sales&#38;metric=rows\">total_sales</a>"), "{plain}");
    assert!(plain.contains("<td class=\"number\">123,456,789,012,345,678,901,234,567,890</td>"), "{plain}");
    let sorted = page("/reports/sales?order=-total_sales").await;
    assert_eq!(first(&sorted), "Books");
    assert!(
        sorted.contains("aria-sort=\"descending\"><a href=\"/reports/sales?order=total_sales&#38;metric=rows\""),
        "{sorted}"
    );
    for part in [
        "href=\"/api/v1/reports/sales?format=csv\"",
        "href=\"/api/v1/reports/sales?format=json\"",
        "href=\"/api/v1/reports/sales?source=north&#38;file=b%20%3C.csv&#38;format=csv\">b &#60;.csv</a>",
        "<td class=\"number\">4,000</td>",
        "href=\"/reports/sales#files\">2 files</a>",
    ] {
        assert!(plain.contains(part), "{part}: {plain}");
    }
}

#[actix_web::test]
async fn one_row_of_totals_is_a_card_of_figures() {
    let page = page("/reports/total").await;
    assert!(page.contains("<dt>rows</dt><dd>6</dd>") && page.contains("<dt>price</dt><dd>2.25</dd>"), "{page}");
    assert!(!page.contains("<svg") && !page.contains("<th scope=\"col\" class=\"number\"><a"), "{page}");
}

#[actix_web::test]
async fn odd_names_are_texts_and_a_report_without_rows_says_so() {
    let odd = page("/reports/odd%20%C3%BC%2F%26").await;
    for part in ["a&#34;&#60;b&#62;,&#39;", "&#60;/script&#62;", "order=--sum%25", "<h1 id=\"report\">odd ü/&#38;"] {
        assert!(odd.contains(part), "{part}: {odd}");
    }
    assert!(!odd.contains("<b>,"), "{odd}");
    assert!(page("/reports/waiting").await.contains("the report is being computed"));
}

#[actix_web::test]
async fn what_is_not_there_is_a_page_that_says_so() {
    let cases = [("none", 404, "no report"), ("sales?order=none", 422, "order"), ("sales?metric=none", 422, "metric")];
    for (path, status, part) in cases {
        let answer = ask(&format!("/reports/{path}"), BROWSER).await;
        assert_eq!((answer.status.as_u16(), answer.kind.as_str()), (status, "text/html; charset=utf-8"), "{path}");
        assert!(answer.body.contains(part), "{}", answer.body);
    }
}
