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

/// Checks that the page at a path has each of these parts.
async fn check(path: &str, parts: &[&str]) -> String {
    let page = page(path).await;
    for part in parts {
        assert!(page.contains(part), "{part}: {page}");
    }
    page
}

/// The text between two texts, each time.
fn between<'a>(page: &'a str, before: &'a str, behind: &'a str) -> Vec<&'a str> {
    page.split(before).skip(1).filter_map(|rest| rest.split(behind).next()).collect()
}

#[actix_web::test]
async fn the_list_leads_to_every_report_and_every_page_to_the_list() {
    let parts = [
        "href=\"/reports/sales\"><b>Sales &#60;by&#62; department</b>",
        "What was &#34;sold&#34;.",
        "href=\"/reports/odd%20%C3%BC%2F%26\"",
        "3 groups by Department Name",
        "one row of totals",
        "href=\"/rejects?report=sales\">1 file rejected, 2 rows set aside",
        "computed <time class=\"ago\" datetime=\"2026-11-25T10:11:12Z\"",
        "not computed yet",
        "id=\"reports\" data-live",
    ];
    check("/reports", &parts).await;
    for path in ["/", "/names", "/reports/sales"] {
        check(path, &["<a href=\"/reports\""]).await;
    }
}

/// A report that failed each time was shown as `current`, with nothing that said why.
#[actix_web::test]
async fn the_state_is_said_in_words_with_its_reason() {
    let failed = "<span class=\"error\">source `north`: a.csv: &#60;no answer&#62;</span>";
    let failing = "<span class=\"state failed\">could not be computed, will be tried again</span>";
    let parts = [
        failing,
        failed,
        "<span class=\"state rejected\">one file could not be used</span>",
        "<span class=\"state computing\">being computed</span>",
        "<span class=\"state current\">up to date</span>",
        "north/b &#60;.csv: no column `n`",
    ];
    check("/reports", &parts).await;
    check("/reports/failing", &[failing, "<p class=\"error\">source `north`: a.csv: &#60;no answer"]).await;
    assert!(!page("/reports/total").await.contains("class=\"error\""));
}

#[actix_web::test]
async fn the_chart_opens_with_the_metric_that_says_most_and_shows_any_other() {
    let drawn = |page: &str| {
        let [labels, widths, values] =
            [("class=\"label\" title=\"", "\""), ("<rect width=\"", "\""), ("</svg> <span class=\"number\">", "<")]
                .map(|(before, behind)| {
                    between(page, before, behind).into_iter().map(str::to_owned).collect::<Vec<_>>()
                });
        (labels, widths, values)
    };
    let texts = |texts: [&str; 3]| texts.map(str::to_owned).to_vec();
    let opened = page("/reports/sales").await;
    assert!(opened.contains("<h2 id=\"largest\">Largest by total_sales <small>&#60;€&#62;</small></h2>"), "{opened}");
    assert!(opened.contains("href=\"/reports/sales?metric=rows\""), "{opened}");
    assert_eq!(between(&opened, "class=\"bar negative\"", ">").len(), 1);
    // A sum with a part below zero has a total, and no shares.
    assert!(opened.contains("<span class=\"label\">Total</span>") && !opened.contains(" %</span>"), "{opened}");

    let by_rows = page("/reports/sales?metric=rows").await;
    let expect = (
        texts(["Books", "Toys, &#34;new&#34;", "=1+1"]),
        texts(["100.00%", "66.67%", "33.33%"]),
        texts(["3", "2", "1"]),
    );
    assert_eq!(drawn(&by_rows), expect);
    assert_eq!(between(&by_rows, "<span class=\"number share\">", "<"), ["50.0 %", "33.3 %", "16.7 %", "100 %"]);

    let by_average = page("/reports/sales?metric=avg&order=-rows").await;
    let expect = (
        texts(["Toys, &#34;new&#34;", "Books", "=1+1"]),
        texts(["100.00%", "2.86%", "0.00%"]),
        texts(["3.5", "0.1", "–"]),
    );
    assert_eq!(drawn(&by_average), expect);
    assert!(by_average.contains("href=\"/reports/sales?order=-rows&#38;metric=rows\""), "{by_average}");
    assert!(!by_average.contains("Total") && !by_average.contains(" %</span>"), "{by_average}");
}

#[actix_web::test]
async fn the_others_have_a_bar_unless_it_would_be_too_long() {
    let parts = [
        "<span class=\"label\">220 other groups</span> <svg",
        "<span class=\"number\">220</span> <span class=\"number share\">17.8 %</span>",
        "<span class=\"number\">1,239</span> <span class=\"number share\">100 %</span>",
        "<span class=\"number share\">80.7 %</span>",
    ];
    check("/reports/many", &parts).await;
}

