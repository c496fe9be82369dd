//! `[grpc]` and `[sales_gateway]`.

use super::{super::*, load};

#[test]
fn the_entrance_for_grpc_has_an_address_and_bounds() {
    let grpc = |lines: &str| load(&format!("[grpc]\n{lines}\n"), &[]).map(|config| config.grpc);
    assert_eq!(grpc(""), Ok(GrpcConfig::default()));
    let set = grpc("listen = \"0.0.0.0:50051\"\nresults_dir = \"out\"\nstreams = 8\nmax_message = \"1MiB\"").unwrap();
    assert_eq!((set.listen.as_deref(), set.streams, set.max_message), (Some("0.0.0.0:50051"), 8, 1 << 20));
    assert!(set.results_dir.unwrap().ends_with("out"));
    for wrong in ["streams = 0", "streams = 1001", "max_message = \"1KiB\"", "max_message = \"2GiB\"", "listen = \"x\""]
    {
        let why = grpc(wrong).unwrap_err();
        assert!(why.contains("FILE, line 2"), "{wrong}: {why}");
    }
}

#[test]
fn the_sales_gateway_has_an_address_and_sites() {
    let gateway = |lines: &str, flags: &[&str]| {
        load(&format!("[sales_gateway]\n{lines}\n"), flags).map(|config| config.sales_gateway)
    };
    assert_eq!(gateway("", &[]), Ok(SalesGatewayConfig::default()));
    let lines = "listen = \"127.0.0.1:8000\"\norigins = [\"http://localhost:5173/\"]";
    let set = gateway(lines, &[]).unwrap();
    assert!(set.listen.as_deref() == Some("127.0.0.1:8000") && set.origins.allows("http://localhost:5173"));
    let flags =
        ["--sales-gateway", "127.0.0.1:1", "--sales-gateway-origin", "http://a", "--sales-gateway-origin", "http://b"];
    let set = gateway(lines, &flags).unwrap();
    assert_eq!(set.listen.as_deref(), Some("127.0.0.1:1"));
    assert_eq!(set.origins, Origins::Named(vec!["http://a".to_owned(), "http://b".to_owned()]));
    for wrong in ["listen = \"x\"", "origins = [\"localhost\"]", "other = 1"] {
        let why = gateway(wrong, &[]).unwrap_err();
        assert!(why.contains("FILE, line 2"), "{wrong}: {why}");
    }
    let any = "listen = \"127.0.0.1:8000\"\norigins = [\"*\"]";
    assert!(gateway(any, &[]).unwrap_err().contains("set --token-file"));
    assert_eq!(gateway(any, &["--token-file", "tokens"]).unwrap().origins, Origins::Any);
    assert!(gateway("", &["--sales-gateway-origin", "x"]).unwrap_err().contains("--sales-gateway-origin: `x`"));
}
