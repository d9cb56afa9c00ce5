//! A file that is being read: heading found, then row by row.

use super::cell::is_blank;
use super::control::{Control, Notice};
use super::error::ImportError;
use super::layout::{Headings, Layout, Raw, Tally};
use super::mapped::Mapped;
use super::reject::{RejectReason, Rejected};
use super::source::{Source, TextForm};
use super::{FormatName, Mapping, Options, Record, alipay, redcross, vietnam, wechat};
use crate::values::Unit;
use std::fmt;
use std::io::{Read, Seek};

/// A heading is looked for in so many rows that are not blank.
pub(super) const PREAMBLE_MAX: usize = 100;
/// The longest cell that is read; longer ones are handed back.
pub(super) const CELL_MAX: usize = 32 << 10;

/// A statement: an iterator over its records, in the order of the file.
///
/// Rows = gifts + refunds + others + rejected, exactly. After an `Err` there is nothing more to come.
///
/// ```
/// use mingzhang::exchange::import::{Options, Record, Statement};
/// use std::io::Cursor;
///
/// let file = "PageId,TNXDate,DocNo,Debit,Credit,Balance,TransactionDetails\n1,01/09/2024,5213.1,,50.000,,ung ho\n";
/// let mut statement = Statement::open(Cursor::new(file), Options::default())?;
/// let Some(Ok(Record::Gift(gift))) = statement.next() else { panic!("a gift") };
/// assert_eq!(gift.amount.to_string(), "50,000 VND");
/// # Ok::<(), mingzhang::exchange::import::ImportError>(())
/// ```
pub struct Statement {
    source: Source,
    layout: Box<dyn Layout>,
    headings: Vec<String>,
    preamble_lines: u64,
    notices: Vec<Notice>,
    /// A row that was read ahead, to tell formats with one heading apart.
    ahead: Option<Raw>,
    tally: Tally,
    ended: bool,
}

/// What stands around the rows and may state a day or a total.
pub(super) struct Setting<'a> {
    pub(super) preamble: &'a [Raw],
    pub(super) options: &'a Options,
}

/// A format that was recognised.
pub(super) struct Recognised {
    pub(super) layout: Box<dyn Layout>,
    pub(super) notices: Vec<Notice>,
}

impl<L: Layout + 'static> From<L> for Recognised {
    fn from(layout: L) -> Self {
        Self { layout: Box::new(layout), notices: Vec::new() }
    }
}

impl Statement {
    /// Finds out what the file is, up to its heading. Reads no row of data, except one where two formats share a heading.
    pub fn open(input: impl Read + Seek + Send + 'static, options: Options) -> Result<Self, ImportError> {
        let form = options.mapping.as_ref().map_or_else(TextForm::default, Mapping::text_form);
        let mut source = Source::open(input, form)?;
        if let Some(mapping) = options.mapping.clone() {
            let (layout, headings, preamble_lines, ahead) = Mapped::open(mapping, &mut source)?;
            return Ok(Self {
                source,
                layout: Box::new(layout),
                headings,
                preamble_lines,
                notices: Vec::new(),
                ahead,
                tally: Tally::default(),
                ended: false,
            });
        }
        let mut seen_any = false;
        loop {
            let mut preamble: Vec<Raw> = Vec::new();
            while preamble.len() < PREAMBLE_MAX {
                let mut raw = Raw::default();
                if !source.next(&mut raw)? {
                    break;
                }
                seen_any = true;
                let headings = Headings::of(&raw);
                let mut ahead = None;
                let found = recognise(&headings, &Setting { preamble: &preamble, options: &options }, || {
                    let mut next = Raw::default();
                    if source.next(&mut next)? {
                        ahead = Some(next);
                    }
                    Ok(ahead.clone())
                })?;
                if let Some(Recognised { layout, notices }) = found {
                    return Ok(Self {
                        source,
                        layout,
                        headings: headings.shown,
                        preamble_lines: headings.line - 1,
                        notices,
                        ahead,
                        tally: Tally::default(),
                        ended: false,
                    });
                }
                preamble.push(raw);
            }
            if !source.next_sheet() {
                break;
            }
        }
        Err(match options.format {
            _ if !seen_any => ImportError::Empty,
            Some(format) => ImportError::FormatDiffers { format, lines: u64::try_from(PREAMBLE_MAX).unwrap_or(0) },
            None => ImportError::NotRecognised,
        })
    }

    /// What it was recognised as.
    pub fn format(&self) -> FormatName {
        self.layout.profile().format
    }

    /// The unit of all its amounts.
    pub fn unit(&self) -> Unit {
        self.layout.profile().unit
    }

    /// The account that it is a statement of, as `bank/vietcombank` or `wallet/wechat`; follows the grammar of account names.
    pub fn account(&self) -> &str {
        &self.layout.profile().account
    }

    /// The channel of its gifts: `wechat`, `alipay`, `unionpay`, `bank`, `platform`.
    pub fn source(&self) -> &str {
        &self.layout.profile().source
    }

    /// IANA name of the zone of its days and times.
    pub fn time_zone(&self) -> &str {
        &self.layout.profile().time_zone
    }

    /// Lines before the heading.
    pub const fn preamble_lines(&self) -> u64 {
        self.preamble_lines
    }

    /// The headings as written, for handing rows back under them.
    pub fn headings(&self) -> &[String] {
        &self.headings
    }

    /// What the operator should know before posting.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// What the file itself states, against what was read. Complete after the last record.
    pub fn controls(&self) -> Vec<Control> {
        self.layout.controls(&self.tally)
    }

