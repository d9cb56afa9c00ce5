//! A report as headings, paragraphs, tables and charts: what every output is made from.

use super::labels::{Labels, Language};
use crate::values::{Day, Hash, Timestamp, Unit, amount::format_minor};

/// One report in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its language.
    pub language: Language,
    /// Title.
    pub title: String,
    /// Below the title: what it is about.
    pub subtitle: String,
    /// Who reports.
    pub organisation: String,
    /// Number with version.
    pub number: String,
    /// The short code for reading over the phone.
    pub short_code: String,
    /// Hash of the report data.
    pub data_hash: Hash,
    /// The unit of every amount.
    pub unit: Unit,
    /// When the last entry was recorded; the date of the file.
    pub at: Timestamp,
    /// What it says, in order.
    pub blocks: Vec<Block>,
}

/// A part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading, level 1 or 2.
    Heading {
        /// 1 for a section.
        level: u8,
        /// With its number.
        text: String,
    },
    /// Running text.
    Paragraph(String),
    /// A remark, set smaller.
    Note(String),
    /// Names and values.
    Facts(Vec<Fact>),
    /// The figures that matter most, one a line.
    KeyFigures(Vec<KeyFigure>),
    /// A table.
    Table(Table),
    /// A chart of numbers that a table also has.
    Chart(Chart),
    /// How to check the report.
    Verification(Verification),
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A figure with a word on what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFigure {
    /// What it is.
    pub name: String,
    /// What it is made of.
    pub detail: String,
    /// The amount.
    pub amount: i64,
}

/// Rows under columns. Every row has a cell for each column.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<Cell>>,
    /// The last row, set bold.
    pub total: Option<Vec<Cell>>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its head.
    pub title: String,
    /// Where its cells stand.
    pub align: Align,
    /// Its part of the width that is left over; 0 for no more than it needs.
    pub weight: u16,
    /// What the last row of a page carries to the next one.
    pub carry: Carry,
}

/// Where text stands in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// At the start of the line.
    Start,
    /// At its end, as figures do.
    End,
}

/// What a column carries from page to page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carry {
    /// Nothing.
    Nothing,
    /// The sum so far.
    Sum,
    /// The last value, as for a balance.
    Last,
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Words.
    Text(String),
    /// Minor units of the document's unit.
    Amount(i64),
    /// A number of things.
    Count(u64),
    /// Basis points; printed as a percentage.
    Share(i64),
}

/// A chart: the shape and its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// How it is drawn.
    pub shape: ChartShape,
    /// What it shows.
    pub caption: String,
    /// The same in a sentence, for those who cannot see it.
    pub alternative: String,
}

/// How a chart is drawn, with its numbers in minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChartShape {
    /// A level that holds until the next day given, by day.
    StepLine(Vec<(Day, i64)>),
    /// One bar per name.
    Bars(Vec<(String, i64)>),
}

/// The verification block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// How to use it.
    pub how: String,
    /// Names and values.
    pub lines: Vec<Fact>,
    /// Text of the QR code: the verify page.
    pub address: String,
    /// Below the QR code.
    pub caption: String,
}

impl Document {
    /// The labels of its language.
    pub fn labels(&self) -> &'static Labels {
        self.language.labels()
    }

    /// A cell as text.
    pub fn cell_text(&self, cell: &Cell) -> String {
        match cell {
            Cell::Empty => String::new(),
            Cell::Text(text) => text.clone(),
            Cell::Amount(minor) => amount_text(*minor, self.unit),
            Cell::Count(count) => count_text(*count),
            Cell::Share(bp) => share_text(*bp),
        }
    }
}

impl Table {
    /// For each row, what the columns would carry after it; empty cells where they carry nothing. `None` where no column carries.
    pub fn carried(&self) -> Option<Vec<Vec<Cell>>> {
        if self.columns.iter().all(|column| column.carry == Carry::Nothing) {
            return None;
        }
        let mut carried = Vec::with_capacity(self.rows.len());
        let mut so_far = vec![Cell::Empty; self.columns.len()];
        for row in &self.rows {
            for ((column, cell), so_far) in self.columns.iter().zip(row).zip(&mut so_far) {
                match (column.carry, &*so_far, cell) {
                    (Carry::Nothing, _, _) => {}
                    (Carry::Sum, Cell::Amount(sum), Cell::Amount(more)) => {
                        *so_far = Cell::Amount(sum.saturating_add(*more))
                    }
                    (Carry::Sum, Cell::Count(sum), Cell::Count(more)) => {
                        *so_far = Cell::Count(sum.saturating_add(*more))
                    }
                    (Carry::Sum | Carry::Last, _, Cell::Amount(_) | Cell::Count(_)) => *so_far = cell.clone(),
                    (Carry::Sum | Carry::Last, _, Cell::Empty | Cell::Text(_) | Cell::Share(_)) => {}
                }
            }
            carried.push(so_far.clone());
        }
        Some(carried)
    }
}

/// An amount for people, with a real minus sign: `−1,000.00`.
pub fn amount_text(minor: i64, unit: Unit) -> String {
    match format_minor(minor, unit) {
        text if text.starts_with('-') => text.replacen('-', "−", 1),
        text => text,
    }
}

/// A count with thousands separators.
pub fn count_text(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + 6);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Basis points as a percentage with two decimals: `83.47%`.
pub fn share_text(bp: i64) -> String {
    let sign = if bp < 0 { "−" } else { "" };
    let bp = bp.unsigned_abs();
    format!("{sign}{}.{:02}%", bp / 100, bp % 100)
}

/// The first 80 bits of a hash as 16 characters of base32 (RFC 4648 §6) in groups of 4, for reading over the phone.
pub fn short_code(hash: Hash) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits = hash.0.iter().take(10).fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    let mut code = String::new();
    for place in (0..16).rev() {
        let five = usize::try_from(bits >> (place * 5) & 31).expect("below 32");
        code.push(ALPHABET.get(five).copied().map_or('A', char::from));
        if place % 4 == 0 && place > 0 {
            code.push(' ');
        }
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_for_people() {
        assert_eq!(amount_text(-100_000, Unit::CNY), "−1,000.00");
        assert_eq!(
            (count_text(1549), count_text(999), count_text(1_000_000)),
            ("1,549".into(), "999".into(), "1,000,000".into())
        );
        assert_eq!(
            (share_text(8347), share_text(10_000), share_text(-5)),
            ("83.47%".into(), "100.00%".into(), "−0.05%".into())
        );
    }

    #[test]
    fn a_short_code_is_base32_of_eighty_bits() {
        let mut bytes = [0; 32];
        bytes[..10].copy_from_slice(b"foobarfoob");
        assert_eq!(short_code(Hash(bytes)), "MZXW 6YTB OJTG 633C");
    }

    #[test]
    fn columns_carry_sums_and_last_values() {
        let column = |carry| Column { title: String::new(), align: Align::End, weight: 0, carry };
        let row = |amount, balance| vec![Cell::Text("x".into()), Cell::Amount(amount), Cell::Amount(balance)];
        let table = Table {
            columns: vec![column(Carry::Nothing), column(Carry::Sum), column(Carry::Last)],
            rows: vec![row(-5, 95), row(-10, 120)],
            ..Table::default()
        };
        let last = table.carried().expect("two columns carry").pop().expect("two rows");
        assert_eq!(last, [Cell::Empty, Cell::Amount(-15), Cell::Amount(120)]);
    }
}
