//! Positions of a line.

use std::fmt;

/// Half-open range of positions, `from < to`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First position.
    pub from: u64,
    /// One past the last position.
    pub to: u64,
}

impl Span {
    /// `[from, to)`; `None` when empty or turned round.
    pub fn new(from: u64, to: u64) -> Option<Self> {
        (from < to).then_some(Self { from, to })
    }

    /// Count of positions, at least 1.
    pub const fn length(self) -> u64 {
        self.to - self.from
    }

    /// What both have in common.
    pub fn overlap(self, other: Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.to.min(other.to))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.to)
    }
}
