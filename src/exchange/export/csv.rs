//! Cells that a spreadsheet may open without doing what they say.

use std::borrow::Cow;

/// A cell that no spreadsheet takes for a formula: where it begins with `=`, `+`, `-`, `@`, a tab or a line break (or their full-width
/// forms), an apostrophe is put before it. A plain negative number stays a number. Control characters become visible signs.
///
/// | cell           | written         |
/// |----------------|-----------------|
/// | `=1+1`         | `'=1+1`         |
/// | `-12.50`       | `-12.50`        |
/// | `-12.50+A1`    | `'-12.50+A1`    |
/// | `@SUM(A1)`     | `'@SUM(A1)`     |
/// | `某某`         | `某某`          |
pub fn safe_cell(cell: &str) -> Cow<'_, str> {
    let hidden = |c: char| c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r');
    let cell: Cow<'_, str> = if cell.contains(hidden) {
        // The control pictures of Unicode mirror the control characters, one by one.
        let shown = |c: char| {
            if hidden(c) {
                if c == '\u{7f}' { '\u{2421}' } else { char::from_u32(u32::from(c) + 0x2400).unwrap_or(c) }
            } else {
                c
            }
        };
        Cow::Owned(cell.chars().map(shown).collect())
    } else {
        Cow::Borrowed(cell)
    };
    let starts_formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    let first = cell.chars().find(|c| !matches!(c, ' ' | '\u{a0}' | '\u{3000}' | '\u{feff}'));
    if first.is_some_and(starts_formula) && !is_negative_number(&cell) { Cow::Owned(format!("'{cell}")) } else { cell }
}

/// `-12`, `-12.50`, `-1,234.50`
fn is_negative_number(cell: &str) -> bool {
    let Some(unsigned) = cell.strip_prefix('-') else { return false };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(&whole.replace(',', "")) && whole.starts_with(|c: char| c.is_ascii_digit()) && digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::safe_cell;

    #[test]
    fn a_formula_becomes_a_text_and_a_number_stays_one() {
        for (cell, expected) in [
            ("=1+1", "'=1+1"),
            ("+86 138", "'+86 138"),
            ("-12.50", "-12.50"),
            ("-1,234", "-1,234"),
            ("-", "'-"),
            ("-12.50+A1", "'-12.50+A1"),
            ("-1.2.3", "'-1.2.3"),
            ("-,1", "'-,1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("  =1", "'  =1"),
            ("＝1", "'＝1"),
            ("a=1", "a=1"),
            ("", ""),
            ("a\0b", "a␀b"),
            ("\u{7f}", "\u{2421}"),
        ] {
            assert_eq!(safe_cell(cell), expected, "{cell:?}");
        }
    }
}
