//! Many rows handed over as one value. A driver passes rows one by one, each column allocated, which costs more than the database's
//! own work; a full verification reads every row there is, so it asks for pages that the database has packed.
//!
//! A packed row is numbers in decimal, each followed by a space, and then raw bytes whose lengths are among the numbers.

use super::StoreError;
use super::rows::SpanNumbers;

/// Entries in order, each with its sealed record where there is one.
#[derive(Clone, Debug, Default)]
pub struct LogPage(Vec<u8>);

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
    pub(super) const fn new(packed: Vec<u8>) -> Self {
        Self(packed)
    }

    /// Whether there were no more rows.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = Result<LogRow<'_>, StoreError>> {
        let mut rest = Unpack(&self.0);
        std::iter::from_fn(move || (!rest.0.is_empty()).then(|| rest.entry().ok_or_else(|| damaged("entry"))))
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

    /// Its rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = Result<SpanNumbers, StoreError>> {
        let mut rest = Unpack(&self.0);
        std::iter::from_fn(move || (!rest.0.is_empty()).then(|| rest.span().ok_or_else(|| damaged("span"))))
    }
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
        let (person, sealed, wrapped) = (self.number()?, self.length()?, self.length()?);
        let (leaf, bytes) = (self.bytes(leaf)?, self.bytes(bytes)?);
        let (sealed, wrapped) = (self.bytes(sealed)?, self.bytes(wrapped)?);
        let sealed = u64::try_from(person).ok().map(|person| SealedRow { person, sealed, wrapped });
        Some(LogRow { seq, leaf, bytes, hashes, sealed })
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
        let page = LogPage(b"7 2 3 0 -5 0 6 -1 0 0 \x00 {\" 8 1 0 0 0 0 0 4 2 1 ab cd".to_vec());
        let rows: Vec<_> = page.rows().take(2).map(Result::ok).collect();
        assert_eq!(
            rows[0],
            Some(LogRow { seq: 7, leaf: b"\x00 ", bytes: b"{\" ", hashes: [0, -5, 0, 6], sealed: None })
        );
        let sealed = Some(SealedRow { person: 4, sealed: b" c", wrapped: b"d" });
        assert_eq!(rows[1].map(|row| (row.seq, row.leaf)), Some((8, b"a".as_slice())));
        assert_ne!(rows[1].and_then(|row| row.sealed), sealed);
        let spans = SpanPage(b"0 1 5 7 0 9 -1 ".to_vec());
        assert_eq!(spans.rows().filter_map(Result::ok).collect::<Vec<_>>(), [[0, 1, 5, 7, 0, 9, -1]]);
        for bad in ["0", "0 ", "x ", "-", " ", "99999999999999999999 ", "'abc' 1 9 7 0 5 -1 ", "0 1 5.5 7 0 9 -1 "] {
            assert!(SpanPage(bad.into()).rows().any(|row| row.is_err()), "{bad}");
            assert!(LogPage(bad.into()).rows().take(9).any(|row| row.is_err()), "{bad}");
        }
    }
}
