//! What is in a cell: padding, headings, amounts, days and times.

use super::reject::RejectReason;
use crate::values::amount::{AmountError, DecimalForm, parse_minor};
use crate::values::{Amount, Day, Unit};
use std::borrow::Cow;
use std::fmt;

/// A time of the day as written, without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: i8,
    /// 0 to 59.
    pub minute: i8,
    /// 0 to 59.
    pub second: i8,
}

impl TimeOfDay {
    /// `None` for a time that no clock shows.
    pub fn new(hour: i8, minute: i8, second: i8) -> Option<Self> {
        ((0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second)).then_some(Self {
            hour,
            minute,
            second,
        })
    }

    /// Reads `H:MM`, `HH:MM:SS`, and drops a fraction of a second.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.split_once('.').map_or(text, |(whole, _)| whole);
        let mut parts = text.split(':').map(|part| number(part, 1, 2));
        let (hour, minute) = (parts.next()??, parts.next()??);
        let second = parts.next().unwrap_or(Some(0))?;
        if parts.next().is_some() {
            return None;
        }
        Self::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, i8::try_from(second).ok()?)
    }
}

impl fmt::Display for TimeOfDay {
    /// `HH:MM:SS`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.hour, self.minute, self.second)
    }
}

/// White space, ideographic and no-break spaces, and the invisible characters that spreadsheets and exports leave around a text.
fn is_padding(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// The text without its padding.
pub(super) fn trimmed(text: &str) -> &str {
    // The usual cell is plain ASCII and not padded: look at its ends before decoding anything.
    let plain = |b: Option<&u8>| b.is_none_or(u8::is_ascii_graphic);
    if plain(text.as_bytes().first()) && plain(text.as_bytes().last()) { text } else { text.trim_matches(is_padding) }
}

/// True where nothing is left without padding.
pub(super) fn is_blank(text: &str) -> bool {
    trimmed(text).is_empty()
}

/// The text, or `None` where it says nothing: blank, `/` or `-`, as exports write for "none".
pub(super) fn said(text: &str) -> Option<&str> {
    let text = trimmed(text);
    (!matches!(text, "" | "/" | "-")).then_some(text)
}

/// A memo on one line: line breaks inside become one space.
pub(super) fn one_line(text: &str) -> Option<String> {
    let text = said(text)?;
    if !text.contains(['\n', '\r']) {
        return Some(text.into());
    }
    let lines: Vec<&str> = text.split(['\n', '\r']).map(trimmed).filter(|line| !line.is_empty()).collect();
    Some(lines.join(" "))
}

/// A heading for comparing: no padding, no spaces, half-width brackets and signs, small letters.
pub(super) fn folded(heading: &str) -> String {
    heading
        .chars()
        .filter(|c| !is_padding(*c) && *c != '`')
        .map(|c| match c {
            '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).expect("the full-width block mirrors ASCII"),
            other => other,
        })
        .flat_map(char::to_lowercase)
        .collect()
}

/// An amount that is more than nothing; `text` is what was read.
pub(super) fn positive(minor: i64, text: &str, unit: Unit) -> Result<Amount, RejectReason> {
    if minor <= 0 {
        return Err(RejectReason::AmountNotPositive { text: shown(text) });
    }
    Amount::new(minor, unit).map_err(|error| unreadable(error, text))
}

/// Signed minor units.
pub(super) fn signed(text: &str, unit: Unit, form: DecimalForm) -> Result<i64, RejectReason> {
    if is_blank(text) {
        return Err(RejectReason::AmountMissing { gap: None });
    }
    parse_minor(text, unit, form).map_err(|error| unreadable(error, text))
}

fn unreadable(error: AmountError, text: &str) -> RejectReason {
    let text = shown(text);
    match error {
        AmountError::NotANumber(_) => RejectReason::AmountUnreadable { text },
        AmountError::TooFine { unit, digits, .. } => RejectReason::AmountTooFine { text, unit, digits },
        AmountError::Negative(_) => RejectReason::AmountNotPositive { text },
        AmountError::TooLarge(_) => RejectReason::AmountTooLarge { text },
    }
}

/// A text short enough to be shown in a message.
pub(super) fn shown(text: &str) -> String {
    let text = trimmed(text);
    let short: String = text.chars().take(40).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(40).is_some() { format!("{short}…") } else { short }
}

/// Drops what binary arithmetic left behind a number: a difference below 0.000001 from a number with `digits` decimals.
///
/// | text                | digits | result              |
/// |---------------------|--------|---------------------|
/// | `4761028.68000006`  | 2      | `4761028.68`        |
/// | `38422322.23999998` | 2      | `38422322.24`       |
/// | `1.005`             | 2      | `1.005` (not a tail) |
pub(super) fn without_float_tail(text: &str, digits: u32) -> Cow<'_, str> {
    let text = trimmed(text);
    let keep = || Cow::Borrowed(text);
    let (Some((whole, fraction)), Ok(digits)) = (text.split_once('.'), usize::try_from(digits)) else {
        return keep();
    };
    let (Some(kept), Some(near)) = (fraction.get(..digits), fraction.get(digits..6)) else {
        return keep();
    };
    if fraction.len() < 7 || near.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return keep();
    }
    if near.bytes().all(|b| b == b'0') {
        return Cow::Owned(if digits == 0 { whole.into() } else { format!("{whole}.{kept}") });
    }
    let magnitude = whole.trim_start_matches('-');
    let Some(up) = format!("{magnitude}{kept}").parse::<u64>().ok().and_then(|n| n.checked_add(1)) else {
        return keep();
    };
    if !near.bytes().all(|b| b == b'9') {
        return keep();
    }
    let up = format!("{up:0>width$}", width = digits + 1);
    let (whole_up, kept_up) = up.split_at(up.len() - digits);
    let sign = if whole.starts_with('-') { "-" } else { "" };
    Cow::Owned(if digits == 0 { format!("{sign}{whole_up}") } else { format!("{sign}{whole_up}.{kept_up}") })
}

