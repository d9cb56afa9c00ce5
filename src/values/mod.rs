//! What everything is made of: amounts with their unit, positions, names, hashes, times and text.

pub mod amount;
pub mod hash;
pub mod id;
pub mod span;
pub mod text;
pub mod time;
pub mod unit;

pub use amount::{Amount, CashChange};
pub use hash::Hash;
pub use id::{AccountId, CampaignId, CaseId, FundId, LineName, Origin, StaffId};
pub use span::Span;
pub use time::{Day, Timestamp, Zone};
pub use unit::Unit;

/// Largest integer that an entry may hold: 2^53 − 1, so that every JSON reader sees the same number. RFC 8785 §3.2.2.3.
pub const INTEGER_MAX: i64 = 9_007_199_254_740_991;
