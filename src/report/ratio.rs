//! Shares, rates and averages: integers with a named rounding.

/// Basis points by largest remainder, so that the column adds to 10,000. `None` where the total is not positive or a part is negative.
///
/// | parts                                | basis points           |
/// |--------------------------------------|------------------------|
/// | 6173450, 3000000, 1826550, 2200000   | 4677, 2273, 1384, 1666 |
/// | 1, 1, 1                              | 3334, 3333, 3333       |
/// | 0, 0                                 | none                   |
pub fn shares_bp(parts: &[i64]) -> Option<Vec<i64>> {
    let total: i128 = parts.iter().map(|part| i128::from(*part)).sum();
    if total <= 0 || parts.iter().any(|part| *part < 0) {
        return None;
    }
    let scaled = |part: &i64| i128::from(*part) * 10_000;
    let mut shares: Vec<i64> = Vec::with_capacity(parts.len());
    for part in parts {
        shares.push(i64::try_from(scaled(part) / total).expect("a part is at most the total"));
    }
    let mut by_remainder: Vec<usize> = (0..parts.len()).collect();
    by_remainder.sort_by_key(|place| std::cmp::Reverse(parts.get(*place).map(|part| scaled(part) % total)));
    let missing = usize::try_from(10_000 - shares.iter().sum::<i64>()).expect("floors never exceed the whole");
    for place in by_remainder.into_iter().take(missing) {
        if let Some(share) = shares.get_mut(place) {
            *share += 1;
        }
    }
    Some(shares)
}

/// `part` of `whole` in basis points, rounded down; `None` where the whole is 0 or less.
pub fn rate_bp(part: i64, whole: i64) -> Option<i64> {
    (whole > 0).then(|| i64::try_from((i128::from(part) * 10_000).div_euclid(i128::from(whole))).ok()).flatten()
}

/// `sum / count`, half to even; `None` for no count.
pub fn average_half_even(sum: i64, count: u64) -> Option<i64> {
    if count == 0 {
        return None;
    }
    let (sum, count) = (i128::from(sum), i128::from(count));
    let (whole, twice) = (sum.div_euclid(count), sum.rem_euclid(count) * 2);
    let up = twice > count || (twice == count && whole.rem_euclid(2) == 1);
    i64::try_from(whole + i128::from(up)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_to_the_whole() {
        assert_eq!(shares_bp(&[6_173_450, 3_000_000, 1_826_550, 2_200_000]), Some(vec![4677, 2273, 1384, 1666]));
        assert_eq!(shares_bp(&[8_836_000, 300_000, 1_234_560, 648_000]), Some(vec![8019, 272, 1121, 588]));
        assert_eq!(shares_bp(&[1, 1, 1]), Some(vec![3334, 3333, 3333]));
        assert_eq!(shares_bp(&[5]), Some(vec![10_000]));
        assert_eq!((shares_bp(&[]), shares_bp(&[0, 0]), shares_bp(&[5, -1])), (None, None, None));
    }

    #[test]
    fn rates_round_down_and_averages_half_to_even() {
        assert_eq!(rate_bp(11_018_560, 13_200_000), Some(8347));
        assert_eq!((rate_bp(-1, 3), rate_bp(1, 0)), (Some(-3334), None));
        assert_eq!(average_half_even(13_200_000, 1549), Some(8522));
        assert_eq!(
            (average_half_even(5, 2), average_half_even(7, 2), average_half_even(-5, 2)),
            (Some(2), Some(4), Some(-2))
        );
        assert_eq!(average_half_even(7, 0), None);
    }
}
