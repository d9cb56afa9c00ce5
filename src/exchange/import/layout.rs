//! What the formats have in common: a heading that is found, columns by name, rows read one by one.

use super::cell::{folded, is_blank, positive, said, shown, signed, trimmed, without_float_tail};
use super::control::{Control, ControlKind};
use super::reject::RejectReason;
use super::{FormatName, ImportError, OtherKind, Record, Row};
use crate::values::amount::DecimalForm;
use crate::values::amount::parse_minor;
use crate::values::{Amount, Day, Unit};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What holds for all rows of a statement.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    pub(super) format: FormatName,
    pub(super) unit: Unit,
    pub(super) account: Cow<'static, str>,
    pub(super) source: Cow<'static, str>,
    pub(super) time_zone: Cow<'static, str>,
}

impl Profile {
    pub(super) const fn chinese(format: FormatName, account: &'static str, source: &'static str) -> Self {
        Self {
            format,
            unit: Unit::CNY,
            account: Cow::Borrowed(account),
            source: Cow::Borrowed(source),
            time_zone: Cow::Borrowed("Asia/Shanghai"),
        }
    }
}

/// A row that is being read.
#[derive(Clone, Debug, Default)]
pub(super) struct Raw {
    pub(super) row: Row,
    /// Bit n is set where cell n was a number in the sheet, not a text; only the first 64 cells.
    pub(super) numeric: u64,
}

impl Raw {
    /// The cell without padding; empty where there is none.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.row.cells.get(column).map_or("", |cell| trimmed(cell))
    }

    /// The same for a column that not every file has.
    pub(super) fn maybe(&self, column: Option<usize>) -> &str {
        column.map_or("", |column| self.cell(column))
    }

    pub(super) fn is_numeric(&self, column: usize) -> bool {
        u32::try_from(column).ok().and_then(|n| 1_u64.checked_shl(n)).is_some_and(|bit| self.numeric & bit != 0)
    }

    /// Signed minor units of a cell. A number of a sheet has a point whatever texts have, and may have a binary tail.
    pub(super) fn signed(&self, column: usize, unit: Unit, form: DecimalForm) -> Result<i64, Refused> {
        let text = self.cell(column);
        if self.is_numeric(column) {
            signed(&without_float_tail(text, unit.minor_digits()), unit, DecimalForm::POINT).in_column(column)
        } else {
            signed(text, unit, form).in_column(column)
        }
    }

    /// The same where only more than nothing makes sense.
    pub(super) fn positive(&self, column: usize, unit: Unit, form: DecimalForm) -> Result<Amount, Refused> {
        let minor = self.signed(column, unit, form)?;
        positive(minor, self.cell(column), unit).in_column(column)
    }

    /// The channel's own id: there, and not passed through a number, which keeps 15 digits and writes `4.2E+27`.
    pub(super) fn id(&self, column: usize) -> Result<&str, Refused> {
        let id = said(self.cell(column)).ok_or((column, RejectReason::ReferenceMissing))?;
        let exponent = id.split_once("E+").is_some_and(|(before, behind)| {
            let numeric = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            numeric(before) && numeric(behind)
        });
        if exponent || (self.is_numeric(column) && id.len() > 15) {
            return Err((column, RejectReason::ReferenceMalformed { text: shown(id) }));
        }
        Ok(id)
    }

    pub(super) fn is_blank(&self) -> bool {
        self.row.cells.iter().all(|cell| is_blank(cell))
    }

    /// The only cell that says something, where there is exactly one.
    pub(super) fn only_cell(&self) -> Option<usize> {
        let mut filled = self.row.cells.iter().enumerate().filter(|(_, cell)| !is_blank(cell));
        let (column, _) = filled.next()?;
        filled.next().is_none().then_some(column)
    }

    pub(super) fn take(&mut self) -> Row {
        std::mem::take(&mut self.row)
    }
}

/// What a row is, as its direction and its status say, before its day and its numbers are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gift,
    Refund,
    Other(OtherKind),
}

/// Why a row is handed back: the column at fault, and the rule.
pub(super) type Refused = (usize, RejectReason);

/// Names the column at fault.
pub(super) trait InColumn<T> {
    fn in_column(self, column: usize) -> Result<T, Refused>;
}

impl<T> InColumn<T> for Result<T, RejectReason> {
    fn in_column(self, column: usize) -> Result<T, Refused> {
        self.map_err(|reason| (column, reason))
    }
}

