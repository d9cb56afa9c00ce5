//! Figures of a measurement. Times are whole nanoseconds and rates whole numbers; a ratio is a whole number of thousandths.

use std::time::Duration;

/// Least, median and greatest of the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Least.
    pub min: u64,
    /// Median.
    pub median: u64,
    /// Greatest.
    pub max: u64,
}

/// One line of the bench.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// What is counted.
    pub unit: &'static str,
    /// This program.
    pub ours: Spread,
    /// What it is compared with.
    pub ceiling: Spread,
    /// Median of the ratios, round by round, in thousandths.
    pub ratio_thousandths: u64,
}

/// Rows done in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many.
    pub count: u64,
    /// In how long.
    pub time: Duration,
}

impl Pace {
    fn per_second(self) -> u64 {
        let nanos = self.time.as_nanos().max(1);
        u64::try_from(u128::from(self.count) * 1_000_000_000 / nanos).unwrap_or(u64::MAX)
    }

    fn nanos_each(self) -> u64 {
        u64::try_from(self.time.as_nanos() / u128::from(self.count.max(1))).unwrap_or(u64::MAX)
    }
}

impl Figure {
    /// Rates: more is better, ratio = ours ÷ ceiling.
    pub fn rates(name: &'static str, unit: &'static str, ours: &[Pace], ceiling: &[Pace]) -> Self {
        Self::new(name, unit, &each(ours, Pace::per_second), &each(ceiling, Pace::per_second))
    }

    /// Times in nanoseconds, shown in the unit: less is better, ratio = ours ÷ ceiling.
    pub fn times(name: &'static str, unit: &'static str, ours: &[Pace], ceiling: &[Pace]) -> Self {
        Self::new(name, unit, &each(ours, Pace::nanos_each), &each(ceiling, Pace::nanos_each))
    }

    fn new(name: &'static str, unit: &'static str, ours: &[u64], ceiling: &[u64]) -> Self {
        let ratio = |(ours, ceiling): (&u64, &u64)| ours.saturating_mul(1000) / (*ceiling).max(1);
        let ratios: Vec<u64> = ours.iter().zip(ceiling).map(ratio).collect();
        Self { name, unit, ours: spread(ours), ceiling: spread(ceiling), ratio_thousandths: spread(&ratios).median }
    }
}

fn each(paces: &[Pace], of: fn(Pace) -> u64) -> Vec<u64> {
    paces.iter().map(|pace| of(*pace)).collect()
}

fn spread(values: &[u64]) -> Spread {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = |place: usize| sorted.get(place).copied().unwrap_or(0);
    Spread { min: at(0), median: at(sorted.len() / 2), max: at(sorted.len().saturating_sub(1)) }
}
