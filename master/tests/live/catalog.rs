//! Own columns through the whole way: files, tables, API, form, pages, exports, and changes of the configuration.

use serde_json::{Value, json};

use crate::system::System;

const CATALOG: &str = "[catalog]\ncolumns = [\"price\", { name = \"brand\", label = \"The brand\" }]\n";

/// A master over sources with these files, one each, and this catalog.
fn start(catalog: &str, files: &[(&str, &str)], options: &str) -> System {
    let mut system = System::new();
    for (source, text) in files {
        system.write(source, "feed.csv", text);
        system.serve(source);
    }
    configure(&mut system, catalog, files, options);
    system.start_master(&[]);
    system.sync();
    system
}

fn configure(system: &mut System, catalog: &str, files: &[(&str, &str)], options: &str) {
    let source = |(name, _): &(&str, &str)| {
        format!("[[source]]\nname = \"{name}\"\nurl = \"{}\"\nmax_removal = false\n{options}\n", system.url(name))
    };
    let sources: String = files.iter().map(source).collect();
    system.configure(&format!("{catalog}\n{sources}"));
}

/// Takes in another catalog at a start.
fn restart(system: &mut System, catalog: &str, files: &[(&str, &str)], options: &str) {
    system.stop_master();
    configure(system, catalog, files, options);
    system.start_master(&[]);
    system.sync();
}

/// A member of each product, by sku.
fn column(system: &System, column: &str) -> Vec<String> {
    let list = system.json("/api/v1/products");
    let items = list["items"].as_array().unwrap();
    items.iter().map(|item| format!("{}={}", item["sku"].as_str().unwrap(), item[column].as_str().unwrap())).collect()
}

#[track_caller]
fn answered(system: &System, method: &str, path: &str, body: &str, status: u16) -> Value {
    let response = system.ask(method, path, body);
    assert_eq!(response.status, status, "{}", response.text());
    serde_json::from_str(&response.text()).unwrap_or_default()
}

const NORTH: (&str, &str) = ("north", "RRP,sku,name,Brand\n 9.90 ,a,Pen,Acme\n12,b,Ink,\nfree,c,Nib,Acme\n");

