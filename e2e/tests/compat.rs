//! Producers of older systems, which know nothing of this one: what they publish is stored, and answered where they listen.

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader},
    time::Duration,
};

use e2e::{Broker, Master, PythonProgram, Relay, python, until};
use serde_json::{Value, json};

const QUEUE: &str = "csv_tasks";
const COMPAT: [&str; 2] = ["--compat", QUEUE];

/// Publishes tasks, each as its id and its CSV, as the producer of system 000 does.
const TASKS: &str = r#"
import json, sys
import pika
connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.queue_declare(queue="csv_tasks")
for task_id, csv_data in json.loads(sys.argv[2]):
    channel.basic_publish(
        exchange="",
        routing_key="csv_tasks",
        body=json.dumps({"task_id": task_id, "csv_data": csv_data}),
        properties=pika.BasicProperties(delivery_mode=2, message_id=task_id),
    )
connection.close()
"#;

/// Prints the first results, as many as it is told, each with its id and delivery mode.
const RESULTS: &str = r#"
import json, sys
import pika
connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.queue_declare(queue="processed_results")
results = []
for method, properties, body in channel.consume("processed_results", inactivity_timeout=60):
    if method is None:
        sys.exit(f"no more than {results}")
    channel.basic_ack(method.delivery_tag)
    results.append([properties.message_id, properties.delivery_mode, json.loads(body)])
    if len(results) == int(sys.argv[2]):
        break
print(json.dumps(results))
connection.close()
"#;

/// Publishes bodies as the producer of system 001 does: without properties.
const CHANGES: &str = r#"
import json, sys
import pika
connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.queue_declare(queue="csv_tasks")
for body in json.loads(sys.argv[2]):
    channel.basic_publish(exchange="", routing_key="csv_tasks", body=body if isinstance(body, str) else json.dumps(body))
connection.close()
"#;

/// Works on tasks as a worker of system 000 does: one at a time, each acknowledged after its result, and returned to the queue if it fails.
const WORKER: &str = r#"
import csv, io, json, sys, time
from datetime import datetime
import pika
connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.queue_declare(queue="csv_tasks")
channel.queue_declare(queue="processed_results")
channel.basic_qos(prefetch_count=1)

def work(channel, method, properties, body):
    started = time.time()
    try:
        task = json.loads(body)
        rows = [dict(row, processed_at=datetime.now().isoformat()) for row in csv.DictReader(io.StringIO(task["csv_data"]))]
        result = {
            "status": "success", "task_id": task["task_id"], "row_count": len(rows), "data": rows,
            "processed_at": datetime.now().isoformat(), "worker_id": sys.argv[2], "processing_time": time.time() - started,
        }
        channel.basic_publish(
            exchange="", routing_key="processed_results", body=json.dumps(result),
            properties=pika.BasicProperties(delivery_mode=2, message_id=task["task_id"]),
        )
        channel.basic_ack(method.delivery_tag)
    except Exception:
        channel.basic_nack(method.delivery_tag, requeue=True)

channel.basic_consume("csv_tasks", work)
print("working", flush=True)
channel.start_consuming()
"#;

/// The rows of all changes, told apart by all their columns.
const PEOPLE: &str = r#"
[[report]]
name     = "people"
files    = "csv_tasks/**"
group_by = ["name", "age", "city"]
metrics  = { copies = "count()" }
"#;

/// Task files as product feeds.
const FEEDS: &str = "[catalog]\ncolumns = [\"value\"]\n\n[uploads]\ncolumns = { sku = \"name\" }\n";

fn publish(script: &str, broker: &Broker, messages: &Value) {
    let _ = python(script, &[&broker.url, &messages.to_string()], &env::temp_dir());
}

/// Takes this many results, ordered by task and without the members that differ from run to run.
fn results(broker: &Broker, count: usize) -> Vec<Value> {
    let printed = python(RESULTS, &[&broker.url, &count.to_string()], &env::temp_dir());
    let mut results = Vec::new();
    for (id, mode, mut result) in serde_json::from_str::<Vec<(String, u8, Value)>>(&printed).unwrap() {
        assert_eq!((mode, result["task_id"].as_str()), (2, Some(id.as_str())), "{result}");
        let result_object = result.as_object_mut().unwrap();
        assert!(result_object.remove("worker_id").unwrap().is_string());
        assert!(result_object.remove("processing_time").unwrap().is_number());
        if result_object.contains_key("status") {
            assert!(result_object.remove("processed_at").unwrap().is_string());
            for row in result_object["data"].as_array_mut().unwrap() {
                assert!(row.as_object_mut().unwrap().remove("processed_at").unwrap().is_string());
            }
        }
        results.push(result);
    }
    results.sort_by_key(|result| result["task_id"].to_string());
    results
}

