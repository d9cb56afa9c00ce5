//! What a file itself states, against what was read.

use super::reject::unit_zh;
use crate::values::amount::format_minor;
use crate::values::{Day, Unit};
use std::fmt;

/// One figure that the file states, against what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// What is compared.
    pub what: ControlKind,
    /// The line that states it, or the first line it is drawn from.
    pub line: u64,
    /// As stated, in minor units (or a plain count); `None` where the figure is only derived, such as an opening balance.
    pub stated: Option<i64>,
    /// As read.
    pub found: i64,
    /// The unit; `None` for counts.
    pub unit: Option<Unit>,
    /// The part of the difference that the balances beside rejected rows account for.
    pub in_rejected: i64,
    /// Whether the two agree.
    pub agrees: bool,
}

/// What a control compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ControlKind {
    /// Number of rows.
    RowCount,
    /// Number of gifts.
    GiftCount,
    /// Sum of gifts.
    GiftTotal,
    /// Number of rows with money in.
    IncomeCount,
    /// Sum of rows with money in.
    IncomeTotal,
    /// Number of rows with money out.
    ExpenseCount,
    /// Sum of rows with money out.
    ExpenseTotal,
    /// Number of rows that the channel does not count.
    NeutralCount,
    /// Sum of rows that the channel does not count.
    NeutralTotal,
    /// The balance before the first row.
    OpeningBalance,
    /// The balance at the end of a day.
    DayBalance(Day),
    /// The balance after the last row, from the opening balance and all rows.
    ClosingBalance,
    /// A balance that does not follow from the row before.
    BalanceBreak,
    /// A notice states what came in on a day and lists only the large gifts: these may not exceed it.
    ListedOfDayTotal,
    /// The same for the number of gifts.
    ListedOfDayCount,
}

impl Control {
    pub(super) fn amount(what: ControlKind, line: u64, stated: i64, found: i64, unit: Unit) -> Self {
        Self { what, line, stated: Some(stated), found, unit: Some(unit), in_rejected: 0, agrees: stated == found }
    }

    pub(super) fn count(what: ControlKind, line: u64, stated: i64, found: u64) -> Self {
        let found = i64::try_from(found).unwrap_or(i64::MAX);
        Self { what, line, stated: Some(stated), found, unit: None, in_rejected: 0, agrees: stated == found }
    }

    pub(super) fn derived(what: ControlKind, line: u64, found: i64, unit: Unit) -> Self {
        Self { what, line, stated: None, found, unit: Some(unit), in_rejected: 0, agrees: true }
    }

    /// What is listed may be less than what is stated, not more.
    pub(super) fn at_most(self) -> Self {
        Self { agrees: self.stated.is_none_or(|stated| self.found <= stated), ..self }
    }

    /// What is stated less what was read; 0 where nothing is stated.
    pub fn difference(&self) -> i64 {
        self.stated.map_or(0, |stated| stated.saturating_sub(self.found))
    }

    fn figure(&self, n: i64) -> String {
        self.unit.map_or_else(|| n.to_string(), |unit| format!("{} {unit}", format_minor(n, unit)))
    }

    fn figure_zh(&self, n: i64) -> String {
        self.unit.map_or_else(|| n.to_string(), |unit| format!("{} {}", format_minor(n, unit), unit_zh(&unit)))
    }

    /// One sentence in Chinese.
    pub fn zh(&self) -> String {
        let what = self.what.zh();
        let found = self.figure_zh(self.found);
        let Some(stated) = self.stated else { return format!("{what}：由流水推得 {found}。") };
        let stated = self.figure_zh(stated);
        if self.agrees {
            return format!("{what}：第 {} 行写 {stated}，读得 {found}，相符。", self.line);
        }
        let rejected = match self.in_rejected {
            0 => String::new(),
            n => format!("其中 {} 是退回各行旁的余额所显示的。", self.figure_zh(n)),
        };
        let difference = self.figure_zh(self.difference());
        format!("{what}：第 {} 行写 {stated}，读得 {found}，相差 {difference}。{rejected}", self.line)
    }
}