    /// The first rule that the cells break, whatever the format.
    fn misshapen(&self, raw: &Raw) -> Option<(usize, RejectReason)> {
        for (column, cell) in raw.row.cells.iter().enumerate() {
            if cell.len() > CELL_MAX {
                return Some((column, RejectReason::CellTooLong { size_bytes: cell.len(), max_bytes: CELL_MAX }));
            }
            if let Some(control) = control_in(cell) {
                return Some((column, RejectReason::ControlCharacter { code: control.into() }));
            }
        }
        let expected = self.headings.len();
        let found = raw.row.cells.len();
        let beyond = raw.row.cells.iter().skip(expected + self.layout.spare_columns()).any(|cell| !is_blank(cell));
        let too_few = found < expected && !self.source.is_sheet();
        (beyond || too_few).then_some((usize::MAX, RejectReason::ColumnCount { expected, found }))
    }

    fn record(&mut self, mut raw: Raw) -> Record {
        self.tally.rows += 1;
        raw.row.number = self.tally.rows;
        let read = match self.misshapen(&raw) {
            Some(refused) => Err(refused),
            None => {
                let read = self.layout.read(&mut raw);
                if read.is_err() {
                    self.layout.handed_back(&raw);
                }
                read
            }
        };
        match read {
            Ok(record) => {
                match &record {
                    Record::Gift(gift) => self.tally.gifts.add(gift.amount.minor()),
                    Record::Refund(refund) => self.tally.refunds.add(refund.amount.minor()),
                    Record::Other(_) | Record::Rejected(_) => {}
                }
                record
            }
            Err((column, reason)) => {
                let field = self.headings.get(column).cloned().unwrap_or_default();
                Record::Rejected(Rejected { row: raw.take(), field, reason })
            }
        }
    }
}

impl Iterator for Statement {
    type Item = Result<Record, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        let width = self.headings.len();
        while !self.ended {
            let mut raw = match self.ahead.take() {
                Some(raw) => raw,
                None => {
                    let mut raw = Raw::default();
                    raw.row.cells.reserve(width + 1);
                    match self.source.next(&mut raw) {
                        Ok(true) => raw,
                        Ok(false) => break,
                        Err(error) => {
                            self.ended = true;
                            return Some(Err(error));
                        }
                    }
                }
            };
            // A sheet has no cells behind the last filled one.
            if self.source.is_sheet() && raw.row.cells.len() < width {
                raw.row.cells.resize(width, String::new());
            }
            if !self.layout.aside(&raw) {
                return Some(Ok(self.record(raw)));
            }
        }
        self.ended = true;
        None
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement").field("format", &self.format()).field("line", &self.source.line()).finish()
    }
}

/// The first control character that no honest cell holds.
fn control_in(cell: &str) -> Option<char> {
    // Nearly every cell is cleared by its bytes alone: C0 and DEL are one byte, C1 (U+0080 to U+009F) begins with 0xC2.
    let suspect = |b: u8| (b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r')) || b == 0x7F || b == 0xC2;
    if !cell.bytes().any(suspect) {
        return None;
    }
    cell.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// The layout for a heading, if it is one. Lists of goods are refused here, before a list of donors could claim them.
fn recognise(
    headings: &Headings,
    setting: &Setting<'_>,
    first_row: impl FnOnce() -> Result<Option<Raw>, ImportError>,
) -> Result<Option<Recognised>, ImportError> {
    let Some(format) = claimed(headings, setting)? else { return Ok(None) };
    let format = match setting.options.format {
        Some(named @ (FormatName::Agribank | FormatName::Vietinbank)) if format == FormatName::Agribank => named,
        Some(named) if named != format => return Ok(None),
        None if format == FormatName::Agribank => vietnam::told_apart(headings, first_row()?)?,
        Some(_) | None => format,
    };
    Ok(Some(match format {
        FormatName::Wechat => wechat::Personal::new(headings, setting)?.into(),
        FormatName::WechatMerchant => wechat::Merchant::new(headings)?.into(),
        FormatName::Alipay => alipay::Personal::new(headings, setting)?.into(),
        FormatName::AlipayMerchant => alipay::Merchant::new(headings)?.into(),
        FormatName::Vietcombank => vietnam::Vietcombank::new(headings)?.into(),
        FormatName::Agribank => vietnam::Agribank::new(headings)?.into(),
        FormatName::Vietinbank => vietnam::Vietinbank::new(headings)?.into(),
        FormatName::HubeiRedcross => redcross::hubei(headings)?,
        FormatName::WuhanQrpos => redcross::Qrpos::new(headings)?.into(),
        FormatName::WuhanList => redcross::list(headings, setting)?,
        FormatName::Mapping => return Ok(None),
    }))
}

/// Which format a heading belongs to. The two banks with one heading answer as Agribank.
fn claimed(headings: &Headings, setting: &Setting<'_>) -> Result<Option<FormatName>, ImportError> {
    if let Some(column) = redcross::goods_column(headings) {
        return Err(ImportError::GoodsTable { line: headings.line, column });
    }
    let claims = [
        (FormatName::Wechat, wechat::PERSONAL),
        (FormatName::WechatMerchant, wechat::MERCHANT),
        (FormatName::Alipay, alipay::PERSONAL),
        (FormatName::AlipayMerchant, alipay::MERCHANT),
        (FormatName::Vietcombank, vietnam::VIETCOMBANK),
        (FormatName::Agribank, vietnam::AGRIBANK),
        (FormatName::HubeiRedcross, redcross::HUBEI),
    ];
    let by_columns = claims.into_iter().find(|(_, marks)| headings.has_all(marks)).map(|(format, _)| format);
    Ok(by_columns.or_else(|| {
        if redcross::is_qrpos(headings) {
            Some(FormatName::WuhanQrpos)
        } else if redcross::is_list(headings, setting) {
            Some(FormatName::WuhanList)
        } else {
            None
        }
    }))
}
