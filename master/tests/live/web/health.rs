//! `/healthz`, `/readyz`, `/metrics` and `/openapi.json`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::{Value, json};
use tributary_testkit::faulty::{Answer, FaultySource};

use super::{is_guarded, no_source, one_source};
use crate::system::System;

#[test]
fn it_lives_at_once_and_is_ready_when_every_source_was_tried() {
    let system = no_source();
    for path in ["/healthz", "/readyz"] {
        let response = system.ask("GET", path, "");
        assert_eq!(response.status, 200, "{path}");
        is_guarded(&response);
    }
    let hanging = FaultySource::start(&[("/sense", Answer::Hang)]);
    let good = FaultySource::plain("sku,name\na,A\n");
    let mut system = System::new();
    let section = |name: &str, url: &str| format!("[[source]]\nname = \"{name}\"\nurl = \"{url}\"\n");
    system.configure(&(section("hanging", &hanging.url) + &section("good", &good.url)));
    system.start_master(&[]);
    assert_eq!(system.ask("GET", "/healthz", "").status, 200);
    assert_eq!(system.ask("GET", "/readyz", "").status, 503);
    let sources = system.json("/api/v1/sources");
    let source = sources["items"].as_array().unwrap().iter().find(|source| source["name"] == "hanging").unwrap();
    assert_eq!(source["state"], "unknown", "{source}");
    hanging.answer("/sense", Answer::Status("500 Internal Server Error"));
    // A try that failed is one.
    tributary_testkit::wait::until("it is ready", || (system.ask("GET", "/readyz", "").status == 200).then_some(()));
}

/// The samples of one metric: labels → value.
type Series = BTreeMap<BTreeMap<String, String>, f64>;

/// Reads Prometheus text (format 0.0.4) and refuses what its reference parser would, or would only guess at.
fn parse(text: &str) -> BTreeMap<String, Series> {
    let mut families: BTreeMap<String, Series> = BTreeMap::new();
    let (mut helped, mut typed, mut current) = (HashSet::new(), BTreeMap::new(), String::new());
    assert!(text.ends_with('\n'), "the last line has its end");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let name = rest.split(' ').next().unwrap().to_owned();
            assert!(helped.insert(name.clone()), "HELP twice: {line}");
            current = name;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram", "summary", "untyped"].contains(&kind), "{line}");
            assert_eq!(name, current, "TYPE stands behind HELP: {line}");
            assert!(typed.insert(name.to_owned(), kind.to_owned()).is_none(), "TYPE twice: {line}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            families.insert(name.to_owned(), Series::new());
        } else {
            let (name, mut labels, value) = sample(line);
            let is_histogram = typed.get(&current).is_some_and(|kind| kind == "histogram");
            let part = name.strip_prefix(&current).filter(|_| is_histogram);
            let Some(name) = (match part {
                // A histogram is known here by its counts.
                Some("_count") => Some(current.clone()),
                Some("_bucket") => {
                    assert!(labels.remove("le").is_some(), "a bucket has a bound: {line}");
                    None
                }
                Some("_sum") => None,
                _ => Some(name),
            }) else {
                continue;
            };
            assert_eq!(name, current, "the samples of a metric stand together, behind its TYPE: {line}");
            assert!(typed.contains_key(&name), "{line} has no TYPE");
            assert!(families.get_mut(&name).unwrap().insert(labels, value).is_none(), "twice: {line}");
        }
    }
    families
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no sample: {line}"));
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, behind) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
            assert!(is_name(label), "{line}");
            let (value, behind) = label_value(behind);
            assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
            rest = behind.strip_prefix(',').unwrap_or(behind);
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no value: {line}"));
    (name.to_owned(), labels, value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
}

/// A label's value up to its closing quote, and what stands behind that.
fn label_value(text: &str) -> (String, &str) {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.push(match letters.next().unwrap().1 {
                'n' => '\n',
                escaped @ ('\\' | '"') => escaped,
                other => panic!("\\{other} escapes nothing"),
            }),
            _ => value.push(letter),
        }
    }
    panic!("a label without an end: {text}")
}

#[test]
fn metrics_are_prometheus_text_and_tell_what_is() {
    let odd = r#"a "quoted" \n back\slash é"#;
    let source = FaultySource::plain("sku,name\na,A\nb,A\nc,C\n");
    let mut system = System::new();
    system.configure(&format!("[[source]]\nname = '{odd}'\nurl = \"{}\"\n", source.url));
    system.start_master(&[]);
    tributary_testkit::wait::until("it is applied", || (system.products().len() == 3).then_some(()));
    for path in ["/", "/nowhere", "/?sku=%22%5C%0A", "/api/v1/products/a%22b", "/api/v1/products?limit=x"] {
        system.ask("GET", path, "");
    }
    system.ask("BREW", "/", "");
    let response = system.ask("GET", "/metrics", "");
    assert_eq!(response.status, 200);
    is_guarded(&response);
    let kind = response.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain") && kind.contains("version=0.0.4"), "{kind}");
    let mut families = parse(&response.text());
    // The names that clients of Prometheus agree on, for the process; all others are our own.
    for name in [
        "process_cpu_seconds_total",
        "process_max_fds",
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_virtual_memory_bytes",
    ] {
        let value = families.remove(name).unwrap_or_else(|| panic!("no {name}"))[&BTreeMap::new()];
        assert!(value > 0.0 || name == "process_cpu_seconds_total", "{name} {value}");
    }
    assert!(families.keys().all(|name| name.starts_with("tributary_")), "{families:?}");
    let count = |name: &str, labels: &[(&str, &str)]| {
        let labels: BTreeMap<_, _> =
            labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        families[name].get(&labels).copied().unwrap_or_default()
    };
    assert!(count("tributary_poll_duration_seconds", &[("source", odd)]) >= 1.0, "{families:?}");
    assert!(count("tributary_apply_duration_seconds", &[]) >= 1.0, "{families:?}");
    let requests = "tributary_http_request_duration_seconds";
    assert_eq!(count(requests, &[("route", "/"), ("method", "other")]), 1.0, "{families:?}");
    assert_eq!(count(requests, &[("route", "/api/v1/products/{sku}"), ("method", "GET")]), 1.0, "{families:?}");
    assert_eq!(families["tributary_products"], Series::from([(BTreeMap::new(), 3.0)]));
    assert_eq!(families["tributary_names"], Series::from([(BTreeMap::new(), 2.0)]));
    let of_sources: Vec<&Series> =
        families.values().filter(|series| series.keys().any(|labels| labels.contains_key("source"))).collect();
    assert!(!of_sources.is_empty());
    for labels in of_sources.iter().flat_map(|series| series.keys()) {
        assert_eq!(labels["source"], odd);
    }
    let answers = families.values().flat_map(Series::keys).filter(|labels| labels.contains_key("status"));
    let statuses: BTreeSet<&str> = answers.map(|labels| labels["status"].as_str()).collect();
    assert!(statuses.is_superset(&BTreeSet::from(["200", "400", "404", "405"])), "{statuses:?}");
}

