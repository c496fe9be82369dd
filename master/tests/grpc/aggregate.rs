//! `Aggregate` of `tributary.v1`.

use std::fs;

use futures_util::stream;
use tonic::{Code, Status};
use tributary_grpc::tributary_v1::{
    AggregateRequest, AggregateStart, AggregateSummary, Group, Value, aggregate_request::Content as Asked,
    aggregate_response::Content as Answer, value::Kind,
};

use super::{Master, own::Client, processor::chunks};
use crate::system::System;

/// Sends a file for a report, and takes all answers but progress: the summary, and the groups.
async fn aggregate(client: &mut Client, report: &str, text: &[u8]) -> Result<(AggregateSummary, Vec<Group>), Status> {
    let start = AggregateStart { report: report.to_owned(), ..AggregateStart::default() };
    let data = text.chunks(100_000).map(|data| Asked::Data(data.to_vec().into()));
    let sent: Vec<_> = [Asked::Start(start)].into_iter().chain(data).collect();
    let sent = sent.into_iter().map(|content| AggregateRequest { content: Some(content) });
    let mut answers = client.aggregate(stream::iter(sent)).await?.into_inner();
    let (mut summary, mut groups) = (None, Vec::new());
    while let Some(answer) = answers.message().await? {
        match answer.content.unwrap() {
            Answer::Progress(_) => assert!(summary.is_none()),
            Answer::Summary(first) => assert!(summary.replace(first).is_none()),
            Answer::Groups(more) => groups.extend(more.groups),
        }
    }
    Ok((summary.unwrap(), groups))
}

/// Guards against a report by position that sums other rows than the processor whose protocol it stands for.
#[tokio::test]
async fn positions_give_the_totals_of_process_csv() {
    const REPORT: &str = "columns = { department = 1, sales = 3 }\ncheck = \"sales >= 0\"\ngroup_by = \"department\"\n\
                          metrics = { total = \"sum(sales)\" }\n[[format]]\nskip_rows = 1\nheader = false\n";
    let system = System::new();
    let master = Master::start(&system, &[]);
    let file = system.home().join("sales.csv");
    let made = system.run("generate", &["sales", "--rows", "50000", "--out", file.to_str().unwrap()]);
    assert!(made.status.success(), "{made:?}");
    let bad = "Toys,2026-05-01,-4\nToys,x,many\nToys,3\n,x,4\nToys,x,\nToys,x,5,6\n\"To\nys\",x, +7 \n";
    let text = [fs::read_to_string(&file).unwrap(), bad.to_owned()].concat();
    let (_, summary) = master.process(chunks(text.as_bytes(), 100_000, true)).await.unwrap();
    let totals = master.totals(&summary);
    let mut client = master.own(None).await;
    let (head, groups) = aggregate(&mut client, REPORT, text.as_bytes()).await.unwrap();
    assert_eq!((head.rows - head.rejected, head.rejected), (summary.rows_processed, summary.malformed_rows));
    assert_eq!(head.rejected, 6);
    let quoted = |key: &str| if key.contains('\n') { format!("\"{key}\"") } else { key.to_owned() };
    let line = |group: &Group| match group.values[0].kind {
        Some(Kind::Integer(total)) => format!("{},{total}\r\n", quoted(&group.key[0])),
        ref other => panic!("{other:?}"),
    };
    let lines: String = groups.iter().map(line).collect();
    assert_eq!(format!("Department Name,Total Number of Sales\r\n{lines}"), totals);
}

#[tokio::test]
async fn a_report_is_computed_over_a_stream_and_nothing_is_stored() {
    const REPORT: &str = "group_by = [\"shop\"]\nwhere = \"pieces > 0\"\nmetrics = { n = \"count()\", sum = \"sum(price * pieces)\", least = \"min(price)\" }\n";
    let system = System::new();
    let master = Master::start(&system, &[]);
    let mut client = master.own(None).await;
    let text = "shop,price,pieces\nnorth,0.10,3\nsouth,2,0\nnorth,0.20,1\nsouth,x,1\nwest,0.1,1\n";
    let (summary, groups) = aggregate(&mut client, REPORT, text.as_bytes()).await.unwrap();
    assert_eq!((summary.rows, summary.passed_over, summary.rejected, summary.groups), (5, 1, 1, 2));
    assert_eq!(
        (summary.group_by, summary.metrics),
        (vec!["shop".to_owned()], ["n", "sum", "least"].map(str::to_owned).to_vec())
    );
    assert_eq!((summary.rejects.len(), summary.rejects[0].line), (1, 5));
    let value = |kind| Value { kind: Some(kind) };
    let decimal = |text: &str| value(Kind::Decimal(text.to_owned()));
    let north =
        Group { key: vec!["north".into()], values: vec![value(Kind::Integer(2)), decimal("0.5"), decimal("0.1")] };
    let west =
        Group { key: vec!["west".into()], values: vec![value(Kind::Integer(1)), decimal("0.1"), decimal("0.1")] };
    assert_eq!(groups, [north, west]);
    // More groups than a message has, and as one row.
    let many: String = (0..150_000).map(|number| format!("{number},1,1\n")).collect();
    let many = format!("shop,price,pieces\n{many}");
    let (summary, groups) = aggregate(&mut client, REPORT, many.as_bytes()).await.unwrap();
    assert_eq!((summary.rows, summary.groups, groups.len()), (150_000, 150_000, 150_000));
    assert!(groups.is_sorted_by(|a, b| a.key < b.key));
    let one = aggregate(&mut client, "metrics = { n = \"sum(pieces)\" }", b"pieces\n1\n").await.unwrap();
    assert_eq!(one.1, [Group { key: Vec::new(), values: vec![value(Kind::Integer(1))] }]);
    let none = aggregate(&mut client, "metrics = { n = \"sum(pieces)\" }", b"pieces\n").await.unwrap();
    assert_eq!(none.1, [Group { key: Vec::new(), values: vec![Value { kind: None }] }]);
    for (report, text, part) in [
        ("", text, "missing field `metrics`"),
        ("metrics = { n = \"sum(\" }", text, "sum("),
        ("name = \"a\"\nmetrics = { n = \"count()\" }", text, "name"),
        ("metrics = { n = \"sum(pieces)\" }", "a,b\n1,2\n", "pieces"),
        ("metrics = { n = \"sum(pieces)\" }", "", "cannot be used"),
    ] {
        let error = aggregate(&mut client, report, text.as_bytes()).await.unwrap_err();
        assert!(error.code() == Code::InvalidArgument && error.message().contains(part), "{error}");
    }
    assert_eq!(fs::read_dir(system.beside("uploads")).map_or(0, Iterator::count), 0);
}