#[test]
fn values_are_shown_corrected_listed_and_exported() {
    let system = start(CATALOG, &[NORTH], "columns = { price = [\"Price\", \"RRP\"] }");
    assert_eq!(column(&system, "price"), ["a=9.90", "b=12", "c=free"]);
    assert_eq!(column(&system, "brand"), ["a=Acme", "b=", "c=Acme"]);

    // As browsers and libraries write them: a URL has no `<` and `>`.
    let skus = |query: &str| {
        let query = query.replace('<', "%3C").replace('>', "%3E");
        let list = answered(&system, "GET", &format!("/api/v1/products?{query}"), "", 200);
        let sku = |item: &Value| item["sku"].as_str().unwrap().to_owned();
        list["items"].as_array().unwrap().iter().map(sku).collect::<String>()
    };
    assert_eq!(skus("brand=Acme"), "ac");
    assert_eq!(skus("price=>10"), "b");
    assert_eq!(skus("price=<=12&brand=!="), "a");
    assert_eq!(skus("sort=-price"), "bac");
    assert_eq!(skus("sort=price&brand="), "b");
    let list = answered(&system, "GET", "/api/v1/products?columns=price,sku&limit=1&sort=-price", "", 200);
    assert_eq!(list["items"], json!([{"price": "12", "sku": "b"}]));
    let next = list["next"].as_str().unwrap();
    let next: String = next.bytes().map(|byte| format!("%{byte:02x}")).collect();
    assert_eq!(skus(&format!("sort=-price&after={next}")), "ac");
    answered(&system, "GET", "/api/v1/products?sort=-price&after=b", "", 400);
    for wrong in ["stock=1", "sort=stock", "columns=stock"] {
        let problem = answered(&system, "GET", &format!("/api/v1/products?{wrong}"), "", 400);
        assert!(problem["detail"].as_str().unwrap().contains("stock"), "{problem}");
    }

    let path = "/api/v1/products/a";
    let product = answered(&system, "PATCH", path, r#"{"price": " 8.50 ", "brand": ""}"#, 200);
    assert_eq!((&product["price"], &product["brand"]), (&json!("8.50"), &json!("")));
    assert_eq!(product["offers"][0]["price"], json!("9.90"));
    assert_eq!(product["offers"][0]["gives"], json!(["name", "description"]));
    assert_eq!((&product["edit"]["price"], &product["edit"]["brand"]), (&json!("8.50"), &json!("")));
    let product = answered(&system, "PATCH", path, r#"{"price": null}"#, 200);
    assert_eq!((&product["price"], &product["edit"]["price"]), (&json!("9.90"), &Value::Null));
    for (wrong, part) in [
        (r#"{"price": 8.5}"#, "put it in quotes"),
        (r#"{"stock": "1"}"#, "no column `stock`; it has `sku`, `name`, `description`, `price`, `brand`"),
        (r#"{"price": "a\u0000b"}"#, "NUL"),
    ] {
        let problem = answered(&system, "PATCH", path, wrong, 422);
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
    }
    let stands = answered(&system, "PUT", "/api/v1/products/z", r#"{"name":"Z","description":"","price":"1"}"#, 201);
    assert_eq!((&stands["price"], &stands["brand"]), (&json!("1"), &json!("")));
    assert_eq!(system.ask("POST", "/update", "sku=z&brand=Own").status, 303);
    assert_eq!(system.ask("POST", "/update", "sku=z&stock=1").status, 400);
    assert_eq!(column(&system, "brand"), ["a=", "b=", "c=Acme", "z=Own"]);

    let csv = system.run("readdb", &["products", "--format", "csv", "--sku", "z"]);
    let csv = String::from_utf8(csv.stdout).unwrap();
    assert_eq!(csv, "sku,name,description,source,file,edited,price,brand\nz,Z,\"\",,,true,1,Own\n");
    let file = system.ask("GET", "/api/v1/products?columns=sku,brand&format=csv&raw=1", "");
    assert_eq!(file.text(), "sku,brand\na,\"\"\nb,\"\"\nc,Acme\nz,Own\n");
    let page = system.ask("GET", "/products?sort=-price&brand=Acme", "").text();
    assert!(
        page.contains("aria-sort=\"descending\"") && page.contains("The brand") && page.contains(">free<"),
        "{page}"
    );
    let form = system.ask("GET", "/?sku=a", "").text();
    assert!(form.contains("id=\"own-price\"") && form.contains("inputmode=\"decimal\""), "{form}");
}

#[test]
fn columns_come_from_certain_sources_and_the_newest_offer_wins() {
    let erp = ("erp", "sku,name,price,updated_at\na,Erp a,1,2026-11-29T10:00+02:00\nb,Erp b,,2026-01-01\n");
    let shop =
        ("shop", "sku,name,description,price,updated_at\na,Shop a,from shop,9,2026-11-29T09:00Z\nc,Shop c,,9,\n");
    let late = (
        "late",
        "sku,name,description,updated_at,op\na,Late a,from late,2026-11-29 08:30,\nb,,,2025-12-31,delete\nd,D,,soon,\n",
    );
    let files = [erp, shop, late];
    let catalog = "[catalog]\ncolumns = [\"price\"]\nnewest = \"updated_at\"\n[catalog.from]\nprice = [\"erp\"]\ndescription = [\"late\", \"shop\"]\n";
    let mut system = start(catalog, &files, "");
    // 08:00 UTC, 09:00 UTC and 08:30 UTC; the delete of b is older than its offer.
    assert_eq!(column(&system, "name"), ["a=Shop a", "b=Erp b", "c=Shop c"]);
    assert_eq!(column(&system, "price"), ["a=1", "b=", "c="]);
    assert_eq!(column(&system, "description"), ["a=from late", "b=", "c="]);
    let product = system.json("/api/v1/products/a");
    let offers = product["offers"].as_array().unwrap();
    let told: Vec<_> = offers.iter().map(|offer| (&offer["source"], &offer["gives"], &offer["wins"])).collect();
    let expect = [
        (json!("erp"), json!(["price"]), json!(false)),
        (json!("late"), json!(["description"]), json!(false)),
        (json!("shop"), json!(["name"]), json!(true)),
    ];
    assert_eq!(told, expect.each_ref().map(|(source, gives, wins)| (source, gives, wins)));
    let rejects = system.json("/api/v1/rejects");
    let reason = rejects["items"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("`updated_at` is neither a time (ISO 8601) nor a number: `soon`"), "{rejects}");

    // Without the rules the later source wins, without reading its files again.
    files.iter().for_each(|(name, _)| system.stop(name));
    system.stop_master();
    let urls = |(name, _): &(&str, &str)| format!("[[source]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:9\"\n");
    let sources: String = files.iter().map(urls).collect();
    system.configure(&format!("[catalog]\ncolumns = [\"price\"]\n{sources}"));
    assert!(!system.once().status.success(), "no source answers");
    let rows = system.table("products");
    let names: Vec<_> =
        rows.iter().map(|row| (row["name"].as_str().unwrap(), row["price"].as_str().unwrap())).collect();
    assert_eq!(names, [("Late a", ""), ("Shop c", "9")]);
}

#[test]
fn a_row_of_which_a_check_is_not_true_is_a_reject() {
    let north = ("north", "sku,name,price,stock\na,A,1,\nb,B,-1,5\nc,C,x,5\nd,D,2,-3\ne,E,,1\n");
    let south = ("south", "sku,name\nf,F\n");
    let checks = "[catalog]\ncolumns = [\"price\"]\ncheck = [\"price >= 0\", \"stock IS NULL OR stock >= 0\"]\n";
    let system = start(checks, &[north, south], "");
    assert_eq!(column(&system, "price"), ["a=1", "f="]);
    let rejects = system.json("/api/v1/rejects");
    let told = |item: &Value| format!("{}: {}", item["line"], item["reason"].as_str().unwrap());
    let mut reasons: Vec<_> = rejects["items"].as_array().unwrap().iter().map(told).collect();
    reasons.sort();
    let parts = [
        "3: `price >= 0` is not true: price is `-1`",
        "4: ",
        "5: `stock IS NULL OR stock >= 0` is not true: stock is `-3`",
        "6: `price >= 0` is not true: price is empty",
    ];
    assert_eq!(reasons.len(), 4, "{reasons:?}");
    reasons.iter().zip(parts).for_each(|(reason, part)| assert!(reason.starts_with(part), "{reason}"));
    assert!(reasons[1].contains("`price` is not a number: `x`"), "{reasons:?}");
}

#[test]
fn the_columns_of_the_catalog_change_and_corrections_stay() {
    let files = [NORTH];
    let options = "columns = { price = \"RRP\" }";
    let mut system = start(CATALOG, &files, options);
    answered(&system, "PATCH", "/api/v1/products/b", r#"{"price": "11", "brand": "Mine"}"#, 200);
    let by_brand = format!("{CATALOG}group_by = \"brand\"\nindex = [\"price\", \"name\"]\n");
    restart(&mut system, &by_brand, &files, options);
    assert_eq!(system.aggr().into_iter().collect::<Vec<_>>(), [("Acme".to_owned(), 2), ("Mine".to_owned(), 1)]);

    let names = system.ask("GET", "/names", "").text();
    assert!(names.contains("<h1>The brand") && names.contains("href=\"/products?brand=Acme\""), "{names}");

    // A column that is gone goes at once, even if the source cannot be asked.
    system.stop_master();
    system.stop("north");
    let url = system.serve("north");
    system.stop("north");
    system.configure(&format!("[catalog]\ncolumns = [\"brand\"]\n[[source]]\nname = \"north\"\nurl = \"{url}\"\n"));
    system.once();
    let rows = system.table("products");
    assert!(rows.iter().all(|row| row.get("price").is_none()) && rows[0]["brand"] == "Acme", "{rows:?}");
    assert_eq!(system.aggr().len(), 3);

    // It comes back as the file has it, with the correction of it.
    system.write("north", "feed.csv", "RRP,sku,name,Brand\n9,a,Pen,Acme\n12,b,Ink,\n");
    system.serve("north");
    configure(&mut system, CATALOG, &files, options);
    system.start_master(&[]);
    system.sync();
    assert_eq!(column(&system, "price"), ["a=9", "b=11"]);
    assert_eq!(column(&system, "brand"), ["a=Acme", "b=Mine"]);
    answered(&system, "DELETE", "/api/v1/products/b/edit", "", 204);
    assert_eq!(column(&system, "price"), ["a=9", "b=12"]);
    // A reload while the master runs.
    configure(&mut system, "[catalog]\ncolumns = [\"brand\", \"RRP\"]\n", &files, "");
    system.hangup();
    tributary_testkit::wait::until("the reloaded columns", || {
        let first = &system.json("/api/v1/products")["items"][0];
        (first["RRP"] == "9" && first.get("price").is_none()).then_some(())
    });
}

/// The meaning of a name in a check, and the column that orders offers, may change with the columns: the rows must be read again then.
#[test]
fn rows_follow_what_the_rules_mean_now() {
    let files = [("north", "sku,name,price,RRP\n1,n,5,-1\n2,n,-5,1\n3,n,1,1\n")];
    let check = "check = [\"price > 0\"]\n";
    let mut system =
        start(&format!("[catalog]\ncolumns = [\"price\"]\n{check}"), &files, "columns = { price = \"RRP\" }");
    let skus = |system: &System| system.products().into_keys().collect::<String>();
    assert_eq!(skus(&system), "23");
    restart(&mut system, &format!("[catalog]\ncolumns = []\n{check}"), &files, "");
    assert_eq!(skus(&system), "13", "`price` is the header now");

    let files = [
        ("a", "sku,name,a,b\n1,A,1,2026\n2,A,5,9\n3,A,5,garbage\n4,A,garbage,4\n5,A,5,5\n6,A,1,1\n7,A,1,1\n"),
        ("b", "sku,name,a,b,op\n1,B,2,1,\n2,,9,1,delete\n5,,1,9,delete\n6,,garbage,garbage,delete\n7,,3,3,delete\n"),
    ];
    let mut system = start("[catalog]\ncolumns = [\"a\", \"b\"]\nnewest = \"a\"\n", &files, "");
    assert_eq!(skus(&system), "1356", "the delete of 6 says nothing of when");
    restart(&mut system, "[catalog]\ncolumns = [\"b\"]\nnewest = \"b\"\n", &files, "");
    assert_eq!(skus(&system), "1246");
    let rejects = system.json("/api/v1/rejects");
    assert_eq!(rejects["items"].as_array().unwrap().len(), 2, "{rejects}");
}

#[test]
fn an_edit_that_is_put_again_forgets_columns_that_are_gone() {
    let put = |system: &System, body: &str| system.ask("PUT", "/api/v1/products/k", body).status;
    let mut system = start(CATALOG, &[NORTH], "");
    assert_eq!(put(&system, r#"{"name":"P","description":"D","price":"99"}"#), 201);
    restart(&mut system, "[catalog]\ncolumns = []\n", &[NORTH], "");
    assert_eq!(put(&system, r#"{"name":"P","description":"D"}"#), 200);
    restart(&mut system, CATALOG, &[NORTH], "");
    assert_eq!(system.json("/api/v1/products/k")["price"], "");
}

#[test]
fn a_list_continues_behind_a_text_that_is_too_long_for_a_url() {
    let feed: String = (0..5).map(|row| format!("{row},n,{}{row}\n", "z".repeat(100_000))).collect();
    let system = start(CATALOG, &[("north", &format!("sku,name,price\n{feed}"))], "");
    let (mut found, mut after) = (String::new(), String::new());
    for _ in 0..5 {
        let list = system.json(&format!("/api/v1/products?sort=-price&limit=1&columns=sku{after}"));
        found += list["items"][0]["sku"].as_str().unwrap();
        let Some(next) = list["next"].as_str() else { break };
        after = format!("&after={}", next.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>());
    }
    assert_eq!(found, "43210");
    assert_eq!(system.ask("GET", "/api/v1/products?sort=price&after=%5Bnull,%22gone%22%5D", "").status, 400);
}
