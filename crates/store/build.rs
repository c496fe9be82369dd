//! Rebuilds the crate when a migration changes: the migrations are embedded, and cargo does not see that by itself.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
