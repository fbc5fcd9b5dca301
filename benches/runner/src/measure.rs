//! Paired measurements: yardstick and product in turn, since a machine's speed varies over time.

/// Medians of a series of pairs.
#[derive(Debug, Clone, Copy)]
pub struct Paired {
    pub yardstick: f64,
    pub product: f64,
    /// The median of the ratios, not the ratio of the medians.
    pub ratio: f64,
}

/// Measures so many times, the yardstick first each time.
pub async fn paired(
    pairs: usize,
    yardstick: impl AsyncFn() -> Result<f64, String>,
    product: impl AsyncFn() -> Result<f64, String>,
) -> Result<Paired, String> {
    let (mut yardsticks, mut products, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for pair in 0..pairs {
        let (y, p) = (yardstick().await?, product().await?);
        eprintln!("  pair {}: yardstick {y:.0}, product {p:.0}, ratio {:.3}", pair + 1, p / y);
        yardsticks.push(y);
        products.push(p);
        ratios.push(p / y);
    }
    Ok(Paired { yardstick: median(&mut yardsticks), product: median(&mut products), ratio: median(&mut ratios) })
}

/// The middle of some figures; of an even number of them the mean of the two in the middle.
pub fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => figures[n / 2],
        n => f64::midpoint(figures[n / 2 - 1], figures[n / 2]),
    }
}

/// The value that 99 of 100 do not exceed.
pub fn p99(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    let place = (figures.len() * 99).div_ceil(100).saturating_sub(1);
    figures.get(place).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_percentiles() {
        assert!((median(&mut [3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&mut [4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < f64::EPSILON);
        let mut hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((p99(&mut hundred) - 99.0).abs() < f64::EPSILON);
    }
}
