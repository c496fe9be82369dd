//! Exports of shops, with forty columns, variants and HTML: configuration alone loads them, as the guide shows it
//! (docs/guide/feeds.md#exports-of-shops).

use crate::{model::texts, system::System};

/// The table after one pass over an export, with the configuration of the guide for it; then the rejects, as line and reason.
fn load(shop: &str, export: &str) -> (Vec<Vec<String>>, Vec<String>) {
    let guide = include_str!("../../docs/guide/feeds.md");
    let written = guide.split("```toml\n").find(|block| block.contains(&format!("name    = \"{shop}\""))).unwrap();
    let written = written.split("```").next().unwrap();
    let mut system = System::new();
    system.write(shop, "export.csv", export);
    let url = system.serve(shop);
    system.configure(&written.replace("http://127.0.0.1:5001", &url));
    system.once_ok();
    let columns: Vec<&str> = match shop {
        "woo" => vec!["sku", "name", "description", "price", "sale_price", "stock", "categories", "image"],
        _ => vec!["sku", "name", "description", "price", "brand", "stock", "gtin", "image"],
    };
    let products = system.table("products").iter().map(|row| texts(row, &columns)).collect();
    let reject = |row: &serde_json::Value| format!("{}: {}", row["line"], row["reason"].as_str().unwrap());
    (products, system.table("rejects").iter().map(reject).collect())
}

#[test]
fn an_export_of_woocommerce_loads_by_configuration_alone() {
    let (products, rejects) = load("woo", include_str!("exports/woocommerce.csv"));
    let pen = "<h2>Fountain pen</h2>\n<p>Brass, 24 g, with a \"medium\" nib;\nrefillable.</p>";
    let images = "https://shop.example/pen-1.jpg, https://shop.example/pen-2.jpg";
    let expect = [
        ["INK-00123", "Ink", "", "-1", "", "", "Ink", ""],
        ["PEN-01", "Fountain pen, brass", pen, "49.00", "44.10", "12", "Writing, Writing > Pens", images],
        ["SHIRT", "Work shirt", "<p>Cotton.</p>", "", "", "", "Clothes", "https://shop.example/shirt.jpg"],
        ["SHIRT-M", "Work shirt - M", "", "30", "", "7", "", ""],
        ["SHIRT-S", "Work shirt - S", "", "30", "", "0", "", ""],
    ];
    assert_eq!(products, expect);
    assert_eq!(rejects.len(), 1, "{rejects:?}");
    assert!(rejects[0].starts_with("8: no sku"), "{rejects:?}");
}

#[test]
fn an_export_of_shopify_loads_by_configuration_alone() {
    let (products, rejects) = load("shopify", include_str!("exports/shopify.csv"));
    let mug = "<p>Stoneware, 0.3 l.</p>\n<ul><li>dishwasher safe</li></ul>";
    let image = |of: &str| format!("https://cdn.example/mug-{of}.jpg");
    let expect = [
        ["00017", "Note pad", "", "2.20", "Meridian", "3", "", ""],
        ["CASE-L", "Case", "<p>Leather</p>", "35.00", "", "", "", ""],
        ["CASE-S", "Case", "<p>Leather</p>", "30.00", "", "", "", ""],
        ["MUG-B", "Mug", mug, "9.00", "Old Mill", "12", "4006381333948", &image("blue")],
        ["MUG-G", "Mug", mug, "9.50", "Old Mill", "0", "", &image("green")],
    ];
    assert_eq!(products, expect);
    assert_eq!(rejects.len(), 1, "{rejects:?}");
    assert!(rejects[0].starts_with("5: no sku"), "{rejects:?}");
}
