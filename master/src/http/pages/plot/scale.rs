//! The scale of values: round ends, and evenly spaced ticks between them.

use super::HEIGHT;

/// Values beyond it are drawn as it, so that nothing overflows.
const FARTHEST: f64 = 1e300;
/// Most steps between ticks.
const MAX_STEPS: f64 = 5.0;

/// A scale from bottom to top, whose ends are ticks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    step: f64,
    steps: u32,
}

impl Scale {
    /// The scale for these values; with `has_zero`, zero is on it. Without any value it goes from 0 to 1.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>, has_zero: bool) -> Self {
        let values = values.into_iter().filter(|value| value.is_finite()).chain(has_zero.then_some(0.0));
        let values = values.map(|value| value.clamp(-FARTHEST, FARTHEST));
        let bounds = values.fold(None, |bounds: Option<(f64, f64)>, value| {
            let (low, high) = bounds.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        });
        let (low, high) = match bounds.unwrap_or((0.0, 1.0)) {
            // A flat line lies in the middle, or on zero.
            (0.0, 0.0) => (0.0, 1.0),
            (low, high) if low == high => (low - low.abs() / 2.0, high + high.abs() / 2.0),
            bounds => bounds,
        };
        let step = round_step(((high - low) / MAX_STEPS).max(f64::MIN_POSITIVE));
        let first = (low / step).floor();
        // At most a few, since a step is at least a fifth of the whole.
        let steps = ((high / step).ceil() - first).clamp(1.0, 2.0 * MAX_STEPS) as u32;
        Self { low: first * step, step, steps }
    }

    /// The ticks, from the lowest to the highest.
    pub(crate) fn ticks(self) -> Vec<f64> {
        // Counted in steps, so that no error adds up; a zero has no sign.
        (0..=self.steps).map(|tick| (self.low / self.step + f64::from(tick)).round() * self.step + 0.0).collect()
    }

    /// The places behind the point that tell its ticks apart.
    pub(crate) fn places(self) -> usize {
        (-self.step.log10()).ceil().clamp(0.0, 20.0) as usize
    }

    /// The height at which a value is drawn; 0 is the top.
    pub(crate) fn y_of(self, value: f64) -> f64 {
        let share = (value - self.low) / self.step / f64::from(self.steps);
        HEIGHT * (1.0 - share.clamp(0.0, 1.0))
    }
}

/// The least of 1, 2, 5, 10, 20, … and their parts that is not below `size`.
fn round_step(size: f64) -> f64 {
    let power = 10.0_f64.powf(size.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    // A rounding error must not make a step larger than it has to be.
    steps.into_iter().find(|step| *step >= size * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        let check = |values: &[f64], has_zero, expect: &[f64]| {
            let scale = Scale::of(values.iter().copied(), has_zero);
            let ticks = scale.ticks();
            assert_eq!(ticks.len(), expect.len(), "{values:?} {ticks:?}");
            let is_near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-9 * b.abs().max(1e-300);
            assert!(ticks.iter().zip(expect).all(is_near), "{values:?} {ticks:?}");
        };
        check(&[3.0, 97.0], true, &[0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        check(&[100.0, 102.0], false, &[100.0, 100.5, 101.0, 101.5, 102.0]);
        check(&[-7.0, 12.0], true, &[-10.0, -5.0, 0.0, 5.0, 10.0, 15.0]);
        check(&[0.03], true, &[0.0, 0.01, 0.02, 0.03]);
        check(&[5.0, 5.0], false, &[2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        check(&[0.0], true, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        check(&[], false, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        check(&[f64::NAN, f64::INFINITY, 4.0], true, &[0.0, 1.0, 2.0, 3.0, 4.0]);
    }

    #[test]
    fn any_values_have_a_scale_with_a_few_ticks_that_holds_them() {
        let sizes = [1e-300, 1e-9, 0.1, 1.0, 3.7, 1e9, 1e300, f64::MAX];
        for low in sizes.iter().flat_map(|size| [-size, 0.0, *size]) {
            for high in sizes.iter().flat_map(|size| [-size, *size]).filter(|high| *high >= low) {
                let scale = Scale::of([low, high], false);
                let ticks = scale.ticks();
                assert!((2..=12).contains(&ticks.len()), "{low} {high} {ticks:?}");
                assert!(ticks.windows(2).all(|pair| pair[0] <= pair[1]), "{low} {high} {ticks:?}");
                let ys = [low, high].map(|value| scale.y_of(value));
                assert!(ys.iter().all(|y| (0.0..=HEIGHT).contains(y)) && ys[1] <= ys[0], "{low} {high} {ys:?}");
            }
        }
    }

    #[test]
    fn heights_go_from_the_bottom_to_the_top() {
        let scale = Scale::of([0.0, 50.0, 100.0], true);
        assert_eq!([0.0, 50.0, 100.0, 200.0].map(|value| scale.y_of(value)), [HEIGHT, HEIGHT / 2.0, 0.0, 0.0]);
        assert_eq!([Scale::of([0.03], true), scale].map(Scale::places), [2, 0]);
    }
}