#[test]
fn counters_only_grow() {
    let system = one_source(&[("feed.csv", "sku,name\na,A\n")]);
    let read = || parse(&system.ask("GET", "/metrics", "").text());
    let before = read();
    assert_eq!(system.ask("POST", "/update", "sku=a&name=B").status, 303);
    let after = read();
    for (name, series) in before.iter().filter(|(name, _)| name.ends_with("_total")) {
        for (labels, value) in series {
            assert!(after[name][labels] >= *value, "{name} {labels:?} has fallen");
        }
    }
}

#[test]
fn series_do_not_grow_with_what_clients_make_up() {
    let system = no_source();
    let count = || parse(&system.ask("GET", "/metrics", "").text()).values().map(Series::len).sum::<usize>();
    system.ask("GET", "/nowhere", "");
    count();
    let before = count();
    for number in 0..50 {
        system.ask("GET", &format!("/nowhere/{number}"), "");
        system.ask("GET", &format!("/api/v1/products/{number}"), "");
        system.ask("GET", &format!("/?sku={number}"), "");
        system.ask(&format!("METHOD{number}"), "/", "");
    }
    let grown = count() - before;
    assert!(grown <= 10, "{grown} more series");
}

#[test]
fn the_api_is_described_as_openapi_3_1() {
    let system = no_source();
    let response = system.ask("GET", "/openapi.json", "");
    let api = super::answered(&response, 200);
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1."), "{}", api["openapi"]);
    assert!(api["info"]["title"].is_string() && api["info"]["version"].is_string(), "{}", api["info"]);
    let mut operations = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no operationId"));
            operations.push((format!("{method} {path}"), id.to_owned()));
            assert!(!operation["responses"].as_object().unwrap().is_empty(), "{method} {path}");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            for variable in path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()) {
                let is_it = |it: &Value| it["name"] == variable && it["in"] == "path" && it["required"] == json!(true);
                assert!(parameters.iter().any(is_it), "{method} {path} does not describe {variable}");
            }
        }
    }
    let ids: BTreeSet<&str> = operations.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids.len(), operations.len(), "operationIds are unique: {operations:?}");
    let product = "/api/v1/products/{sku}";
    let expect = ["products", "aggr", "sources", "rejects", "events"].map(|list| format!("get /api/v1/{list}"));
    let expect =
        expect.into_iter().chain(["get", "put", "patch", "delete"].map(|method| format!("{method} {product}")));
    let others = [format!("delete {product}/edit"), "get /healthz".into(), "get /readyz".into(), "get /metrics".into()];
    for operation in expect.chain(others) {
        assert!(operations.iter().any(|(it, _)| *it == operation), "{operation} is not described");
    }
    references(&api, &mut |reference| {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads elsewhere"));
        assert!(api.pointer(pointer).is_some(), "{reference} leads nowhere");
    });
}

#[test]
fn lists_have_the_members_and_parameters_that_are_described() {
    let system = one_source(&[("feed.csv", "sku,name\na,A\n,rejected\n")]);
    let api = system.json("/openapi.json");
    let resolved = |schema: &Value| match schema["$ref"].as_str() {
        Some(reference) => api.pointer(&reference[1..]).unwrap().clone(),
        None => schema.clone(),
    };
    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    for (list, parameters) in [
        ("products", &["q", "name", "source", "limit", "after"][..]),
        ("aggr", &["q", "limit", "offset", "order"]),
        ("sources", &[]),
        ("rejects", &["source", "file", "report", "reason", "after", "order"]),
        ("files", &["source", "reader"]),
    ] {
        let path = format!("/api/v1/{list}");
        let (operation, answer) = (&api["paths"][&path]["get"], system.json(&path));
        let described = resolved(&operation["responses"]["200"]["content"]["application/json"]["schema"]);
        assert_eq!(members(&described["properties"]), members(&answer), "{list}");
        let item = resolved(&described["properties"]["items"]["items"]);
        assert_eq!(members(&item["properties"]), members(&answer["items"][0]), "{list}");
        let all = operation["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in parameters {
            assert!(all.iter().any(|it| it["name"] == *parameter && it["in"] == "query"), "{list}: {parameter}");
        }
    }
}

fn references(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            members.get("$ref").and_then(Value::as_str).into_iter().for_each(&mut *see);
            members.values().for_each(|member| references(member, see));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, see)),
        _ => {}
    }
}
