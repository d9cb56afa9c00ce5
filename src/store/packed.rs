//! Many rows handed over as one value. A driver passes rows one by one, each column allocated, which costs more than the database's
//! own work; a full verification reads every row there is, so it asks for pages that the database has packed.
//!
//! A packed row is numbers in decimal, each followed by a space, and then raw bytes whose lengths are among the numbers.

use super::StoreError;
use super::rows::SpanNumbers;

/// Entries in order, each with its sealed record where there is one.
#[derive(Clone, Debug, Default)]
pub struct LogPage {
    entries: Vec<u8>,
    records: Vec<u8>,
}

/// An entry as it stands in a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRow<'p> {
    /// Place in the log.
    pub seq: i64,
    /// Leaf hash as stored.
    pub leaf: &'p [u8],
    /// The bytes.
    pub bytes: &'p [u8],
    /// The keyed hashes beside it: key, payload, reference, order.
    pub hashes: [i64; 4],
    /// The record behind its commitment.
    pub sealed: Option<SealedRow<'p>>,
}

/// A sealed record as it stands in a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedRow<'p> {
    /// Whose key sealed it.
    pub person: u64,
    /// Salt and record, sealed.
    pub sealed: &'p [u8],
    /// The person's key, wrapped with the vault's; empty where it is kept apart.
    pub wrapped: &'p [u8],
}

/// Posts as facts, in the order of their key.
#[derive(Clone, Debug, Default)]
pub struct SpanPage(Vec<u8>);

impl LogPage {
    pub(super) const fn new(entries: Vec<u8>, records: Vec<u8>) -> Self {
        Self { entries, records }
    }

    /// Whether there were no more rows.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Its rows, in order, up to the first that is damaged.
    pub fn rows(&self) -> impl Iterator<Item = Result<LogRow<'_>, StoreError>> {
        let (mut entries, mut records) = (Unpack(&self.entries), Unpack(&self.records));
        // The record that is read next, as far as it says whose it is.
        let mut next = None;
        let read = move || {
            let mut row = entries.entry().ok_or_else(|| damaged("entry"))?;
            loop {
                if next.is_none() && !records.0.is_empty() {
                    next = Some(records.number().ok_or_else(|| damaged("vault"))?);
                }
                let Some(seq) = next.filter(|seq| *seq <= row.seq) else { break };
                let record = records.record().ok_or_else(|| damaged("vault"))?;
                next = None;
                row.sealed = (seq == row.seq).then_some(record);
            }
            Ok((row, entries.0.is_empty()))
        };
        until_damaged(self.entries.is_empty(), read)
    }
}

impl SpanPage {
    pub(super) const fn new(packed: Vec<u8>) -> Self {
        Self(packed)
    }

    /// Whether there were no more rows.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its rows, in order, up to the first that is damaged.
    pub fn rows(&self) -> impl Iterator<Item = Result<SpanNumbers, StoreError>> {
        let mut rest = Unpack(&self.0);
        let read = move || rest.span().map(|row| (row, rest.0.is_empty())).ok_or_else(|| damaged("span"));
        until_damaged(self.is_empty(), read)
    }
}

/// Reads rows, each with whether it is the last; none where the page is empty, and none behind one that is damaged.
fn until_damaged<T>(
    is_empty: bool,
    mut read: impl FnMut() -> Result<(T, bool), StoreError>,
) -> impl Iterator<Item = Result<T, StoreError>> {
    let mut is_over = is_empty;
    std::iter::from_fn(move || {
        let row = (!is_over).then(&mut read)?;
        is_over = row.as_ref().map_or(true, |(_, is_last)| *is_last);
        Some(row.map(|(row, _)| row))
    })
}

fn damaged(table: &'static str) -> StoreError {
    StoreError::Damaged { table, what: "a column does not have its type, or a number is out of range".into() }
}

/// What of a page is not read yet.
struct Unpack<'p>(&'p [u8]);

impl<'p> Unpack<'p> {
    fn number(&mut self) -> Option<i64> {
        let (negative, digits) = match self.0.split_first()? {
            (b'-', rest) => (true, rest),
            _ => (false, self.0),
        };
        let mut number = 0_i64;
        for (place, &byte) in digits.iter().enumerate() {
            if byte == b' ' && place > 0 {
                self.0 = &digits[place + 1..];
                return Some(if negative { -number } else { number });
            }
            let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
            number = number.checked_mul(10)?.checked_add(i64::from(digit))?;
        }
        None
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn bytes(&mut self, length: usize) -> Option<&'p [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn entry(&mut self) -> Option<LogRow<'p>> {
        let (seq, leaf, bytes) = (self.number()?, self.length()?, self.length()?);
        let hashes = [self.number()?, self.number()?, self.number()?, self.number()?];
        Some(LogRow { seq, leaf: self.bytes(leaf)?, bytes: self.bytes(bytes)?, hashes, sealed: None })
    }

    /// What follows the number of the entry.
    fn record(&mut self) -> Option<SealedRow<'p>> {
        let person = u64::try_from(self.number()?).ok()?;
        let (sealed, wrapped) = (self.length()?, self.length()?);
        Some(SealedRow { person, sealed: self.bytes(sealed)?, wrapped: self.bytes(wrapped)? })
    }

    fn span(&mut self) -> Option<SpanNumbers> {
        let mut numbers = [0; 7];
        for number in &mut numbers {
            *number = self.number()?;
        }
        Some(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gives_its_rows_or_says_that_it_is_damaged() {
        let entries = b"7 2 3 0 -5 0 6 \x00 {\" 9 1 0 0 0 0 0 a".to_vec();
        let page = LogPage::new(entries.clone(), b"6 3 1 1 xy8 3 0 0 9 4 2 1  cd".to_vec());
        let rows: Vec<_> = page.rows().collect::<Result<_, _>>().expect("whole");
        let sealed = Some(SealedRow { person: 4, sealed: b" c", wrapped: b"d" });
        assert_eq!(
            rows,
            [
                LogRow { seq: 7, leaf: b"\x00 ", bytes: b"{\" ", hashes: [0, -5, 0, 6], sealed: None },
                LogRow { seq: 9, leaf: b"a", bytes: b"", hashes: [0; 4], sealed },
            ]
        );
        for (bad, whole) in
            [("x", 0), ("9 4 2 1 c", 1), ("9 ?4 0 0 ", 1), ("9 -1 0 0 ", 1), ("7 4 2 9 abc", 0), ("7  1 1 ab", 0)]
        {
            let page = LogPage::new(entries.clone(), bad.into());
            assert_eq!(page.rows().map(|row| row.is_ok()).collect::<Vec<_>>(), [true, false][1 - whole..], "{bad}");
        }
        let spans = SpanPage(b"0 1 5 7 0 9 -1 ".to_vec());
        assert_eq!(spans.rows().filter_map(Result::ok).collect::<Vec<_>>(), [[0, 1, 5, 7, 0, 9, -1]]);
        for bad in ["0", "0 ", "x ", "-", " ", "99999999999999999999 ", "'abc' 1 9 7 0 5 -1 ", "0 1 5.5 7 0 9 -1 "] {
            assert_eq!(SpanPage(bad.into()).rows().filter(Result::is_err).count(), 1, "{bad}");
            assert_eq!(LogPage::new(bad.into(), Vec::new()).rows().filter(Result::is_err).count(), 1, "{bad}");
        }
    }
}
