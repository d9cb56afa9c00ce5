//! The only `now`.

use crate::values::Timestamp;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A wall clock with a monotonic one beside it, so that a jump is noticed.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    wall_at_start: i64,
    fixed: bool,
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock {
    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clocks")]
    pub fn new() -> Self {
        Self { started: Instant::now(), wall_at_start: wall_millis(), fixed: false }
    }

    /// A clock that stands still; for tests.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clocks")]
    pub fn fixed(at: Timestamp) -> Self {
        Self { started: Instant::now(), wall_at_start: at.millis(), fixed: true }
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        let millis = if self.fixed { self.wall_at_start } else { wall_millis() };
        Timestamp::from_millis(millis).expect("the machine's clock lies within the years 0 to 9999")
    }

    /// Time since the clock was made, which no setting of the wall clock changes.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// By how many seconds the wall clock has moved against the monotonic one since the clock was made.
    pub fn jump_seconds(&self) -> i64 {
        let expected = self.wall_at_start + i64::try_from(self.elapsed().as_millis()).unwrap_or(i64::MAX);
        if self.fixed { 0 } else { (wall_millis() - expected) / 1000 }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clocks")]
fn wall_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
