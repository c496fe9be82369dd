//! Photographs the overview, a product and a report of a small stationery shop, as `overview.png`, `product.png` and `report.png` in the folder that is named:
//! `cargo xtask screenshots` runs it. The shop is real: two folders, two sources, a master, and one correction typed into the form.

use std::{env, fmt::Write as _, fs, path::PathBuf};

use e2e::{Browser, Kind, browse};
use tempfile::TempDir;
use tributary_testkit::process::{self, Daemon};

/// The width of the pictures, and their least height, in pixels.
const WIDTH: u32 = 1100;
const MIN_HEIGHT: u32 = 600;
/// The greatest height: below that a page goes on as it is.
const MAX_HEIGHT: u32 = 1100;
/// The largest picture, so that a README loads fast.
const MAX_BYTES: usize = 150_000;

const WAREHOUSE: &str = "\
sku,name,description,price
FP-1042,Fountan pen,\"Medium nib, brass, 24 g\",49.00
FP-1043,Fountain pen,\"Fine nib, brass, 24 g\",49.00
IN-0201,Iron gall ink,\"Blue black, 50 ml\",11.50
IN-0207,Drawing ink,\"Black, 30 ml\",8.90
NB-0310,Notebook A5,\"Dotted, 160 pages\",6.20
NB-0311,Notebook A5,\"Ruled, 160 pages\",6.20
NB-0420,Notebook A4,\"Squared, 96 pages\",5.40
PC-0088,Pencil HB,\"Cedar, box of 12\",9.80
";

const SUPPLIER: &str = "\
sku;name;description;RRP;Brand
FP-1042;Fountain pen M;Brass body;52.00;Meridian
IN-0201;Iron gall ink;50 ml, blue black;12.00;Meridian
BR-0017;Brush size 6;Round, sable;14.30;Havel
BR-0018;Brush size 8;Round, sable;16.80;Havel
PA-0500;Laid paper;100 sheets, 120 g;18.00;Old Mill
;Unknown item;no sku on the label;;
";

/// Departments, and how much each sells.
const DEPARTMENTS: [(&str, u64); 6] =
    [("Writing", 94), ("Paper", 71), ("Ink", 58), ("Notebooks", 83), ("Brushes", 22), ("Repairs", 6)];

const CATALOG: &str = r#"
[catalog]
columns = ["price", "brand"]

[catalog.from]
brand = ["supplier"]
"#;

const CONFIGURATION: &str = r#"
[[report]]
name = "sales_by_department"
files = "**/*sales*.csv"
title = "Sales by department"
description = "Units sold per month, returns left out."
group_by = [{ column = "Date", by = "month" }, "Department"]
check = "\"Units Sold\" >= 0"
units = { units = "pcs", best_day = "pcs", mean = "pcs" }
metrics = { units = "sum(\"Units Sold\")", days = "count()", best_day = "max(\"Units Sold\")", mean = "mean(\"Units Sold\")" }
"#;

fn main() {
    let folder = PathBuf::from(env::args_os().nth(1).expect("name the folder: screenshots FOLDER"));
    fs::create_dir_all(&folder).expect("the folder can be made");
    let shop = Shop::open();
    browse(Kind::Desktop, async |browser| {
        browser.goto(&shop.page("/?sku=FP-1042")).await;
        browser.write("#name", "Fountain pen").await;
        browser.click("#submit").await;
        browser.shows("#product .name", "Fountain pen").await;
        browser.shows("#changes", "FP-1042").await;
        browser.goto(&shop.page("/products/FP-1042")).await;
        browser.shows("#product", "Fountain pen").await;
        photograph(&browser, folder.join("product.png")).await;
        browser.goto(&shop.page("/")).await;
        browser.shows("#changes", "FP-1042").await;
        photograph(&browser, folder.join("overview.png")).await;
        browser.goto(&shop.page("/reports/sales_by_department")).await;
        browser.shows(".chart li", "Writing").await;
        photograph(&browser, folder.join("report.png")).await;
    });
}

/// Takes a picture of the page, from its top.
async fn photograph(browser: &Browser, path: PathBuf) {
    browser.resize(WIDTH, MIN_HEIGHT).await;
    let height = browser.run("return document.documentElement.scrollHeight").await;
    let height: u32 = height.as_u64().and_then(|height| height.try_into().ok()).expect("a page has a height");
    browser.resize(WIDTH, height.min(MAX_HEIGHT)).await;
    let picture = browser.photograph().await;
    let bytes = picture.len();
    assert!(bytes <= MAX_BYTES, "{} has {bytes} bytes, more than {MAX_BYTES}", path.display());
    fs::write(&path, picture).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    println!("{}: {bytes} bytes", path.display());
}

/// The running shop. It ends and its files are deleted when this is dropped.
struct Shop {
    // Before `home`, so that they end before their folder is deleted.
    master: Daemon,
    _sources: [Daemon; 2],
    _home: TempDir,
}

impl Shop {
    fn open() -> Self {
        let home = tempfile::tempdir().expect("a folder can be made");
        let folders = ["warehouse", "supplier"].map(|name| home.path().join(name));
        let write = |path: PathBuf, text: &str| fs::write(path, text).expect("a file can be written");
        for folder in &folders {
            fs::create_dir(folder).expect("a folder can be made");
        }
        write(folders[0].join("products.csv"), WAREHOUSE);
        write(folders[0].join("sales-2026.csv"), &sales());
        write(folders[1].join("catalogue.csv"), SUPPLIER);
        let sources = folders.map(|folder| Daemon::source(&folder));
        // Where both offer a product, the last source wins.
        let [warehouse, supplier] = sources.each_ref().map(|source| &source.url);
        let configured = format!(
            "{CATALOG}[[source]]\nname = \"supplier\"\nurl = \"{supplier}\"\ncolumns = {{ price = \"RRP\" }}\n\
             [[source]]\nname = \"warehouse\"\nurl = \"{warehouse}\"\n{CONFIGURATION}"
        );
        write(home.path().join("tributary.toml"), &configured);
        let mut master = process::command("master", home.path());
        master.args(["--listen", "127.0.0.1:0", "--poll-interval", "50ms"]).env("RUST_LOG", "error");
        Self { master: Daemon::start(master), _sources: sources, _home: home }
    }

    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.master.url)
    }
}

/// A year of sales, a row per department and day.
fn sales() -> String {
    let mut sales = "Department,Date,Units Sold\n".to_owned();
    for day in 0..336 {
        for (place, (department, units)) in DEPARTMENTS.iter().enumerate() {
            let sold = units * (7 + (day * (place as u64 + 3) * 13) % 11) / 12;
            writeln!(sales, "{department},2026-{:02}-{:02},{sold}", day / 28 + 1, day % 28 + 1).expect("a text grows");
        }
    }
    sales
}
