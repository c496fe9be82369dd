//! Purchases: product, price, quantity and customer.

use crate::{
    buffer::RowBuffer,
    random::{GroupPicker, Random, scaled},
    sales::Dates,
    shape::Shape,
    words::put_name,
};

/// Number of customers.
const CUSTOMERS: u64 = 100_000;
const PAYMENTS: [&[u8]; 4] = [b"card", b"cash", b"invoice", b"transfer"];

/// Purchases: `TransactionID,Date,Product,Price,Quantity,Customer,Payment`. Product names are unique; a price has two
/// decimals and differs by at most a tenth from the product's usual one; the quantity is an integer of at least 1.
pub struct Transactions {
    /// Headers of price and quantity, which real files spell in many ways.
    headers: [String; 2],
    random: Random,
    products: GroupPicker,
    dates: Dates,
}

impl Transactions {
    /// Purchases of this many products. The same `seed` gives the same bytes.
    #[must_use]
    pub fn new(products: u32, seed: u64) -> Self {
        let mut random = Random(seed);
        let headers = ["Price".to_owned(), "Quantity".to_owned()];
        Self { headers, products: GroupPicker::new(products, &mut random), random, dates: Dates::new() }
    }

    /// Renames the columns of price and quantity.
    #[must_use]
    pub fn with_headers(self, price: &str, quantity: &str) -> Self {
        Self { headers: [price.to_owned(), quantity.to_owned()], ..self }
    }
}

impl Shape for Transactions {
    fn header(&self) -> String {
        let [price, quantity] = self.headers.each_ref().map(|name| quoted(name));
        format!("TransactionID,Date,Product,{price},{quantity},Customer,Payment")
    }

    #[inline]
    fn put(&mut self, row: u64, buffer: &mut RowBuffer) {
        let (bits, more) = (self.random.next(), self.random.next());
        let product = self.products.pick(row, bits);
        buffer.put_number(row + 1);
        buffer.put_byte(b',');
        self.dates.put(buffer, bits >> 32);
        buffer.put_byte(b',');
        put_name(buffer, product);
        buffer.put_byte(b',');
        // The number of a product decides its usual price, from 1.00 to 656.35.
        let usual = 100 + (product.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48);
        buffer.put_hundredths(usual - usual / 10 + scaled(more, usual / 5 + 1));
        buffer.put_byte(b',');
        buffer.put_number(1 + scaled(more >> 32, 12));
        buffer.put(b",C");
        buffer.put_number(1 + scaled(more >> 16, CUSTOMERS));
        buffer.put_byte(b',');
        buffer.put(PAYMENTS[(more >> 62) as usize]);
        buffer.put_byte(b'\n');
    }
}

/// Quotes a name as a CSV field where needed.
fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::tests::{bytes, distinct, records};

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let first = bytes(Transactions::new(100, 1), 1_000);
        assert_eq!(first, bytes(Transactions::new(100, 1), 1_000));
        assert_ne!(first, bytes(Transactions::new(100, 2), 1_000));
    }

    #[test]
    fn each_row_is_a_purchase() {
        let records = records(&bytes(Transactions::new(200, 1), 20_000));
        assert_eq!((records.len(), distinct(&records, 0), distinct(&records, 2)), (20_000, 20_000, 200));
        for record in &records {
            let (whole, cents) = record[3].split_once('.').unwrap();
            assert!(cents.len() == 2 && whole.parse::<u64>().unwrap() < 800, "{record:?}");
            assert!((1..=12).contains(&record[4].parse::<u64>().unwrap()), "{record:?}");
        }
        assert_eq!((distinct(&records, 4), distinct(&records, 6)), (12, 4));
    }

    #[test]
    fn the_headers_of_price_and_quantity_can_be_chosen() {
        let file = bytes(Transactions::new(1, 1).with_headers("Unit, \"Price\"", "Qty"), 1);
        let headers = csv::Reader::from_reader(&file[..]).headers().unwrap().clone();
        assert_eq!((headers.len(), &headers[3], &headers[4]), (7, "Unit, \"Price\"", "Qty"));
    }
}
