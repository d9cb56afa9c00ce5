//! What kind of file it is, by its first bytes, and its rows one by one.

use super::decode::Decoded;
use super::error::{FileKind, ImportError};
use super::layout::Raw;
use super::records::Records;
use super::workbook::{self, Sheet, UNPACKED_MAX};
use encoding_rs::Encoding;
use std::io::{Read, Seek, SeekFrom};

/// Rows of a file.
pub(super) enum Source {
    /// Delimited text, read as it comes.
    Text(Box<Records>),
    /// Sheets of a workbook, all in memory: the rows of the present one, and those after it.
    Sheets(std::vec::IntoIter<Raw>, std::vec::IntoIter<Sheet>),
}

/// How the text is to be read, where a mapping says so.
#[derive(Clone, Copy, Default)]
pub(super) struct TextForm {
    pub(super) encoding: Option<&'static Encoding>,
    pub(super) delimiter: Option<u8>,
}

impl Source {
    /// Looks at the first bytes and opens what they promise.
    pub(super) fn open(mut input: impl Read + Seek + Send + 'static, form: TextForm) -> Result<Self, ImportError> {
        let failed = |source| ImportError::Read { line: 1, source };
        let mut magic = Vec::new();
        input.by_ref().take(512).read_to_end(&mut magic).map_err(failed)?;
        input.seek(SeekFrom::Start(0)).map_err(failed)?;
        if magic.starts_with(b"PK\x03\x04") || magic.starts_with(b"PK\x05\x06") {
            let mut bytes = Vec::new();
            input.take(UNPACKED_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
            if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > UNPACKED_MAX {
                return Err(ImportError::UnpacksTooLarge { max_bytes: UNPACKED_MAX });
            }
            let mut sheets = workbook::sheets(bytes)?.into_iter();
            let first = sheets.next().map(|sheet| sheet.rows).unwrap_or_default();
            return Ok(Self::Sheets(first.into_iter(), sheets));
        }
        if let Some(kind) = not_read(&magic) {
            return Err(ImportError::KindNotRead(kind));
        }
        let gzip = magic.starts_with(&[0x1F, 0x8B]);
        let decoded = Decoded::open(Box::new(input), gzip, form.encoding)?;
        let mut records = Records::new(decoded, form.delimiter.unwrap_or(b','));
        if gzip && let Some(kind) = not_read(records.peek()?) {
            return Err(ImportError::KindNotRead(kind));
        }
        if form.delimiter.is_none() {
            let delimiter = delimiter(records.peek()?);
            records.set_delimiter(delimiter);
        }
        Ok(Self::Text(Box::new(records)))
    }

    /// The next row that is not blank; false at the end.
    pub(super) fn next(&mut self, raw: &mut Raw) -> Result<bool, ImportError> {
        loop {
            match self {
                Self::Text(records) => {
                    if !records.next(raw)? {
                        return Ok(false);
                    }
                }
                Self::Sheets(rows, _) => match rows.next() {
                    Some(row) => *raw = row,
                    None => return Ok(false),
                },
            }
            if !raw.is_blank() {
                return Ok(true);
            }
        }
    }

    /// Goes on with the next sheet; false where there is none.
    pub(super) fn next_sheet(&mut self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Sheets(rows, sheets) => match sheets.next() {
                Some(sheet) => {
                    *rows = sheet.rows.into_iter();
                    true
                }
                None => false,
            },
        }
    }

    /// True where rows are ragged by nature: a sheet has no cells behind the last filled one.
    pub(super) const fn is_sheet(&self) -> bool {
        matches!(self, Self::Sheets(..))
    }

    /// The line that would be read next.
    pub(super) const fn line(&self) -> u64 {
        match self {
            Self::Text(records) => records.line(),
            Self::Sheets(..) => 0,
        }
    }
}

/// The kind of a file that is not read, by its first bytes.
fn not_read(magic: &[u8]) -> Option<FileKind> {
    let text = magic.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(magic).trim_ascii_start();
    let begins = |marks: &[&[u8]]| marks.iter().any(|mark| text.starts_with(mark));
    if magic.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        Some(FileKind::OldExcel)
    } else if magic.starts_with(b"PK\x03\x04") {
        Some(FileKind::PackedWorkbook)
    } else if begins(&[b"%PDF"]) {
        Some(FileKind::Pdf)
    } else if begins(&[b"<?xml", b"<Document"]) {
        Some(FileKind::Xml)
    } else if begins(&[b"<"]) {
        Some(FileKind::WebPage)
    } else if begins(&[b"{1:", b":20:"]) {
        Some(FileKind::Mt940)
    } else if begins(&[b"Rar!", b"7z\xBC\xAF"]) {
        Some(FileKind::Archive)
    } else {
        None
    }
}

/// Comma, unless the first lines hold tabs or semicolons and no comma at all.
fn delimiter(text: &[u8]) -> u8 {
    let beginning = text.get(..text.len().min(16 << 10)).unwrap_or(text);
    let count = |wanted: u8| beginning.iter().filter(|b| **b == wanted).count();
    match (count(b','), count(b'\t'), count(b';')) {
        (0, 0, 0) | (1.., _, _) => b',',
        (0, tabs, semicolons) if tabs >= semicolons => b'\t',
        (0, ..) => b';',
    }
}
