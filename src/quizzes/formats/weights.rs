//! Percentages of GIFT and Moodle as right and wrong: a bank has no partly right answers.

/// Percentages are rounded in files: 33.33333 thrice is the whole.
const ROUNDING: f64 = 0.5;

/// What an option is worth, in percent.
pub(super) type Weight = f64;

/// Which options are right; none when the weights give part of the points to some of them.
pub(super) fn right_options(weights: &[Weight], single: bool) -> Option<Vec<bool>> {
    let positive: Vec<Weight> = weights.iter().copied().filter(|weight| *weight > 0.0).collect();
    let whole = |sum: f64| (sum - 100.0).abs() <= ROUNDING;
    let clear = if single {
        // A wrong option with part of the points is no wrong option.
        positive.iter().all(|weight| whole(*weight))
    } else {
        let even = positive.iter().all(|weight| (weight - positive[0]).abs() <= ROUNDING);
        positive.is_empty() || (even && whole(positive.iter().sum()))
    };
    clear.then(|| weights.iter().map(|weight| *weight > 0.0).collect())
}

/// The share of one of several right options, as both formats write it.
pub(super) fn share(right: usize) -> String {
    let share = format!("{:.5}", 100.0 / right.max(1) as f64);
    share.trim_end_matches('0').trim_end_matches('.').to_owned()
}
