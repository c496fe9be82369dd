//! The browser of tests and measurements.

/// Flags of Chromium. In CI it runs as root and without a display, and it must not send requests to anyone else.
pub const FLAGS: [&str; 8] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];