/// A number of `from..=to` ASCII digits.
pub(super) fn number(text: &str, from: usize, to: usize) -> Option<i16> {
    ((from..=to).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

fn day_of(year: &str, month: &str, day: &str) -> Option<Day> {
    let small = |text| number(text, 1, 2).and_then(|n| i8::try_from(n).ok());
    Day::new(number(year, 4, 4)?, small(month)?, small(day)?)
}

/// A day written year first: `2020-01-22`, `2020/1/22`, `2020.01.22`, `2020年1月22日`, `20200122`.
pub(super) fn day_year_first(text: &str) -> Option<Day> {
    if text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit()) {
        return day_of(text.get(..4)?, text.get(4..6)?, text.get(6..)?);
    }
    if let Some((year, rest)) = text.split_once('年') {
        let (month, day) = rest.split_once('月')?;
        return day_of(year, month, day.strip_suffix('日').unwrap_or(day));
    }
    let separator = text.chars().find(|c| matches!(c, '-' | '/' | '.'))?;
    let mut parts = text.split(separator);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() { None } else { day_of(year, month, day) }
}

/// A day written `DD/MM/YYYY`.
pub(super) fn day_day_first(text: &str) -> Option<Day> {
    let mut parts = text.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() { None } else { day_of(year, month, day) }
}

/// A day year first and, behind a space or a `T`, a time.
pub(super) fn day_and_time(text: &str) -> Result<(Day, Option<TimeOfDay>), RejectReason> {
    let text = trimmed(text);
    if text.is_empty() {
        return Err(RejectReason::DayMissing);
    }
    let (day, time) = match text.split_once([' ', 'T']) {
        Some((day, time)) => (day, Some(trimmed(time))),
        None => (text, None),
    };
    let day = day_year_first(day).ok_or_else(|| RejectReason::DayImpossible { text: shown(text) })?;
    let time = match time {
        Some(time) => Some(TimeOfDay::parse(time).ok_or_else(|| RejectReason::TimeImpossible { text: shown(time) })?),
        None => None,
    };
    Ok((day, time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_float_tail_is_dropped_and_a_third_decimal_is_not() {
        for (text, digits, expected) in [
            ("4761028.68000006", 2, "4761028.68"),
            ("38422322.23999998", 2, "38422322.24"),
            ("3482232.1100000003", 2, "3482232.11"),
            ("9.99999999", 2, "10.00"),
            ("-0.00999999999", 2, "-0.01"),
            ("1.005", 2, "1.005"),
            ("1.00500000001", 2, "1.00500000001"),
            ("1.009999", 2, "1.009999"),
            ("12.00000001", 0, "12"),
            ("11.99999999", 0, "12"),
            ("210783.19", 2, "210783.19"),
            ("1.é0000000", 2, "1.é0000000"),
            ("x", 2, "x"),
        ] {
            assert_eq!(without_float_tail(text, digits), expected, "{text}");
        }
    }

    #[test]
    fn days_are_read_in_the_usual_forms_and_impossible_ones_are_not() {
        for good in ["2020-01-22", "2020/1/22", "2020.01.22", "2020年1月22日", "2020年01月22", "20200122"] {
            assert_eq!(day_year_first(good).expect(good).to_string(), "2020-01-22");
        }
        for bad in ["2020-02-30", "2020-13-01", "20-01-22", "2020-01", "2020-01-22-3", "é020-1-1", "２０２０-01-22", ""]
        {
            assert_eq!(day_year_first(bad), None, "{bad}");
        }
        assert_eq!(day_day_first("01/09/2024").expect("given").to_string(), "2024-09-01");
        assert_eq!(day_day_first("31/02/2024"), None);
        assert_eq!(TimeOfDay::parse("7:06").expect("given").to_string(), "07:06:00");
        assert_eq!(TimeOfDay::parse("24:00:00"), None);
        assert_eq!(TimeOfDay::parse("1:2:3:4"), None);
    }

    #[test]
    fn headings_are_compared_without_width_and_padding() {
        assert_eq!(folded(" 捐赠金额（元）\u{a0}\t"), "捐赠金额(元)");
        assert_eq!(folded("收入金额（＋元）"), "收入金额(+元)");
        assert_eq!(one_line("a \n b\r\n\r\nc"), Some("a b c".into()));
        assert_eq!(one_line(" / "), None);
    }
}
