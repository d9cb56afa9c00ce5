//! Rows that are handed back, and the words for why.

use super::Row;
use crate::values::Unit;
use crate::values::amount::format_minor;
use std::fmt;

/// A row that could not be read: nothing of it was posted, nothing was guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The row as it was read.
    pub row: Row,
    /// Heading of the column that is at fault; empty where it is the row as a whole.
    pub field: String,
    /// The rule that it breaks.
    pub reason: RejectReason,
}

/// The rule that a rejected row breaks. Display is the middle of a sentence that begins with the line: "has no amount".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RejectReason {
    /// No amount in the row.
    AmountMissing {
        /// What the running balance shows between this row and the one before: minor units and unit.
        gap: Option<(i64, Unit)>,
    },
    /// The amount is not a number.
    AmountUnreadable {
        /// As written.
        text: String,
    },
    /// More decimals than the unit has.
    AmountTooFine {
        /// As written.
        text: String,
        /// The unit of the statement.
        unit: Unit,
        /// Its decimals.
        digits: u32,
    },
    /// More than a ledger can hold.
    AmountTooLarge {
        /// As written.
        text: String,
    },
    /// Zero or less where money was given.
    AmountNotPositive {
        /// As written.
        text: String,
    },
    /// Money in and money out in one row.
    AmountOnBothSides,
    /// The fee is not a number, or exceeds the amount.
    FeeUnreadable {
        /// As written.
        text: String,
    },
    /// No day in the row.
    DayMissing,
    /// A day that does not exist, or in another form.
    DayImpossible {
        /// As written.
        text: String,
    },
    /// A time that does not exist, or in another form.
    TimeImpossible {
        /// As written.
        text: String,
    },
    /// The channel's id is missing.
    ReferenceMissing,
    /// The channel's id has not the form it always has.
    ReferenceMalformed {
        /// As written.
        text: String,
    },
    /// Neither in nor out, as far as this format is known.
    DirectionUnknown {
        /// As written.
        text: String,
    },
    /// A status that this format is not known to have.
    StatusUnknown {
        /// As written.
        text: String,
    },
    /// More or fewer cells than the heading.
    ColumnCount {
        /// Columns of the heading.
        expected: usize,
        /// Cells in the row.
        found: usize,
    },
    /// A NUL or another control character.
    ControlCharacter {
        /// Its code point.
        code: u32,
    },
    /// A cell too long to be honest.
    CellTooLong {
        /// Its size in bytes.
        size_bytes: usize,
        /// The most that is read.
        max_bytes: usize,
    },
}

