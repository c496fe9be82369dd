//! Groups of all threads, in memory and in files, beside a map of whole parts.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{prelude::*, sample::select};
use tributary_budget::Budget;
use tributary_protocol::{MetricSpec, ReportSpec};

use super::*;

#[test]
fn keys_sort_by_their_bytes_whatever_their_begin() {
    let mut keys: Vec<Vec<u8>> = ["", "a", "a\0", "a\0b", "aaaaaaaa", "aaaaaaaab", "aaaaaaaa\0", "b", "\u{ff}"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec();
    let order = sorted(0..keys.len() as u32, |index| &keys[index as usize]);
    let found: Vec<_> = order.into_iter().map(|index| keys[index as usize].clone()).collect();
    keys.sort_unstable();
    assert_eq!(found, keys);
}

#[test]
fn the_keys_of_all_groups_are_bounded() {
    let metrics = vec![MetricSpec { name: "s".into(), expression: "sum(x)".into() }];
    let spec = ReportSpec { group_by: vec!["g".into()], metrics, ..ReportSpec::default() };
    let mut groups = Groups::new(&ReportPlan::compile(&spec).unwrap());
    let mut add =
        |number: usize| groups.merge(&[&[number as u8][..], &[b'x'; (1 << 20) - 1]].concat(), (1, &[]), false).is_ok();
    assert!((0..MAX_KEY_BYTES >> 20).all(&mut add));
    assert!(!add(200));
    assert!(add(0), "a group that is there goes on");
}

/// Numbers of all forms: short ones of several scales, long ones, and doubles.
fn numbers() -> impl Strategy<Value = Option<Number>> {
    let decimal = |mantissa, scale| Number::Decimal { mantissa, scale };
    prop_oneof![
        1 => Just(None),
        6 => (-99_i128..99, select(vec![0, 0, 0, 2, 20])).prop_map(move |(mantissa, scale)| Some(decimal(mantissa, scale))),
        2 => select(vec![i64::MAX.into(), i64::MIN.into(), i128::MAX, 1 << 100, -1])
            .prop_map(move |mantissa| Some(decimal(mantissa, 0))),
        1 => select(vec![0.1, -1e300, 1e-300, 3.5]).prop_map(|value| Some(Number::Float(value))),
    ]
}

/// A row: its thread, its key, its values, and whether the groups of its thread are moved afterwards.
type Row = (usize, Vec<u8>, Vec<Option<Number>>, bool);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let key = prop_oneof![
        4 => prop::collection::vec(select(vec![0_u8, 1, b'a', 255]), 0..4),
        1 => any::<u16>().prop_map(|number| format!("group {number}").into_bytes()),
        1 => Just(vec![b'x'; 70_000]),
    ];
    let row = (0..3_usize, key, prop::collection::vec(numbers(), 2), prop::bool::weighted(0.1));
    prop::collection::vec(row, 0..100)
}

fn text(part: &Part) -> String {
    match part {
        Part::Sum(sum) => sum.to_string(),
        Part::Least(number) | Part::Greatest(number) => format!("{number:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// A map of whole parts, to which one row is added after the other.
    #[test]
    fn groups_of_all_threads_are_those_of_a_map(rows in rows(), room in prop::option::of(0..20_000_u64)) {
        let metric = |expression: &str| MetricSpec { name: expression.into(), expression: expression.into() };
        let metrics = ["sum(x)", "min(x)", "max(y)", "sum(y)"].map(metric).to_vec();
        let spec = ReportSpec { group_by: vec!["g".into()], metrics, ..ReportSpec::default() };
        let plan = ReportPlan::compile(&spec).unwrap();
        let total_plan = plan.clone();
        let file = || Ok(Box::new(io::Cursor::new(Vec::new())) as _);
        let plan = match room {
            Some(bytes) => plan.within(Room::new(Arc::new(Budget::new(bytes)), file).with_least(4 << 10)),
            None => plan,
        };
        let all = Parted::new(&plan);
        let mut threads: Vec<_> = (0..3).map(|_| (all.own(), Batch::default())).collect();
        let mut total = Groups::new(&total_plan);
        let mut expect: BTreeMap<Vec<u8>, (u64, Vec<Part>)> = BTreeMap::new();
        for (thread, key, values, is_moved) in &rows {
            let (own, batch) = &mut threads[*thread];
            batch.push_text(key, true);
            values.iter().for_each(|value| batch.push_value(*value));
            if batch.end_row() || *is_moved {
                own.add(&plan, batch).unwrap();
            }
            if *is_moved {
                (0..own.len()).for_each(|index| total.merge_other(own, index, false).unwrap());
                all.take(own).unwrap();
            }
            let parts = || plan.parts.iter().map(|part| Part::new(part.kind)).collect();
            let (count, parts) = expect.entry(key.clone()).or_insert_with(|| (0, parts()));
            *count += 1;
            for (part, PartSpec { formula, .. }) in parts.iter_mut().zip(&plan.parts) {
                values[*formula].into_iter().for_each(|value| part.add(value));
            }
        }
        for (own, batch) in &mut threads {
            own.add(&plan, batch).unwrap();
            (0..own.len()).for_each(|index| total.merge_other(own, index, false).unwrap());
            all.take(own).unwrap();
        }
        let expect: Vec<_> = expect.iter().map(|(key, (rows, parts))| (&key[..], *rows, parts)).collect();
        let shown = |groups: &Groups, index: usize| {
            let (rows, parts) = groups.at(index);
            (groups.key(index).to_vec(), rows, parts)
        };
        let mut found = Vec::new();
        let groups = all.finish(&mut || true).unwrap();
        groups.each(|key, rows, parts| {
            found.push((key.to_vec(), rows, parts.to_vec()));
            Ok::<(), io::Error>(())
        }).unwrap();
        prop_assert_eq!(groups.len(), found.len());
        let all: Vec<u32> = sorted(0..total.len() as u32, |index| total.key(index as usize));
        for found in [found, all.into_iter().map(|index| shown(&total, index as usize)).collect()] {
            prop_assert_eq!(found.len(), expect.len());
            for ((key, rows, parts), (expect_key, expect_rows, expect)) in found.iter().zip(&expect) {
                prop_assert_eq!((&key[..], rows), (*expect_key, expect_rows));
                for (part, expect) in parts.iter().zip(*expect) {
                    match (part, expect) {
                        // The doubles of a sum may be cut in other ways.
                        (Part::Sum(one), Part::Sum(other)) => {
                            prop_assert_eq!((one.count(), one.value()), (other.count(), other.value()));
                        }
                        (Part::Least(one) | Part::Greatest(one), Part::Least(other) | Part::Greatest(other)) => {
                            prop_assert_eq!(one, other);
                        }
                        _ => prop_assert!(false, "{} is no {}", text(part), text(expect)),
                    }
                }
            }
        }
    }
}
