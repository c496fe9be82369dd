//! The server's time of every page, asked over one connection while the master polls as usual.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{
    catalog::Catalog,
    sheet::{Sheet, met},
};
use crate::bench::{
    client::Connection,
    figures::{Latencies, thousands},
    running::write_back,
};

/// Requests for a page before those that are counted.
const WARM_UP: u64 = 5;
const MAX_TIME: Duration = Duration::from_millis(50);

/// Every page, and the history that its plots are made of. `{up}` and `{down}` stand for sources, `{edited}` and `{far}` for products.
const PAGES: [&str; 36] = [
    "/",
    "/?span=week",
    "/?span=year",
    "/?sku={edited}",
    "/products",
    "/products?after={up}-z",
    "/products?before={far}",
    "/products?q=maple",
    "/products?q=maple-maple-maple",
    "/products?source={up}",
    "/products?edited=true",
    "/products?brand=Amber%20Works",
    "/products?price=%3E1300",
    "/products?sort=brand",
    "/products?sort=-brand",
    "/products?columns=brand,price",
    "/products/{edited}",
    "/products/{far}",
    "/names",
    "/names?offset=500",
    "/names?q=Bench",
    "/sources",
    "/sources?state=down",
    "/sources/{up}",
    "/sources/{up}?span=year",
    "/sources/{down}",
    "/files",
    "/rejects",
    "/rejects?source={up}",
    "/rejects?source={up}&file=feed-4.csv",
    "/rejects?reason=sku",
    "/reports",
    "/reports/sales",
    "/upload",
    "/docs",
    "/api/v1/history?span=year",
];

/// Asks for each page and adds the table.
pub(super) fn measure(catalog: &Catalog, requests: u64, sheet: &mut Sheet) -> Result<()> {
    write_back()?;
    let caption = format!(
        "Pages of {}, {requests} requests each over one connection, packed with gzip; the target is p99 <= 50 ms:",
        catalog.words
    );
    sheet.begin(&caption, &["page", "bytes", "p50", "p99", "max", ""]);
    let mut client = Connection::open(&catalog.master.url)?;
    for page in PAGES {
        let (path, mut times, mut bytes) = (address(page, catalog), Vec::new(), 0);
        for number in 0..WARM_UP + requests {
            let asked_at = Instant::now();
            let (status, body) = client.page(&path)?;
            let took = asked_at.elapsed();
            ensure!(status == 200, "`GET {path}` is answered with {status}");
            if number >= WARM_UP {
                times.push(took);
                bytes = body.len() as u64;
            }
        }
        let times = Latencies::of(times);
        let [half, most, longest] =
            [0.5, 0.99, 1.0].map(|part| format!("{:.1} ms", times.within(part).as_secs_f64() * 1000.0));
        let is_met = met(times.within(0.99) <= MAX_TIME);
        sheet.add([format!("`{path}`"), thousands(bytes), half, most, longest, is_met]);
    }
    Ok(())
}

fn address(page: &str, catalog: &Catalog) -> String {
    let [up, down] = &catalog.sources;
    let [edited, far] = &catalog.skus;
    page.replace("{up}", up).replace("{down}", down).replace("{edited}", edited).replace("{far}", far)
}