impl ControlKind {
    /// The name in Chinese.
    pub fn zh(self) -> String {
        match self {
            Self::RowCount => "笔数".into(),
            Self::GiftCount => "捐赠笔数".into(),
            Self::GiftTotal => "捐赠合计".into(),
            Self::IncomeCount => "收入笔数".into(),
            Self::IncomeTotal => "收入合计".into(),
            Self::ExpenseCount => "支出笔数".into(),
            Self::ExpenseTotal => "支出合计".into(),
            Self::NeutralCount => "不计收支笔数".into(),
            Self::NeutralTotal => "不计收支合计".into(),
            Self::OpeningBalance => "期初余额".into(),
            Self::DayBalance(day) => format!("{day} 日终余额"),
            Self::ClosingBalance => "期末余额".into(),
            Self::BalanceBreak => "余额不连续".into(),
            Self::ListedOfDayTotal => "公示的当日总额（所列只是大额）".into(),
            Self::ListedOfDayCount => "公示的当日人次（所列只是大额）".into(),
        }
    }
}

impl fmt::Display for ControlKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RowCount => f.write_str("rows"),
            Self::GiftCount => f.write_str("gifts, number"),
            Self::GiftTotal => f.write_str("gifts, total"),
            Self::IncomeCount => f.write_str("money in, rows"),
            Self::IncomeTotal => f.write_str("money in, total"),
            Self::ExpenseCount => f.write_str("money out, rows"),
            Self::ExpenseTotal => f.write_str("money out, total"),
            Self::NeutralCount => f.write_str("not counted, rows"),
            Self::NeutralTotal => f.write_str("not counted, total"),
            Self::OpeningBalance => f.write_str("opening balance"),
            Self::DayBalance(day) => write!(f, "balance at the end of {day}"),
            Self::ClosingBalance => f.write_str("closing balance"),
            Self::BalanceBreak => f.write_str("balance that does not follow"),
            Self::ListedOfDayTotal => f.write_str("total of the day (only large gifts are listed)"),
            Self::ListedOfDayCount => f.write_str("gifts of the day (only large gifts are listed)"),
        }
    }
}

impl fmt::Display for Control {
    /// One sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.figure(self.found);
        let Some(stated) = self.stated else { return write!(f, "{}: {found}, derived from the rows.", self.what) };
        let stated = self.figure(stated);
        write!(f, "{}: line {} states {stated}, the rows give {found}", self.what, self.line)?;
        if self.agrees {
            return write!(f, "; they agree.");
        }
        write!(f, "; the difference is {}.", self.figure(self.difference()))?;
        match self.in_rejected {
            0 => Ok(()),
            n => write!(f, " Of it, {} is shown by the balances beside rejected rows.", self.figure(n)),
        }
    }
}

/// Something the operator should know before posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The rows state no day: this one was given with the command.
    DayGiven(Day),
    /// The rows state no day: this one is in the title.
    DayFromTitle(Day),
    /// The rows state no day: this one is in the file name.
    DayFromFileName(Day),
    /// The rows state no day and the list covers several: its last one was taken.
    LastDayOfRange {
        /// The first day of the list.
        first: Day,
        /// The last day, which was taken.
        last: Day,
    },
    /// The list covers all days up to now or has no ids: a gift that stands in two such files is counted twice, and only a person can tell.
    MayOverlap,
}

impl Notice {
    /// In Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::DayGiven(day) => format!("清单里没有日期，按您给的 {day} 记。"),
            Self::DayFromTitle(day) => format!("各行没有日期，按标题里的 {day} 记。"),
            Self::DayFromFileName(day) => format!("清单里没有日期，按文件名里的 {day} 记。"),
            Self::LastDayOfRange { first, last } => {
                format!("清单涵盖 {first} 至 {last}，各行没有日期，都记在最后一天。要改用别的日期，请用 --on。")
            }
            Self::MayOverlap => {
                "这份清单没有单号：同一笔捐款若也在另一份清单里，会记两次。请先确认几份清单不重叠。".into()
            }
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DayGiven(day) => write!(f, "The list states no day; {day} was given."),
            Self::DayFromTitle(day) => write!(f, "The rows state no day; the title says {day}."),
            Self::DayFromFileName(day) => write!(f, "The list states no day; the file name says {day}."),
            Self::LastDayOfRange { first, last } => {
                write!(
                    f,
                    "The list covers {first} to {last} and its rows state no day; all are dated {last}. Use --on for another day."
                )
            }
            Self::MayOverlap => write!(
                f,
                "The list has no order numbers: a gift that stands in another list too would be counted twice. Make sure that the lists do not overlap."
            ),
        }
    }
}