#[actix_web::test]
async fn dates_are_drawn_as_lines_beside_the_bars() {
    let parts = [
        "<h2 id=\"over-time\">revenue by month <small>€</small></h2>",
        "role=\"img\" aria-labelledby=\"plot-title\"",
        "revenue by month from 2026-01 to 2026-02; the highest value is 20.25 € of &#60;n&#62; in 2026-02</title>",
        "<path class=\"line line-1\" d=\"M0.0 58.0L1000.0 19.0\">",
        "<path class=\"line line-2\" d=\"M1000.0 96.0h0\">",
        "<li>2026-01</li><li>2026-02</li>",
        "<title>2026-02: &#60;n&#62; 20.25, s 1</title>",
        "</svg> &#60;n&#62;</li>",
        "class=\"label\" title=\"2026-02 · &#60;n&#62;\"",
        "<td class=\"number\">10.50</td>",
        "<td class=\"number\">1.00</td>",
        "revenue</a> <small>€</small></th>",
    ];
    check("/reports/monthly", &parts).await;
    assert!(!page("/reports/many").await.contains("class=\"line"));
}

#[actix_web::test]
async fn the_table_is_sorted_by_its_heads() {
    let first = |page: &str| between(page, "<tr><td>", "<")[0].to_owned();
    let plain = page("/reports/sales?metric=rows").await;
    assert_eq!(first(&plain), "=1+1");
    let parts = [
        "aria-sort=\"ascending\"><a href=\"/reports/sales?order=-Department%20Name&#38;metric=total_sales\"",
        "<a href=\"/reports/sales?order=-total_sales&#38;metric=total_sales\">total_sales</a>",
        "<td class=\"number\">123,456,789,012,345,678,901,234,567,890</td>",
        "href=\"/api/v1/reports/sales?format=csv\"",
        "href=\"/api/v1/reports/sales?format=json\"",
        "href=\"/api/v1/reports/sales?source=north&#38;file=b%20%3C.csv&#38;format=csv\">b &#60;.csv</a>",
        "<td class=\"number\">4,000</td>",
        "href=\"/reports/sales#files\">2 files</a>",
    ];
    check("/reports/sales", &parts).await;
    let sorted = page("/reports/sales?order=-total_sales").await;
    assert_eq!(first(&sorted), "Books");
    assert!(
        sorted.contains("aria-sort=\"descending\"><a href=\"/reports/sales?order=total_sales&#38;metric=total_sales\""),
        "{sorted}"
    );
}

#[actix_web::test]
async fn many_groups_are_searched_and_turned_over() {
    let parts = [
        "<p class=\"hint\">1–50 of 240 groups</p>",
        "href=\"/reports/many?metric=n&#38;offset=50\" rel=\"next\">More</a>",
        "What is shown: <a href=\"/api/v1/reports/many?limit=50&#38;offset=0&#38;format=xlsx\"",
        "Everything: <a href=\"/api/v1/reports/many?format=xlsx\"",
        "<form method=\"get\" action=\"/reports/many\"",
    ];
    assert!(!check("/reports/many", &parts).await.contains("rel=\"prev\""));
    let parts = [
        "201–240 of 240 groups",
        "href=\"/reports/many?order=-n&#38;metric=n&#38;offset=150\" rel=\"prev\">Back</a>",
        "<input type=\"hidden\" name=\"order\" value=\"-n\">",
    ];
    assert!(!check("/reports/many?order=-n&offset=200", &parts).await.contains("rel=\"next\""));
    let matches = (0..240).filter(|number| format!("group {number:03}").contains('3')).count();
    let found = [
        &format!("1–50 of {matches} groups"),
        "value=\"3\" type=\"search\"",
        &format!("The {matches} groups found: <a href=\"/api/v1/reports/many?q=3&#38;format=xlsx\""),
        "q=3&#38;offset=50\" rel=\"next\"",
    ];
    check("/reports/many?q=3", &found).await;
    check("/reports/many?q=none", &["Nothing contains this text.", "value=\"none\""]).await;
    // As a link of another day may ask.
    check("/reports/many?offset=-5", &["1–50 of 240"]).await;
    check("/reports/many?offset=1000", &["There are only 240 groups.", "offset=200\" rel=\"prev\""]).await;
}

#[actix_web::test]
async fn one_row_of_totals_is_a_card_of_figures() {
    let page = check("/reports/total", &["<dt>rows</dt><dd>6</dd>", "<dt>price</dt><dd>2.25</dd>"]).await;
    assert!(!page.contains("<svg") && !page.contains("<th scope=\"col\" class=\"number\"><a"), "{page}");
}

#[actix_web::test]
async fn odd_names_are_texts_and_a_report_without_rows_says_so() {
    let parts = ["a&#34;&#60;b&#62;,&#39;", "&#60;/script&#62;", "order=--sum%25", "<h1 id=\"report\">odd ü/&#38;"];
    let odd = check("/reports/odd%20%C3%BC%2F%26", &parts).await;
    assert!(!odd.contains("<b>,"), "{odd}");
    check("/reports/waiting", &["the report is being computed"]).await;
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
