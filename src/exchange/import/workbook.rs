//! Spreadsheets (xlsx): sheets of rows, read cell by cell so that no sheet can claim more memory than it fills.

use super::ImportError;
use super::Row;
use super::layout::Raw;
use calamine::{DataRef, ExcelDateTime, Reader, Xlsx};
use std::io::{Cursor, Read, sink};
use zip::ZipArchive;

/// The most that a workbook may unpack to, and the most text that its cells may hold together.
pub(super) const UNPACKED_MAX: u64 = 64 << 20;
/// The most parts that a workbook may have.
const PARTS_MAX: usize = 4096;
/// The most rows that are read of all its sheets.
pub(super) const ROWS_MAX: usize = 200_000;
/// The most columns.
pub(super) const COLUMNS_MAX: u32 = 1024;

/// A sheet with its rows that hold something.
pub(super) struct Sheet {
    pub(super) rows: Vec<Raw>,
}

/// Reads all sheets of a workbook.
pub(super) fn sheets(bytes: Vec<u8>) -> Result<Vec<Sheet>, ImportError> {
    let damaged = |error: &dyn std::fmt::Display| ImportError::Workbook { message: error.to_string() };
    unpacks_within_limit(&bytes)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let mut sheets = Vec::new();
    let (mut rows_left, mut text_left) = (ROWS_MAX, UNPACKED_MAX);
    for name in workbook.sheet_names() {
        let mut cells = match workbook.worksheet_cells_reader(&name) {
            Ok(cells) => cells,
            // A page of charts only.
            Err(calamine::XlsxError::NotAWorksheet(_)) => continue,
            Err(error) => return Err(damaged(&error)),
        };
        let mut rows: Vec<Raw> = Vec::new();
        while let Some(cell) = cells.next_cell().map_err(|error| damaged(&error))? {
            let (row, column) = cell.get_position();
            let Some((text, is_number)) = text(cell.get_value()) else { continue };
            let line = u64::from(row) + 1;
            if column >= COLUMNS_MAX {
                let max_columns = COLUMNS_MAX;
                return Err(ImportError::TooManyColumns {
                    sheet: name,
                    line,
                    column: column.saturating_add(1),
                    max_columns,
                });
            }
            let size = u64::try_from(text.len()).unwrap_or(u64::MAX);
            text_left = text_left.checked_sub(size).ok_or(ImportError::UnpacksTooLarge { max_bytes: UNPACKED_MAX })?;
            match rows.last() {
                Some(last) if last.row.line == line => {}
                Some(last) if last.row.line > line => return Err(ImportError::RowsOutOfOrder { sheet: name, line }),
                Some(_) | None => {
                    rows_left = rows_left
                        .checked_sub(1)
                        .ok_or_else(|| ImportError::TooManyRows { sheet: name.clone(), max_rows: ROWS_MAX })?;
                    rows.push(Raw { row: Row { line, ..Row::default() }, numeric: 0 });
                }
            }
            let raw = rows.last_mut().expect("the row of this cell was just made sure of");
            let column_index = usize::try_from(column).expect("below the limit");
            if raw.row.cells.len() <= column_index {
                raw.row.cells.resize(column_index + 1, String::new());
            }
            if let Some(cell) = raw.row.cells.get_mut(column_index) {
                *cell = text;
            }
            if is_number {
                raw.numeric |= 1_u64.checked_shl(column).unwrap_or(0);
            }
        }
        sheets.push(Sheet { rows });
    }
    Ok(sheets)
}

/// Unpacks everything once into nothing: what the parts declare is not to be trusted, so the bytes themselves are counted too.
fn unpacks_within_limit(bytes: &[u8]) -> Result<(), ImportError> {
    let too_large = || ImportError::UnpacksTooLarge { max_bytes: UNPACKED_MAX };
    let damaged = |error: &dyn std::fmt::Display| ImportError::Workbook { message: error.to_string() };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    if archive.len() > PARTS_MAX {
        return Err(ImportError::Workbook { message: format!("it has more than {PARTS_MAX} parts") });
    }
    let mut left = UNPACKED_MAX;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| damaged(&error))?;
        if part.size() > left {
            return Err(too_large());
        }
        let unpacked = std::io::copy(&mut part.take(left + 1), &mut sink()).map_err(|error| damaged(&error))?;
        left = left.checked_sub(unpacked).ok_or_else(too_large)?;
    }
    Ok(())
}

/// The cell as text, and whether it was a number; `None` where it is empty.
fn text(value: &DataRef<'_>) -> Option<(String, bool)> {
    let (text, is_number) = match value {
        DataRef::Empty => return None,
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => (text.clone(), false),
        DataRef::SharedString(text) => ((*text).to_owned(), false),
        DataRef::Int(number) => (number.to_string(), true),
        DataRef::Float(number) => (number_text(*number), true),
        DataRef::Bool(truth) => (if *truth { "TRUE" } else { "FALSE" }.to_owned(), false),
        DataRef::DateTime(moment) => (moment_text(*moment), false),
        DataRef::Error(error) => (error.to_string(), false),
    };
    (!text.is_empty()).then_some((text, is_number))
}

/// A number of a sheet, which is binary, as the shortest decimal text that means the same: `202.6`, `4761028.68000006`.
/// No arithmetic is done on it; from here on it is text and is read into minor units like any other.
fn number_text(number: f64) -> String {
    number.to_string()
}

/// A moment of a sheet: `2020-02-01`, `2020-02-01 07:06:18`, or `07:06:18` alone.
fn moment_text(moment: ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    if moment.is_duration() || moment.as_f64() < 1.0 {
        return time;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) { date } else { format!("{date} {time}") }
}
