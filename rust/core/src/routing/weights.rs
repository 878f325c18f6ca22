//! Weights for a weighted draw.

/// Running sums of the weights, each taken as a share of the largest; `None` when no weight is above zero.
///
/// Weights are finite and not negative.
#[must_use]
pub fn cumulative(weights: &[f64]) -> Option<Vec<f64>> {
    let largest = weights.iter().copied().fold(0.0, f64::max);
    if largest <= 0.0 {
        return None;
    }
    let mut total = 0.0;
    let sums = weights.iter().map(|weight| {
        total += weight / largest;
        total
    });
    Some(sums.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_shares_of_the_largest_summed_up() {
        assert_eq!(Some(vec![0.5, 0.5, 1.5, 1.75]), cumulative(&[2.0, 0.0, 4.0, 1.0]));
    }

    #[test]
    fn no_weight_above_zero_is_no_weight() {
        assert_eq!(None, cumulative(&[0.0, 0.0]));
        assert_eq!(None, cumulative(&[]));
    }
}