/// A format at work on one file.
pub(super) trait Layout: Send {
    /// What holds for all rows.
    fn profile(&self) -> &Profile;

    /// Columns behind the heading in which a total may stand.
    fn spare_columns(&self) -> usize {
        0
    }

    /// True for a total, a footer or a note: it is no row of data. What it states is kept for the controls.
    fn aside(&mut self, raw: &Raw) -> bool;

    /// Reads a row of data. Takes the cells out of `raw` only when nothing can fail any more.
    fn read(&mut self, raw: &mut Raw) -> Result<Record, Refused>;

    /// A row that is handed back: the balance beside it still says where the account stands.
    fn handed_back(&mut self, _: &Raw) {}

    /// What the file states, against what was read.
    fn controls(&self, tally: &Tally) -> Vec<Control>;
}

/// The heading of a table.
#[derive(Clone, Debug)]
pub(super) struct Headings {
    pub(super) shown: Vec<String>,
    folded: Vec<String>,
    pub(super) line: u64,
}

impl Headings {
    pub(super) fn of(raw: &Raw) -> Self {
        let mut shown: Vec<String> = raw.row.cells.iter().map(|cell| trimmed(cell).to_owned()).collect();
        while shown.last().is_some_and(String::is_empty) {
            shown.pop();
        }
        let folded = shown.iter().map(|heading| folded(heading)).collect();
        Self { shown, folded, line: raw.row.line }
    }

    /// For a table without headings: the columns are called by their numbers.
    pub(super) fn numbered(width: usize, line: u64) -> Self {
        let shown: Vec<String> = (1..=width).map(|number| number.to_string()).collect();
        Self { folded: shown.clone(), shown, line }
    }

    /// Columns up to the last one that has a heading.
    pub(super) fn width(&self) -> usize {
        self.shown.len()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.folded.iter().any(|heading| heading == name)
    }

    pub(super) fn has_all(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.has(name))
    }

    /// The one column whose folded heading fits; refuses two.
    pub(super) fn find(&self, fits: impl Fn(&str) -> bool) -> Result<Option<usize>, ImportError> {
        let mut found = self.folded.iter().enumerate().filter(|(_, heading)| fits(heading));
        let Some((column, _)) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            let column = self.shown.get(column).cloned().unwrap_or_default();
            return Err(ImportError::HeadingTwice { line: self.line, column });
        }
        Ok(Some(column))
    }

    pub(super) fn maybe(&self, name: &str) -> Result<Option<usize>, ImportError> {
        self.find(|heading| heading == name)
    }

    pub(super) fn need(&self, name: &str, format: FormatName) -> Result<usize, ImportError> {
        self.maybe(name)?.ok_or_else(|| ImportError::HeadingMissing { line: self.line, column: name.into(), format })
    }
}

/// What was read so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) gifts: Sum,
    pub(super) refunds: Sum,
}

/// A count and a sum in minor units; the sum stops at the ends of `i64`, far beyond any ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) count: u64,
    pub(super) minor: i64,
}

impl Sum {
    pub(super) fn add(&mut self, minor: i64) {
        self.count += 1;
        self.minor = self.minor.saturating_add(minor);
    }
}

/// A count and a sum as a file states them: `收入：1笔 28.50元`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stated {
    pub(super) line: u64,
    pub(super) count: Option<i64>,
    pub(super) minor: Option<i64>,
}

impl Stated {
    /// The two controls it gives.
    pub(super) fn controls(&self, what: (ControlKind, ControlKind), found: Sum, unit: Unit, into: &mut Vec<Control>) {
        if let Some(count) = self.count {
            into.push(Control::count(what.0, self.line, count, found.count));
        }
        if let Some(minor) = self.minor {
            into.push(Control::amount(what.1, self.line, minor, found.minor, unit));
        }
    }
}

/// The whole number before `unit` in a text: `共66笔记录` → 66.
pub(super) fn count_before(text: &str, unit: &str) -> Option<i64> {
    let (before, _) = text.split_once(unit)?;
    let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    before.get(before.len() - digits..)?.parse().ok()
}

