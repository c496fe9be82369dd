//! Servers that refuse, throttle, break off, hang, or change under a list.

use super::*;

fn world() -> World {
    let world = World::new("", "");
    for name in ["a", "b", "c"] {
        world.put(&format!("{name}.csv"), format!("sku,name\n{name},X\n"));
    }
    world
}

#[test]
fn a_refusal_says_what_to_do_and_keeps_the_rows() {
    let mut world = world();
    world.system.start_master(&[]);
    world.skus(&["a", "b", "c"]);
    for (status, code, words) in [
        ("403 Forbidden", "AccessDenied", "allow it to the owner of AWS_ACCESS_KEY_ID"),
        ("403 Forbidden", "InvalidAccessKeyId", "check AWS_ACCESS_KEY_ID"),
        ("403 Forbidden", "RequestTimeTooSkewed", "clock"),
        ("404 Not Found", "NoSuchBucket", "check the bucket's name"),
        ("400 Bad Request", "AuthorizationHeaderMalformed", "AWS_REGION"),
        ("301 Moved Permanently", "PermanentRedirect", "AWS_REGION"),
        ("503 Service Unavailable", "SlowDown", "SlowDown"),
    ] {
        world.bucket.answer_wrongly("LIST", Wrong::Error(status, code), usize::MAX);
        world.error(&[code, words, "s3://feeds/in"]);
        assert_eq!(world.source()["state"], "down");
        world.bucket.recover();
        wait::until("it is up again", || (world.source()["state"] == "up").then_some(()));
    }
    assert_eq!(world.system.products().len(), 3);
    assert_eq!(world.bucket.count("GET"), 3, "nothing was read again");
}

#[test]
fn settings_that_are_missing_are_the_error_of_the_source_alone() {
    let (mut system, bucket) = (System::new(), Bucket::start());
    system.write("north", "a.csv", "sku,name\na,A\n");
    let north = system.serve("north");
    configure(&system, "", &format!("[[source]]\nname = \"north\"\nurl = \"{north}\"\n"));
    system.set_variables(bucket.variables().into_iter().filter(|(name, _)| *name != "AWS_SECRET_ACCESS_KEY"));
    system.start_master(&[]);
    let world = World { system, bucket };
    world.error(&["AWS_SECRET_ACCESS_KEY is not"]);
    world.skus(&["a"]);
    assert_eq!(world.bucket.requests(), [""; 0]);
}

#[test]
fn a_server_that_is_away_or_throttles_is_asked_again() {
    let mut world = world();
    world.bucket.answer_wrongly("LIST", Wrong::Error("503 Service Unavailable", "SlowDown"), 2);
    world.bucket.answer_wrongly("GET", Wrong::Error("503 Service Unavailable", "SlowDown"), 2);
    world.system.once_ok();
    assert_eq!(world.system.products().len(), 3);
    let url = world.bucket.url.clone();
    world.system.start_master(&[]);
    let World { system, bucket } = world;
    drop(bucket);
    let away = World { system, bucket: Bucket::start() };
    away.error(&["AWS_ENDPOINT_URL", "s3://feeds/in"]);
    assert_eq!(away.system.products().len(), 3);
    let World { system, .. } = away;
    let back = World { system, bucket: Bucket::start_at(url.trim_start_matches("http://")) };
    back.put("d.csv", "sku,name\nd,D\n");
    back.skus(&["d"]);
}

#[test]
fn an_object_that_is_replaced_while_it_is_read_comes_with_the_next_list() {
    let mut world = world();
    world.bucket.replace_when_listed("in/b.csv");
    world.system.start_master(&[]);
    wait::until("the others are there", || (world.system.products().len() == 2).then_some(()));
    assert_eq!(world.source()["state"], "up", "a file that changes is no fault of its source");
    world.bucket.rest("in/b.csv");
    world.skus(&["a", "b", "c"]);
}

#[test]
fn an_object_that_vanishes_after_it_was_listed_is_gone() {
    let mut world = world();
    world.system.once_ok();
    // The server lists it, and does not have it.
    world.put("b.csv", "sku,name\nb2,X\n");
    world.bucket.answer_wrongly("GET in/b.csv", Wrong::Error("404 Not Found", "NoSuchKey"), usize::MAX);
    world.system.start_master(&[]);
    wait::until("it is asked for", || (world.bucket.count("GET in/b.csv") > 2).then_some(()));
    world.skus(&["a", "b", "c"]);
    world.remove("b.csv");
    world.skus(&["a", "c"]);
}

#[test]
fn one_object_that_is_refused_does_not_stop_the_others() {
    let mut world = world();
    world.bucket.answer_wrongly("GET in/a.csv", Wrong::Error("403 Forbidden", "AccessDenied"), usize::MAX);
    world.system.start_master(&[]);
    world.skus(&["b", "c"]);
    world.error(&["a.csv: ", "AccessDenied"]);
    world.bucket.recover();
    world.skus(&["a", "b", "c"]);
}

#[test]
fn half_of_a_body_or_of_a_list_is_never_taken_for_the_whole() {
    let mut world = world();
    world.bucket.set_page(2);
    let rows: String = (0..20_000).map(|number| format!("k{number:05},N\n")).collect();
    world.put("b.csv", format!("sku,name\n{rows}"));
    world.bucket.answer_wrongly("GET in/b.csv", Wrong::Cut, 2);
    world.system.once_ok();
    assert_eq!(world.system.products().len(), 20_002);
    world.system.start_master(&[]);
    let list = "<?xml version=\"1.0\"?><ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
    for (wrong, words) in [
        (Wrong::Body(list), "it goes on nowhere"),
        (Wrong::Body("<html>Log in</html>"), "no list of objects"),
        (Wrong::Body("<ListBucketResult><Contents><Key>in/a.csv</Key>"), "no list of objects"),
        (Wrong::Cut, "s3://feeds/in"),
    ] {
        world.bucket.answer_wrongly("continuation-token", wrong, usize::MAX);
        world.error(&[words]);
        world.bucket.recover();
        wait::until("it is up again", || (world.source()["state"] == "up").then_some(()));
    }
    assert_eq!(world.system.products().len(), 20_002);
    assert_eq!(world.source()["rejected_files"], 0);
}

#[test]
fn a_server_that_hangs_is_let_go() {
    let mut world = world();
    let rows: String = (0..20_000).map(|number| format!("k{number:05},N\n")).collect();
    world.put("b.csv", format!("sku,name\n{rows}"));
    configure(&world.system, "", "");
    world.bucket.answer_wrongly("GET in/b.csv", Wrong::Stall, usize::MAX);
    world.system.start_master(&["--patience", "1s"]);
    world.error(&["b.csv: the body is too slow"]);
    world.bucket.recover();
    wait::until("all of it is there", || (world.system.products().len() == 20_002).then_some(()));
    world.bucket.answer_wrongly("LIST", Wrong::Hang, usize::MAX);
    world.error(&["no list of objects within 6 s"]);
    world.bucket.recover();
    wait::until("it is up again", || (world.source()["state"] == "up").then_some(()));
}

#[test]
fn more_objects_than_a_source_may_have_are_refused() {
    let mut world = world();
    configure(&world.system, "max_files = 2", "");
    world.system.start_master(&[]);
    world.error(&["`max_files` of this source, which is 2"]);
    world.remove("c.csv");
    world.skus(&["a", "b"]);
}
