//! Rows that an import hands back, as a CSV that a person repairs: line, reason, column, then the cells as they were read.

use super::csv::safe_cell;
use crate::exchange::import::{Rejected, Row};
use std::io::Write;

/// Writes rows that are handed back: UTF-8 with a byte order mark, so that spreadsheets on Chinese systems read it.
pub struct RejectedCsv<W: Write> {
    csv: csv::Writer<W>,
}

impl<W: Write> RejectedCsv<W> {
    /// Writes the heading; `headings` are those of the file that was read.
    pub fn new(mut out: W, headings: &[String]) -> std::io::Result<Self> {
        out.write_all("\u{feff}".as_bytes())?;
        let mut csv = csv::WriterBuilder::new().flexible(true).terminator(csv::Terminator::CRLF).from_writer(out);
        let own = ["行 line", "原因", "reason", "栏目 column"];
        let headings = headings.iter().map(|heading| safe_cell(heading));
        let cells = own.into_iter().map(std::borrow::Cow::Borrowed).chain(headings);
        csv.write_record(cells.map(|cell| cell.into_owned().into_bytes()))?;
        Ok(Self { csv })
    }

    /// A row that could not be read.
    pub fn rejected(&mut self, rejected: &Rejected) -> std::io::Result<()> {
        self.row(&rejected.row, &rejected.zh(), &rejected.to_string(), &rejected.field)
    }

    /// A row that is handed back for another reason, such as a refund whose gift is not in the ledger.
    pub fn row(&mut self, row: &Row, zh: &str, en: &str, field: &str) -> std::io::Result<()> {
        let line = row.line.to_string();
        let own = [line.as_str(), zh, en, field];
        let cells = own.into_iter().chain(row.cells.iter().map(String::as_str));
        self.csv.write_record(cells.map(|cell| safe_cell(cell).into_owned().into_bytes()))?;
        Ok(())
    }

    /// Everything is written when this returns; gives the output back.
    pub fn finish(self) -> std::io::Result<W> {
        self.csv.into_inner().map_err(|error| std::io::Error::other(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::import::RejectReason;

    #[test]
    fn rows_are_handed_back_with_their_reason_and_without_formulas() {
        let mut csv = RejectedCsv::new(Vec::new(), &["日期".into(), "金额".into()]).expect("in memory");
        let row = Row { number: 1, line: 7, cells: vec!["2026-03-05".into(), "=1+1".into()] };
        let reason = RejectReason::AmountUnreadable { text: "=1+1".into() };
        csv.rejected(&Rejected { row, field: "金额".into(), reason }).expect("in memory");
        let text = String::from_utf8(csv.finish().expect("in memory")).expect("UTF-8");
        assert_eq!(
            text,
            "\u{feff}行 line,原因,reason,栏目 column,日期,金额\r\n\
             7,第 7 行（金额）的金额「=1+1」读不出来。请核对原始流水后单独补录。,\
             \"Line 7 (金额) has the amount “=1+1”, which is not a number. Check the original statement and record it by hand.\",\
             金额,2026-03-05,'=1+1\r\n"
        );
    }
}