/// The first amount behind `mark` in a text: `支出：63笔 16.54元` → 1654 behind `笔`. `万元` counts ten thousands.
pub(super) fn amount_behind(text: &str, mark: &str, unit: Unit) -> Option<i64> {
    let (_, behind) = text.split_once(mark)?;
    let behind = behind.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '-');
    let end = behind.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',' | '-')).unwrap_or(behind.len());
    let (number, rest) = behind.split_at(end);
    let number = if rest.starts_with('万') { format!("{number}万") } else { number.into() };
    parse_minor(&number, unit, DecimalForm::POINT).ok()
}

/// Tells equal rows of one file apart: the first is `…#1`, the second `…#2`.
///
/// Keeps 16 bytes of the SHA-256 of each, so that a million rows need some 30 MB however long their memos are.
#[derive(Default)]
pub(super) struct Composites(BTreeMap<[u8; 16], u32>);

impl Composites {
    pub(super) fn reference(&mut self, day: Day, minor: i64, document: &str, memo: &str) -> String {
        let mut text = format!("{day}|{minor}|{document}|{memo}");
        let digest = Sha256::digest(text.as_bytes());
        let mut key = [0; 16];
        key.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        let n = self.0.entry(key).and_modify(|n| *n = n.saturating_add(1)).or_insert(1);
        text.push('#');
        text.push_str(&n.to_string());
        text
    }
}

/// A balance that stands on every row: what it was before the first, and whether each follows from the one before.
#[derive(Clone, Debug, Default)]
pub(super) struct RunningBalance {
    opening: Option<(u64, i64)>,
    last: Option<(u64, i64)>,
    moved: i64,
    in_rejected: i64,
    breaks: Vec<(u64, i64, i64)>,
}

/// More broken places than these are not listed one by one.
const BREAKS_MAX: usize = 20;

impl RunningBalance {
    /// A row that was read: its change and the balance after it.
    pub(super) fn step(&mut self, line: u64, change: i64, balance: i64) {
        match self.last {
            None => self.opening = Some((line, balance.saturating_sub(change))),
            Some((_, last)) => {
                let expected = last.saturating_add(change);
                if expected != balance && self.breaks.len() < BREAKS_MAX {
                    self.breaks.push((line, balance, expected));
                }
            }
        }
        self.moved = self.moved.saturating_add(change);
        self.last = Some((line, balance));
    }

    /// A row without an amount: what its balance says that it was.
    pub(super) fn gap(&mut self, line: u64, balance: i64) -> Option<i64> {
        let gap = self.last.map(|(_, last)| balance.saturating_sub(last));
        if self.opening.is_none() {
            self.opening = Some((line, balance));
        }
        self.in_rejected = self.in_rejected.saturating_add(gap.unwrap_or(0));
        self.last = Some((line, balance));
        gap.filter(|gap| *gap != 0)
    }

    pub(super) fn controls(&self, unit: Unit, into: &mut Vec<Control>) {
        let (Some((first_line, opening)), Some((line, closing))) = (self.opening, self.last) else { return };
        into.push(Control::derived(ControlKind::OpeningBalance, first_line, opening, unit));
        for (line, stated, found) in &self.breaks {
            into.push(Control::amount(ControlKind::BalanceBreak, *line, *stated, *found, unit));
        }
        let found = opening.saturating_add(self.moved);
        let control = Control::amount(ControlKind::ClosingBalance, line, closing, found, unit);
        into.push(Control { in_rejected: self.in_rejected, ..control });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stated_figures_are_found_in_sentences() {
        assert_eq!(count_before("共66笔记录", "笔记录"), Some(66));
        assert_eq!(count_before("共笔记录", "笔记录"), None);
        assert_eq!(amount_behind("支出：63笔 16.54元", "笔", Unit::CNY), Some(1654));
        assert_eq!(amount_behind("收到社会捐款8,062.26万元，累计", "收到社会捐款", Unit::CNY), Some(8_062_260_000));
        assert_eq!(amount_behind("支出合计：2笔，共-1,000.00元", "共", Unit::CNY), Some(-100_000));
    }

    #[test]
    fn equal_rows_are_numbered() {
        let mut composites = Composites::default();
        let day = Day::parse("2024-09-10").expect("given");
        let mut next = |memo: &str| composites.reference(day, 50_000, "5213.1", memo);
        assert_eq!(next("a"), "2024-09-10|50000|5213.1|a#1");
        assert_eq!(next("b"), "2024-09-10|50000|5213.1|b#1");
        assert_eq!(next("a"), "2024-09-10|50000|5213.1|a#2");
    }
}
