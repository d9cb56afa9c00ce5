//! Reports: rows → typed numbers → one document → many outputs. Pure: no clock, no chance, no queries; the same rows give the same bytes.

pub mod model;

pub mod document;

pub mod labels;

pub mod data;

pub mod ratio;

pub mod text;

pub mod pdf;

mod chart;
mod font;
mod layout;
mod wrap;

pub use document::Document;
pub use labels::Language;

use crate::rules::DeadlineError;
use crate::values::Day;

/// Why there is no report.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum ReportError {
    /// The closing balance of the report is not the running balance of the ledger.
    #[error("the report closes at {report} minor units, the ledger stands at {ledger}")]
    BalanceDiffers {
        /// Closing balance by the formula.
        report: i64,
        /// Running balance of the ledger.
        ledger: i64,
    },
    /// Receipts by source and by day do not add up to the same.
    #[error(
        "gifts by source come to {by_source} minor units in {gifts_by_source} gifts, by day to {by_day} in {gifts_by_day}"
    )]
    ReceiptsDiffer {
        /// Sum over the sources.
        by_source: i64,
        /// Gifts over the sources.
        gifts_by_source: u64,
        /// Sum over the days.
        by_day: i64,
        /// Gifts over the days.
        gifts_by_day: u64,
    },
    /// A line moves money the wrong way for its kind.
    #[error("line {seq} of kind {kind} has the amount {amount}, which has the wrong sign")]
    WrongSign {
        /// Number of the entry.
        seq: u64,
        /// Kind of the line.
        kind: &'static str,
        /// Signed amount.
        amount: i64,
    },
    /// A disbursement without a use, or a line of no disbursement with one.
    #[error("line {seq} of kind {kind} has no use, or one where none belongs")]
    UseMissing {
        /// Number of the entry.
        seq: u64,
        /// Kind of the line.
        kind: &'static str,
    },
    /// Days, lines or positions that are out of order.
    #[error("day {0} stands after a later one")]
    OutOfOrder(Day),
    /// Sums beyond what an amount can hold.
    #[error("a sum of the report is larger than an amount can be")]
    TooLarge,
    /// A rule gives no due day.
    #[error("a deadline of the report has no due day")]
    Deadline(#[from] DeadlineError),
    /// The fonts lack a character. It is never drawn as a box.
    #[error("the fonts of reports have no glyph for “{character}” (U+{:04X})", u32::from(*.character))]
    GlyphMissing {
        /// The character.
        character: char,
    },
    /// More text than a QR code holds.
    #[error("the address of the verification page is too long for a QR code")]
    QrTooLong,
    /// The PDF could not be written.
    #[error("the PDF could not be written: {0}")]
    Pdf(String),
}

/// The first character of a text that one of the faces of reports lacks.
pub fn missing_glyph(text: &str) -> Option<char> {
    let lacks = |c: &char| font::Face::ALL.iter().any(|face| face.font().glyph(*c).is_err());
    text.chars().find(lacks)
}
