//! How often an address, or a token, may try.

use super::held;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

/// So many are remembered at most; beyond, windows that are over are forgotten, and then all.
const KEYS_MAX: usize = 100_000;

/// Counts tries by whom, in windows of a fixed length.
#[derive(Debug)]
pub struct Limiter<K> {
    most: u32,
    window: Duration,
    seen: Mutex<BTreeMap<K, (Duration, u32)>>,
}

impl<K: Ord> Limiter<K> {
    /// At most so many tries in a window.
    pub const fn new(most: u32, window: Duration) -> Self {
        Self { most, window, seen: Mutex::new(BTreeMap::new()) }
    }

    /// Counts a try at `now`; how long to wait where there were too many.
    pub fn try_at(&self, who: K, now: Duration) -> Result<(), Duration> {
        let mut seen = held(&self.seen);
        if seen.len() >= KEYS_MAX {
            seen.retain(|_, (since, _)| now < *since + self.window);
            if seen.len() >= KEYS_MAX {
                seen.clear();
            }
        }
        let (since, count) = seen.entry(who).or_insert((now, 0));
        if now >= *since + self.window {
            (*since, *count) = (now, 0);
        }
        if *count >= self.most {
            return Err(*since + self.window - now);
        }
        *count += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn tries_are_counted_by_address_and_window() {
        let limiter = Limiter::new(2, Duration::from_secs(60));
        let (one, two) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let at = Duration::from_secs;
        assert_eq!(limiter.try_at(one, at(0)), Ok(()));
        assert_eq!(limiter.try_at(one, at(10)), Ok(()));
        assert_eq!(limiter.try_at(one, at(20)), Err(at(40)));
        assert_eq!(limiter.try_at(two, at(20)), Ok(()));
        assert_eq!(limiter.try_at(one, at(60)), Ok(()));
    }
}
