//! Lines as the `d` of a path.

use std::fmt::Write;

use super::WIDTH;

/// The place from left to right of the `at`-th of all steps from 0 to `last`.
pub(crate) fn x_of(at: i64, last: i64) -> f64 {
    match last {
        ..=0 => WIDTH / 2.0,
        last => WIDTH * at as f64 / last as f64,
    }
}

/// Draws a line through points; it is broken where there is none. A point without neighbours is a dot if its ends are round.
pub(crate) fn path(points: impl IntoIterator<Item = Option<(f64, f64)>>) -> String {
    let mut path = String::new();
    let mut points = points.into_iter().peekable();
    let mut is_begun = false;
    while let Some(point) = points.next() {
        let Some((x, y)) = point else {
            is_begun = false;
            continue;
        };
        let command = if is_begun { 'L' } else { 'M' };
        // A text takes every write.
        let _ = write!(path, "{command}{x:.1} {y:.1}");
        if !is_begun && points.peek().is_none_or(Option::is_none) {
            path.push_str("h0");
        }
        is_begun = true;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_where_there_is_no_point() {
        let check = |points: &[Option<(f64, f64)>], expect: &str| assert_eq!(path(points.iter().copied()), expect);
        check(&[], "");
        check(&[None], "");
        check(&[Some((0.0, 1.0)), Some((2.25, 3.0))], "M0.0 1.0L2.2 3.0");
        check(&[Some((0.0, 0.0))], "M0.0 0.0h0");
        let points = [None, Some((1.0, 1.0)), None, Some((3.0, 1.0)), Some((4.0, 2.0)), None, Some((6.0, 1.0))];
        check(&points, "M1.0 1.0h0M3.0 1.0L4.0 2.0M6.0 1.0h0");
    }

    #[test]
    fn points_stand_evenly() {
        assert_eq!([0, 1, 4].map(|at| x_of(at, 4)), [0.0, WIDTH / 4.0, WIDTH]);
        assert_eq!(x_of(0, 0), WIDTH / 2.0);
    }
}
