//! Random reports over random rows: compares them with a model, and divides the rows among files in random ways.

use std::sync::Arc;

use proptest::{prelude::*, sample::select};
use tributary_budget::Budget;
use tributary_protocol::ReportSpec;
use tributary_report::{Partial, ReportPlan, Room, Total};

use crate::{
    model::{Condition, Expected, Formula, Fraction, Row},
    support::{checked, filtered, go_on, groups, open, partial, plan, report, rows},
};

const COLUMNS: [&str; 4] = ["g", "h", "a", "b"];

fn formula() -> impl Strategy<Value = Formula> {
    let column = select(vec!["a", "b"]).prop_map(Formula::Column);
    let number = select(vec!["2", "0.5", "10"]).prop_map(Formula::Number);
    prop_oneof![3 => column, 1 => number].prop_recursive(2, 4, 2, |inner| {
        (select(vec!['+', '-', '*']), inner.clone(), inner)
            .prop_map(|(operator, left, right)| Formula::Both(operator, Box::new(left), Box::new(right)))
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    let compare = (select(vec!["<", ">=", "="]), formula(), formula())
        .prop_map(|(operator, left, right)| Condition::Compare(operator, left, right));
    let text = (select(vec!["g", "h", "a"]), select(vec!["x", "y", "1"])).prop_map(|(c, t)| Condition::Text(c, t));
    let empty = select(COLUMNS.to_vec()).prop_map(Condition::Empty);
    prop_oneof![3 => compare, 2 => text, 1 => empty].prop_recursive(2, 6, 2, |inner| {
        let both = (select(vec!["AND", "OR"]), inner.clone(), inner.clone())
            .prop_map(|(operator, left, right)| Condition::Both(operator, Box::new(left), Box::new(right)));
        prop_oneof![2 => both, 1 => inner.prop_map(|inner| Condition::Not(Box::new(inner)))]
    })
}

fn cells() -> impl Strategy<Value = Vec<&'static str>> {
    let text = || select(vec!["x", "y", "x", "y", " x ", "1", "1.0", "", "long text, with a comma", "\u{3000}y"]);
    let number = || {
        let often = select(vec!["1", "2", "-1", "0.5", "1.50", "-0.25", "999", " 7 ", "1000000", "+3", "0"]);
        prop_oneof![12 => often, 1 => Just(""), 1 => select(vec!["n/a", "1,2,3", "x", "-"])]
    };
    (text(), text(), number(), number()).prop_map(|(g, h, a, b)| vec![g, h, a, b])
}

/// A report, as the crate declares it and as the model does.
#[derive(Clone, Debug)]
struct Case {
    spec: ReportSpec,
    filter: Option<Condition>,
    check: Option<Condition>,
    group_by: Vec<&'static str>,
    formula: Formula,
}

fn cases() -> impl Strategy<Value = Case> {
    let group_by = select(vec![vec![], vec!["g"], vec!["h", "g"]]);
    (prop::option::of(condition()), prop::option::of(condition()), group_by, formula()).prop_map(
        |(filter, check, group_by, formula)| {
            let text = formula.text();
            let metrics = ["sum", "min", "max", "mean"].map(|name| format!("{name}({text})"));
            let metrics: Vec<&str> = std::iter::once("count()").chain(metrics.iter().map(String::as_str)).collect();
            let mut spec = report(&group_by, &metrics);
            if let Some(filter) = &filter {
                spec = filtered(spec, &filter.text());
            }
            if let Some(check) = &check {
                spec = checked(spec, &check.text());
            }
            Case { spec, filter, check, group_by, formula }
        },
    )
}

/// A file of these rows, with every cell in quotes.
fn file(rows: &[Vec<&str>]) -> Vec<u8> {
    let line = |cells: &[&str]| format!("\"{}\"\n", cells.join("\",\""));
    std::iter::once(line(&COLUMNS)).chain(rows.iter().map(|cells| line(cells))).collect::<String>().into_bytes()
}

fn expected(case: &Case, rows: &[Vec<&str>]) -> Expected {
    let mut expected = Expected::default();
    for (at, cells) in rows.iter().enumerate() {
        let row: Row<'_> = COLUMNS.into_iter().zip(cells.iter().copied()).collect();
        expected.take((at, &row), case.filter.as_ref(), case.check.as_ref(), &case.group_by, &case.formula);
    }
    expected
}

fn kind(reason: &str) -> char {
    match reason {
        reason if reason.contains("is not a number") => 'n',
        reason if reason.starts_with("not true") => 'c',
        reason if reason.starts_with("no `") => 'g',
        reason => panic!("{reason}"),
    }
}

fn compare(case: &Case, expected: &Expected, partial: &Partial, plan: &ReportPlan) -> Result<(), TestCaseError> {
    let head = partial.head();
    prop_assert_eq!(head.passed_over, expected.skipped);
    let rejects: Vec<_> = head.rejects.iter().map(|reject| (reject.line as usize - 2, kind(&reject.reason))).collect();
    prop_assert_eq!(&rejects, &expected.rejects);
    prop_assert_eq!(head.groups, expected.groups.len() as u64);
    let mut total = Total::new(plan);
    groups(partial).iter().for_each(|group| total.add(group).unwrap());
    let mut found = Vec::new();
    let each = total.finish().unwrap().each(plan, |key, values| {
        found.push((key, values));
        Ok::<(), std::io::Error>(())
    });
    prop_assert!(each.is_ok());
    if case.group_by.is_empty() && expected.groups.is_empty() {
        return Ok(());
    }
    prop_assert_eq!(found.len(), expected.groups.len());
    for ((key, values), (expected_key, group)) in found.iter().zip(&expected.groups) {
        prop_assert_eq!(key, expected_key);
        prop_assert_eq!(values[0].and_then(|rows| rows.to_i64()), Some(group.rows as i64));
        let read = |at: usize| values[at].map(|value| Fraction::read(&value.to_string()).unwrap());
        prop_assert_eq!([read(1), read(2), read(3)], [group.sum, group.least, group.most]);
        let mean = group.sum.map(|sum| sum.to_f64() / group.count as f64);
        match (values[4].map(|mean| mean.to_f64()), mean) {
            (Some(found), Some(mean)) => prop_assert!((found - mean).abs() <= 1e-12 * mean.abs(), "{found} {mean}"),
            (found, mean) => prop_assert_eq!(found, mean),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_report_gives_what_the_model_gives(case in cases(), rows in prop::collection::vec(cells(), 0..30)) {
        let (plan, bytes) = (plan(&case.spec), file(&rows));
        let partial = partial(&plan, "a.csv", &bytes, 1).unwrap();
        compare(&case, &expected(&case, &rows), &partial, &plan)?;
    }

    #[test]
    fn neither_how_rows_are_divided_among_files_nor_the_memory_shows(
        case in cases(), rows in prop::collection::vec((cells(), 0..4_usize), 0..40), order in Just([0, 1, 2, 3]).prop_shuffle(),
        (memory, least) in (0..2_000_u64, 0..1_000_usize),
    ) {
        let plan = plan(&case.spec);
        let file_of = || Ok(Box::new(std::io::Cursor::new(Vec::new())) as _);
        let small = plan.clone().within(Room::new(Arc::new(Budget::new(memory)), file_of).with_least(least));
        let all: Vec<_> = rows.iter().map(|(cells, _)| cells.clone()).collect();
        let mut whole = Total::new(&plan);
        let whole_partial = plan.aggregate(open(&file(&all)), 2, go_on).unwrap();
        groups(&whole_partial).iter().for_each(|group| whole.add(group).unwrap());
        let (mut total, mut counted) = (Total::new(&small), [0; 3]);
        for part in order {
            let some: Vec<_> = rows.iter().filter(|(_, at)| *at == part).map(|(cells, _)| cells.clone()).collect();
            let partial = small.aggregate(open(&file(&some)), 1, go_on).unwrap();
            groups(&partial).iter().for_each(|group| total.add(group).unwrap());
            let head = partial.head();
            for (sum, count) in counted.iter_mut().zip([head.rows, head.passed_over, head.rejected]) {
                *sum += count;
            }
        }
        let head = whole_partial.head();
        prop_assert_eq!(counted, [head.rows, head.passed_over, head.rejected]);
        prop_assert_eq!(self::rows(total, &small), self::rows(whole, &plan));
    }
}

/// Numbers of all kinds, including numbers whose sums do not fit in a double.
fn any_number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i32>().prop_map(|number| number.to_string()),
        any::<i128>().prop_map(|number| number.to_string()),
        (any::<i64>(), 0..25_usize).prop_map(|(number, zeros)| format!("{number}.{}1", "0".repeat(zeros))),
        any::<f64>()
            .prop_filter("in range", |value| (1e-200..1e200).contains(&value.abs()))
            .prop_map(|value| format!("{value:e}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn neither_the_order_of_numbers_nor_their_way_through_files_shows(
        numbers in prop::collection::vec((any_number(), 0..3_usize), 1..30).prop_shuffle()
    ) {
        let plan = plan(&report(&[], &["sum(n)", "min(n)", "max(n)", "mean(n)", "sum(n / 3)", "max(n / 7)"]));
        let total_of = |parts: &[Vec<&str>]| {
            let mut total = Total::new(&plan);
            for part in parts {
                let file = format!("n,x\n{}", part.iter().map(|number| format!("{number},\n")).collect::<String>());
                let partial = plan.aggregate(open(file.as_bytes()), 1, go_on).unwrap();
                assert_eq!(partial.head().rejected, 0);
                groups(&partial).iter().for_each(|group| total.add(group).unwrap());
            }
            rows(total, &plan)
        };
        let mut sorted: Vec<&str> = numbers.iter().map(|(number, _)| number.as_str()).collect();
        sorted.sort_unstable();
        let part = |at| numbers.iter().filter(|(_, part)| *part == at).map(|(number, _)| number.as_str()).collect();
        prop_assert_eq!(total_of(&[part(2), part(0), part(1)]), total_of(&[sorted]));
    }
}