/// Takes the reasons of this many dead letters, in order.
async fn dead_letters(broker: &Broker, count: usize) -> Vec<String> {
    let mut letters = Vec::new();
    until("the dead letters are there", async || {
        letters.extend(broker.dead_letters().await.into_iter().map(|(_, why)| why));
        (letters.len() >= count).then_some(())
    })
    .await;
    assert_eq!(letters.len(), count, "each is set aside once: {letters:?}");
    letters.sort();
    letters
}

/// Waits until the report has these names, ages and cities.
async fn people(master: &Master, expect: &[[&str; 3]]) {
    until(&format!("the rows are {expect:?}"), async || {
        let report = master.api("/api/v1/reports/people")?;
        let rows: Vec<_> = report["items"]
            .as_array()?
            .iter()
            .map(|row| ["name", "age", "city"].map(|column| row[column].as_str().unwrap_or_default().to_owned()))
            .collect();
        (rows == expect).then_some(())
    })
    .await;
}

#[tokio::test]
async fn tasks_are_stored_and_answered() {
    let (broker, master) = (Broker::new("tasks"), Master::start(FEEDS, &[]));
    let tasks = json!([
        ["d41d_1764400000", "name,value\na,1.50\n\"b, c\",\"say \"\"hi\"\"\"\n"],
        ["d41d_1764400000", "name,value\na,1.50\n\"b, c\",\"say \"\"hi\"\"\"\n"],
        ["9e10_1764400001", "value,name,note\n7,d,\u{e9}\n"],
        ["9e10_1764400001", "value,name,note\n7,d,\u{e9}\n"],
        ["bad0_1764400002", "name,price\na,1\n"],
    ]);
    // The producer comes first: the relay must be content with the queue as it is.
    publish(TASKS, &broker, &tasks);
    let _relay = Relay::start(&broker, master.url(), &COMPAT);
    let first = json!({"status": "success", "task_id": "d41d_1764400000", "row_count": 2,
        "data": [{"name": "a", "value": "1.50"}, {"name": "b, c", "value": "say \"hi\""}]});
    let second = json!({"status": "success", "task_id": "9e10_1764400001", "row_count": 1,
        "data": [{"value": "7", "name": "d", "note": "\u{e9}"}]});
    let bad = json!({"task_id": "bad0_1764400002",
        "error": "its CSV has no column `value`; `name` and `value` are required"});
    assert_eq!(results(&broker, 5), [second.clone(), second, bad, first.clone(), first]);
    let rows = master.readdb(&["products"]);
    let rows: Vec<_> = rows.iter().map(|row| (row["sku"].as_str().unwrap(), row["value"].as_str().unwrap())).collect();
    assert_eq!(rows, [("a", "1.50"), ("b, c", "say \"hi\""), ("d", "7")]);
    let letters = dead_letters(&broker, 1).await;
    assert!(letters[0].contains("no column `value`"), "{letters:?}");
    assert_eq!(broker.ready("processed_results").await, Some(0));
}

