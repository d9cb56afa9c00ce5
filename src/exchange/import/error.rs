//! Why a file as a whole could not be read.

use super::FormatName;
use super::mapping::MappingError;

/// A file was refused, or reading it stopped. Nothing after the place it names was read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No known heading.
    #[error(
        "The file was not recognised: no heading of a known format in its first lines. Known formats: {}. \
         Name one with --format, or describe the columns with --mapping.",
        FormatName::list()
    )]
    NotRecognised,
    /// The two Vietnamese banks share one heading and the first row fits neither.
    #[error(
        "Line {line}: the heading is that of agribank and of vietinbank, and the first row fits neither. \
         Say --format agribank or --format vietinbank."
    )]
    Ambiguous {
        /// Line of the heading.
        line: u64,
    },
    /// A list of goods, not of money.
    #[error("Line {line}: this is a list of goods (column “{column}”), not of money. Record goods as gifts in kind.")]
    GoodsTable {
        /// Line of the heading.
        line: u64,
        /// The heading that gave it away.
        column: String,
    },
    /// The file is of a kind that is not read.
    #[error("This is {kind}. {advice}")]
    KindNotRead {
        /// What it is.
        kind: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// Empty, or blank rows only.
    #[error("The file holds no rows. Check that the download is complete.")]
    Empty,
    /// A column that the format needs is not in the heading.
    #[error(
        "Line {line}: the heading has no column “{column}”, which {format} needs. Check --format, or use --mapping."
    )]
    HeadingMissing {
        /// Line of the heading.
        line: u64,
        /// The column.
        column: String,
        /// The format that needs it.
        format: FormatName,
    },
    /// A column that the format needs stands twice in the heading.
    #[error("Line {line}: the heading has the column “{column}” more than once. Rename one of them in the file.")]
    HeadingTwice {
        /// Line of the heading.
        line: u64,
        /// The column.
        column: String,
    },
    /// The format was named, but its heading is not there.
    #[error(
        "No heading of {format} in the first {lines} lines. Check that it is the right file, or leave --format away to have it recognised."
    )]
    FormatDiffers {
        /// The format that was named.
        format: FormatName,
        /// How far was looked.
        lines: u64,
    },
    /// The mapping does not fit the file.
    #[error("The mapping does not fit this file: {0}")]
    Mapping(#[from] MappingError),
    /// A list of gifts without a day.
    #[error(
        "The list states no day, neither in its title nor in the file name “{file_name}”. Say it with --on 2026-03-05."
    )]
    DayNotStated {
        /// The name of the file, as given.
        file_name: String,
    },
    /// Bytes that the encoding does not have.
    #[error(
        "Line {line}: bytes that are not {encoding}. Save the file as UTF-8 or GB18030, or name its encoding in a mapping."
    )]
    Encoding {
        /// The line.
        line: u64,
        /// The encoding that was tried.
        encoding: String,
    },
    /// Neither UTF-8 nor GB18030.
    #[error(
        "Line {line}: the text is neither UTF-8 nor GB18030. Save the file as UTF-8, or name its encoding in a mapping."
    )]
    EncodingUnknown {
        /// The line with the first bad byte, read as UTF-8.
        line: u64,
    },
    /// A quote that never ends.
    #[error("Line {line}: a quotation mark opens here and is never closed. Close it, or export the file again.")]
    QuoteNotClosed {
        /// The line on which it opens.
        line: u64,
    },
    /// A record without an end in sight.
    #[error(
        "Line {line}: the row is longer than {max_bytes} bytes. This is not a statement, or a line break is missing."
    )]
    RowTooLong {
        /// The line on which it begins.
        line: u64,
        /// The most that is read.
        max_bytes: usize,
    },
    /// More than may be unpacked.
    #[error("The file unpacks to more than {max_bytes} bytes; it is refused as a possible zip bomb. Split it.")]
    UnpacksTooLarge {
        /// The most that is unpacked.
        max_bytes: u64,
    },
    /// More rows than a sheet may have here.
    #[error("The sheet “{sheet}” has more than {max_rows} rows. Save it as CSV, which has no such limit.")]
    TooManyRows {
        /// Name of the sheet.
        sheet: String,
        /// The most that are read.
        max_rows: usize,
    },
    /// More columns than a sheet may have here.
    #[error(
        "Row {line} of the sheet “{sheet}” has something in column {column}; only {max_columns} columns are read. Delete it."
    )]
    TooManyColumns {
        /// Name of the sheet.
        sheet: String,
        /// Row of the sheet, from 1.
        line: u64,
        /// Column, from 1.
        column: u32,
        /// The most that are read.
        max_columns: u32,
    },
    /// Rows of a sheet that do not follow each other.
    #[error("Row {line} of the sheet “{sheet}” stands after a later one. Open the file and save it again.")]
    RowsOutOfOrder {
        /// Name of the sheet.
        sheet: String,
        /// Row of the sheet, from 1.
        line: u64,
    },
    /// The workbook is damaged or protected.
    #[error(
        "The workbook could not be opened: {message}. Open it in a spreadsheet program and save it again, without a password."
    )]
    Workbook {
        /// What the reader says.
        message: String,
    },
    /// The bytes could not be fetched.
    #[error("Line {line}: the file could not be read further. Check that it is complete.")]
    Read {
        /// The line that was being read.
        line: u64,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}