impl RejectReason {
    /// A stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AmountMissing { .. } => "amount_missing",
            Self::AmountUnreadable { .. } => "amount_unreadable",
            Self::AmountTooFine { .. } => "amount_too_fine",
            Self::AmountTooLarge { .. } => "amount_too_large",
            Self::AmountNotPositive { .. } => "amount_not_positive",
            Self::AmountOnBothSides => "amount_on_both_sides",
            Self::FeeUnreadable { .. } => "fee_unreadable",
            Self::DayMissing => "day_missing",
            Self::DayImpossible { .. } => "day_impossible",
            Self::TimeImpossible { .. } => "time_impossible",
            Self::ReferenceMissing => "reference_missing",
            Self::ReferenceMalformed { .. } => "reference_malformed",
            Self::DirectionUnknown { .. } => "direction_unknown",
            Self::StatusUnknown { .. } => "status_unknown",
            Self::ColumnCount { .. } => "column_count",
            Self::ControlCharacter { .. } => "control_character",
            Self::CellTooLong { .. } => "cell_too_long",
        }
    }

    /// The same in Chinese, to stand behind 「第 62 行」.
    pub fn zh(&self) -> String {
        match self {
            Self::AmountMissing { gap: None } => "没有金额".into(),
            Self::AmountMissing { gap: Some((minor, unit)) } => {
                format!("没有金额；余额显示差 {} {}", format_minor(*minor, *unit), unit_zh(unit))
            }
            Self::AmountUnreadable { text } => format!("的金额「{text}」读不出来"),
            Self::AmountTooFine { text, unit, digits } => {
                format!("的金额「{text}」小数位太多，{}最多 {digits} 位", unit_zh(unit))
            }
            Self::AmountTooLarge { text } => format!("的金额「{text}」超出账本能记的上限"),
            Self::AmountNotPositive { text } => format!("的金额「{text}」不大于零"),
            Self::AmountOnBothSides => "同时有收入和支出".into(),
            Self::FeeUnreadable { text } => format!("的手续费「{text}」读不出来，或超过金额"),
            Self::DayMissing => "没有日期".into(),
            Self::DayImpossible { text } => format!("的日期「{text}」不存在，或写法不同"),
            Self::TimeImpossible { text } => format!("的时间「{text}」不存在，或写法不同"),
            Self::ReferenceMissing => "没有单号".into(),
            Self::ReferenceMalformed { text } => format!("的单号「{text}」不是这种账单应有的样子"),
            Self::DirectionUnknown { text } => format!("的收支「{text}」不认识"),
            Self::StatusUnknown { text } => format!("的状态「{text}」不认识"),
            Self::ColumnCount { expected, found } => format!("有 {found} 格，表头有 {expected} 格"),
            Self::ControlCharacter { code } => format!("含有控制字符 U+{code:04X}"),
            Self::CellTooLong { size_bytes, max_bytes } => {
                format!("有一格长 {size_bytes} 字节，最多读 {max_bytes} 字节")
            }
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AmountMissing { gap: None } => write!(f, "has no amount"),
            Self::AmountMissing { gap: Some((minor, unit)) } => {
                write!(f, "has no amount; the balance shows a gap of {} {unit}", format_minor(*minor, *unit))
            }
            Self::AmountUnreadable { text } => write!(f, "has the amount “{text}”, which is not a number"),
            Self::AmountTooFine { text, unit, digits } => {
                write!(f, "has the amount “{text}”, with more decimals than {unit} has ({digits})")
            }
            Self::AmountTooLarge { text } => write!(f, "has the amount “{text}”, more than a ledger can hold"),
            Self::AmountNotPositive { text } => write!(f, "has the amount “{text}”, which is not above zero"),
            Self::AmountOnBothSides => write!(f, "has money in and money out at once"),
            Self::FeeUnreadable { text } => {
                write!(f, "has the fee “{text}”, which is not a number or exceeds the amount")
            }
            Self::DayMissing => write!(f, "has no day"),
            Self::DayImpossible { text } => {
                write!(f, "has the day “{text}”, which does not exist or is written in another way")
            }
            Self::TimeImpossible { text } => {
                write!(f, "has the time “{text}”, which does not exist or is written in another way")
            }
            Self::ReferenceMissing => write!(f, "has no order number"),
            Self::ReferenceMalformed { text } => {
                write!(f, "has the order number “{text}”, which is not in the form of this statement")
            }
            Self::DirectionUnknown { text } => write!(f, "says “{text}” for in or out, which is not known"),
            Self::StatusUnknown { text } => write!(f, "has the status “{text}”, which is not known"),
            Self::ColumnCount { expected, found } => {
                write!(f, "has {found} cells where the heading has {expected}")
            }
            Self::ControlCharacter { code } => write!(f, "holds the control character U+{code:04X}"),
            Self::CellTooLong { size_bytes, max_bytes } => {
                write!(f, "has a cell of {size_bytes} bytes, more than the {max_bytes} that are read")
            }
        }
    }
}

impl Rejected {
    /// What happened, where, and what to do, in Chinese.
    pub fn zh(&self) -> String {
        let field = if self.field.is_empty() { String::new() } else { format!("（{}）", self.field) };
        let place = if matches!(self.reason, RejectReason::AmountMissing { .. }) { String::new() } else { field };
        format!("第 {} 行{place}{}。请核对原始流水后单独补录。", self.row.line, self.reason.zh())
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.row.line;
        let reason = &self.reason;
        if self.field.is_empty() {
            write!(f, "Line {line} {reason}. Check the original statement and record it by hand.")
        } else {
            write!(f, "Line {line} ({}) {reason}. Check the original statement and record it by hand.", self.field)
        }
    }
}

/// The unit as a person says it in Chinese.
pub(super) fn unit_zh(unit: &Unit) -> &str {
    match unit.as_str() {
        "CNY" => "元",
        "VND" => "越南盾",
        "USD" => "美元",
        "EUR" => "欧元",
        "HKD" => "港元",
        "MOP" => "澳门元",
        "TWD" => "新台币",
        "JPY" => "日元",
        "GBP" => "英镑",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejected_row_says_what_happened_where_and_what_to_do() {
        let row = Row { number: 61, line: 62, cells: Vec::new() };
        let reason = RejectReason::AmountMissing { gap: Some((100_000, Unit::VND)) };
        let rejected = Rejected { row, field: "CreditAmount".into(), reason };
        assert_eq!(rejected.zh(), "第 62 行没有金额；余额显示差 100,000 越南盾。请核对原始流水后单独补录。");
        assert_eq!(
            rejected.to_string(),
            "Line 62 (CreditAmount) has no amount; the balance shows a gap of 100,000 VND. \
             Check the original statement and record it by hand."
        );
    }
}