#[tokio::test]
async fn a_worker_of_the_older_system_and_a_relay_share_the_tasks() {
    let (broker, master, count) = (Broker::new("beside"), Master::start(FEEDS, &[]), 300);
    let mut worker = PythonProgram::start(WORKER, &[&broker.url, "slave1"]);
    let mut first = String::new();
    BufReader::new(worker.0.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    assert_eq!(first, "working\n");
    let _relay = Relay::start(&broker, master.url(), &COMPAT);
    until("both consume", async || broker.consumers(QUEUE).await.filter(|consumers| *consumers == 2)).await;
    let tasks: Vec<_> =
        (0..count).map(|number| json!([format!("t{number:03}"), format!("name,value\n{number},1\n")])).collect();
    publish(TASKS, &broker, &tasks.into());
    let answered = python(RESULTS, &[&broker.url, &count.to_string()], &env::temp_dir());
    let answered: Vec<(String, u8, Value)> = serde_json::from_str(&answered).unwrap();
    let (theirs, ours): (Vec<_>, Vec<_>) =
        answered.into_iter().partition(|(_, _, result)| result["worker_id"] == "slave1");
    let tasks: BTreeSet<_> = theirs.iter().chain(&ours).map(|(id, ..)| id).collect();
    assert_eq!(tasks.len(), count, "each is answered once");
    assert!(theirs.len() >= count / 10 && ours.len() >= count / 10, "{} and {}", theirs.len(), ours.len());
    let stored: BTreeSet<_> = master.products().into_keys().collect();
    let expect = ours.iter().map(|(_, _, result)| result["data"][0]["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(stored, expect, "the tables have what the relay took");
    assert_eq!(broker.dead_letters().await, []);
    assert_eq!((broker.ready(QUEUE).await, broker.ready("processed_results").await), (Some(0), Some(0)));
}

#[tokio::test]
async fn a_task_that_the_master_refuses_is_answered_with_the_reason() {
    let (broker, master) = (Broker::new("refused"), Master::start("", &[]));
    let _relay = Relay::start(&broker, master.url(), &COMPAT);
    publish(TASKS, &broker, &json!([["t1", "name,value\na,1\n"]]));
    let result = results(&broker, 1).remove(0);
    let why = result["error"].as_str().unwrap();
    assert!(why.contains("sku"), "{why}");
    assert_eq!(dead_letters(&broker, 1).await, [why]);
    // The same message again: the master knows it, and the answer is still no success.
    publish(TASKS, &broker, &json!([["t1", "name,value\na,1\n"]]));
    assert!(results(&broker, 1)[0]["error"].as_str().unwrap().contains("sku"));
}

#[tokio::test]
async fn changes_of_rows_are_idempotent_and_keep_their_order() {
    let (broker, master) = (Broker::new("changes"), Master::start(PEOPLE, &[]));
    let _relay = Relay::start(&broker, master.url(), &COMPAT);
    let add = |name: &str, age: Value, city: &str| json!({"operation": "add", "data": {"name": name, "age": age, "city": city}});
    let delete = |name: &str| json!({"operation": "delete", "data": {"name": name}});
    let first = json!([
        add("Ann", 30.into(), "Bath"),
        add("Bob", "41".into(), "Leeds"),
        add("Ann", 30.into(), "Bath"),
        add("Ann", "30".into(), "Bath"),
        add("Ann", 31.into(), "Bath, \"Spa\""),
        json!({"operation": "add", "data": {"name": "Cy", "age": "5", "city": "York", "note": null}}),
    ]);
    publish(CHANGES, &broker, &first);
    let ann = [["Ann", "30", "Bath"], ["Ann", "31", "Bath, \"Spa\""]];
    people(&master, &[ann[0], ann[1], ["Bob", "41", "Leeds"], ["Cy", "5", "York"]]).await;
    let copies = master.api("/api/v1/reports/people").unwrap()["items"][0]["copies"].to_string();
    assert_eq!(copies.trim_matches('"'), "1", "a repeated row is there once");

    let second = json!([
        delete("Bob"),
        delete("Nobody"),
        delete("Bob"),
        delete("Ann"),
        add("Ann", 32.into(), "Bath"),
        add("Dee", 1.into(), "Rye"),
        delete("Dee"),
        add("Dee", 1.into(), "Rye"),
        delete("Dee"),
        "no JSON",
        json!({"operation": "update", "data": {"name": "Ann"}}),
        json!({"operation": "add", "data": {"age": 1}}),
    ]);
    publish(CHANGES, &broker, &second);
    let letters = dead_letters(&broker, 3).await;
    for (why, part) in letters.iter().zip(["not a JSON object", "has no `name`", "its operation is `update`"]) {
        assert!(why.contains(part), "{why}");
    }
    people(&master, &[["Ann", "32", "Bath"], ["Cy", "5", "York"]]).await;
    broker.until_empty(QUEUE).await;
    assert_eq!(broker.ready("processed_results").await, Some(0), "changes are not answered");
}

#[tokio::test]
async fn a_relay_that_is_killed_loses_no_change() {
    let (broker, master) = (Broker::new("killed-compat"), Master::start(PEOPLE, &[]));
    let mut changes = Vec::new();
    for number in 0..120 {
        let name = format!("n{:03}", number % 40);
        // Of each name, the rows of the first two rounds are deleted before the third.
        if number >= 80 {
            changes.push(json!({"operation": "delete", "data": {"name": name}}));
        }
        changes.push(json!({"operation": "add", "data": {"name": name, "age": number / 40, "city": "c"}}));
    }
    publish(CHANGES, &broker, &changes.into());
    for _ in 0..3 {
        let mut relay = Relay::start(&broker, master.url(), &COMPAT);
        tokio::time::sleep(Duration::from_millis(500)).await;
        relay.kill();
    }
    let _relay = Relay::start(&broker, master.url(), &COMPAT);
    let names: Vec<_> = (0..40).map(|number| format!("n{number:03}")).collect();
    let expect: Vec<_> = names.iter().map(|name| [name.as_str(), "2", "c"]).collect();
    broker.until_empty(QUEUE).await;
    people(&master, &expect).await;
    assert_eq!(broker.dead_letters().await, []);
}
