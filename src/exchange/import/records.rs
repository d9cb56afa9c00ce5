//! UTF-8 text → records of cells. RFC 4180 and what real exports make of it: CRLF, LF or CR; quotes around a cell that may
//! hold line breaks and doubled quotes; anything between a closing quote and the next delimiter belongs to the cell.

use super::ImportError;
use super::decode::Decoded;
use super::layout::Raw;

/// The longest record that is read; it bounds the memory, whatever the file.
pub(super) const RECORD_MAX: usize = 1 << 20;

/// Records of one file, in order.
pub(super) struct Records {
    input: Decoded,
    delimiter: u8,
    buffer: Vec<u8>,
    /// Where the next record begins in the buffer.
    start: usize,
    /// Line of the next record, from 1.
    line: u64,
    input_ended: bool,
    /// The last record ended with CR: an LF that follows belongs to it.
    after_cr: bool,
    cells: Vec<Cell>,
}

/// Where a cell lies within its record, and whether it needs unquoting.
#[derive(Clone, Copy)]
struct Cell {
    from: usize,
    to: usize,
    quoted: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    CellStart,
    Plain,
    Quoted,
    /// Behind a quote inside a quoted cell: doubled, or closing.
    QuoteSeen,
}

impl Records {
    pub(super) fn new(input: Decoded, delimiter: u8) -> Self {
        Self {
            input,
            delimiter,
            buffer: Vec::new(),
            start: 0,
            line: 1,
            input_ended: false,
            after_cr: false,
            cells: Vec::new(),
        }
    }

    /// Lines that were begun so far.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// Another delimiter from here on; nothing may have been read yet that it would change.
    pub(super) const fn set_delimiter(&mut self, delimiter: u8) {
        self.delimiter = delimiter;
    }

    /// The first line that is in the buffer, for choosing a delimiter.
    pub(super) fn peek(&mut self) -> Result<&[u8], ImportError> {
        if self.buffer.is_empty() {
            self.fill(0)?;
        }
        Ok(self.buffer.get(self.start..).unwrap_or(&[]))
    }

    fn fill(&mut self, breaks: u64) -> Result<bool, ImportError> {
        if self.input_ended {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        let more = self.input.fill(&mut self.buffer, self.line.saturating_add(breaks));
        self.input_ended = !matches!(more, Ok(true));
        more
    }

    /// The next record, blank ones too; false at the end.
    pub(super) fn next(&mut self, raw: &mut Raw) -> Result<bool, ImportError> {
        if self.after_cr {
            if self.start == self.buffer.len() && !self.fill(0)? {
                return Ok(false);
            }
            self.after_cr = false;
            if self.buffer.get(self.start) == Some(&b'\n') {
                self.start += 1;
            }
        }
        self.cells.clear();
        let (mut state, mut at, mut from) = (State::CellStart, 0, 0);
        let (mut breaks, mut quote_line, mut quoted) = (0_u64, self.line, false);
        let length = loop {
            let Some(byte) = self.buffer.get(self.start + at).copied() else {
                if at > RECORD_MAX {
                    return Err(match state {
                        State::Quoted => ImportError::QuoteNotClosed { line: quote_line },
                        State::CellStart | State::Plain | State::QuoteSeen => {
                            ImportError::RowTooLong { line: self.line, max_bytes: RECORD_MAX }
                        }
                    });
                }
                if self.fill(breaks)? {
                    continue;
                }
                match state {
                    State::Quoted => return Err(ImportError::QuoteNotClosed { line: quote_line }),
                    State::CellStart if at == 0 => return Ok(false),
                    State::CellStart | State::Plain | State::QuoteSeen => break at,
                }
            };
            match state {
                State::Quoted => {
                    if byte == b'"' {
                        state = State::QuoteSeen;
                    } else if byte == b'\n' {
                        breaks += 1;
                    }
                }
                State::CellStart if byte == b'"' => {
                    state = State::Quoted;
                    quoted = true;
                    quote_line = self.line.saturating_add(breaks);
                }
                State::QuoteSeen if byte == b'"' => state = State::Quoted,
                State::CellStart | State::Plain | State::QuoteSeen => {
                    if byte == self.delimiter {
                        self.cells.push(Cell { from, to: at, quoted });
                        (state, from, quoted) = (State::CellStart, at + 1, false);
                    } else if byte == b'\n' || byte == b'\r' {
                        self.after_cr = byte == b'\r';
                        break at;
                    } else {
                        state = State::Plain;
                    }
                }
            }
            at += 1;
        };
        if length > RECORD_MAX {
            return Err(ImportError::RowTooLong { line: self.line, max_bytes: RECORD_MAX });
        }
        self.cells.push(Cell { from, to: length, quoted });
        let record = self.buffer.get(self.start..self.start + length).expect("the record was scanned in the buffer");
        raw.numeric = 0;
        raw.row.line = self.line;
        raw.row.cells.clear();
        raw.row.cells.extend(self.cells.iter().map(|cell| {
            let bytes = record.get(cell.from..cell.to).expect("cells lie within their record");
            if cell.quoted { unquoted(bytes) } else { String::from_utf8_lossy(bytes).into_owned() }
        }));
        self.line = self.line.saturating_add(breaks).saturating_add(1);
        self.start = (self.start + length + 1).min(self.buffer.len());
        Ok(true)
    }
}

/// `"a ""b"" c"` → `a "b" c`; what follows the closing quote is kept.
fn unquoted(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().skip(1).peekable();
    let mut inside = true;
    while let Some(byte) = rest.next() {
        if inside && *byte == b'"' {
            if rest.peek() == Some(&&b'"') {
                rest.next();
                text.push(b'"');
            } else {
                inside = false;
            }
        } else {
            text.push(*byte);
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn check(text: &str, expected: &str) {
        let input = Decoded::open(Box::new(Cursor::new(text.as_bytes().to_vec())), false, None).expect("text");
        let mut records = Records::new(input, b',');
        let mut raw = Raw::default();
        let mut got = String::new();
        loop {
            match records.next(&mut raw) {
                Ok(true) => got.push_str(&format!("{}:{:?} ", raw.row.line, raw.row.cells)),
                Ok(false) => break,
                Err(error) => {
                    got.push_str(&error.to_string());
                    break;
                }
            }
        }
        assert_eq!(got.trim_end(), expected, "{text:?}");
    }

    #[test]
    fn records_keep_their_cells_and_their_line() {
        check("", "");
        check("a,b\nc,d", r#"1:["a", "b"] 2:["c", "d"]"#);
        check("a,b\r\nc,d\r\n", r#"1:["a", "b"] 2:["c", "d"]"#);
        check("a\rb\r\r\nc", r#"1:["a"] 2:["b"] 3:[""] 4:["c"]"#);
        check("\u{feff}a,\n\nb", r#"1:["a", ""] 2:[""] 3:["b"]"#);
        check("\"x\ny\",1\nz,2", r#"1:["x\ny", "1"] 3:["z", "2"]"#);
        check("\"a \"\"b\"\"\"\t,\"c\"d,e\"f", r#"1:["a \"b\"\t", "cd", "e\"f"]"#);
        check("\"\",\"\"\"\"", r#"1:["", "\""]"#);
        check(
            "a\n\"b\nc",
            r#"1:["a"] Line 2: a quotation mark opens here and is never closed. Close it, or export the file again."#,
        );
    }
}
