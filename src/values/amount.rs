//! Amounts of money and goods, in integer minor units.

use super::{INTEGER_MAX, Unit};
use std::fmt;

/// A non-negative amount: `minor` minor units (fen for CNY) of `unit`, at most 2^53 − 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub struct Amount {
    minor: i64,
    unit: Unit,
}

/// A change of what an account holds: signed, never 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CashChange {
    minor: i64,
    unit: Unit,
}

/// Why a text is not an amount.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
pub enum AmountError {
    /// No digits, or characters that do not belong in a number.
    #[error("“{0}” is not an amount")]
    NotANumber(String),
    /// More decimals than the unit has.
    #[error("“{text}” has more decimals than {unit} has ({digits})")]
    TooFine {
        /// The text as given.
        text: String,
        /// The unit it was read in.
        unit: Unit,
        /// Decimals of that unit.
        digits: u32,
    },
    /// Negative where an amount is wanted.
    #[error("“{0}” is negative")]
    Negative(String),
    /// Beyond 2^53 − 1 minor units.
    #[error("“{0}” is larger than a ledger can hold (9,007,199,254,740,991 minor units)")]
    TooLarge(String),
}

impl Amount {
    /// `minor` minor units; refuses negative ones and those beyond 2^53 − 1.
    pub fn new(minor: i64, unit: Unit) -> Result<Self, AmountError> {
        match minor {
            ..0 => Err(AmountError::Negative(minor.to_string())),
            0..=INTEGER_MAX => Ok(Self { minor, unit }),
            _ => Err(AmountError::TooLarge(minor.to_string())),
        }
    }

    /// Reads what a person types: `1234.5`, `1,234.50`, `１２３４．５`, `1.2万`, `¥12`. A dot is the decimal point, commas separate thousands.
    pub fn parse(text: &str, unit: Unit) -> Result<Self, AmountError> {
        let minor = parse_minor(text, unit, DecimalForm::POINT)?;
        if minor < 0 { Err(AmountError::Negative(text.trim().into())) } else { Self::new(minor, unit) }
    }

    /// Minor units, 0 ≤ n ≤ 2^53 − 1.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// Minor units as a length of positions.
    pub fn length(self) -> u64 {
        u64::try_from(self.minor).expect("never negative")
    }

    /// The unit.
    pub const fn unit(self) -> Unit {
        self.unit
    }

    /// True for nothing at all.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }
}

impl CashChange {
    /// A signed change; `None` for 0 and beyond ±(2^53 − 1).
    pub fn new(minor: i64, unit: Unit) -> Option<Self> {
        (minor != 0 && (-INTEGER_MAX..=INTEGER_MAX).contains(&minor)).then_some(Self { minor, unit })
    }

    /// Signed minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The unit.
    pub const fn unit(self) -> Unit {
        self.unit
    }
}

/// Which characters of a number mean what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecimalForm {
    /// The decimal point; `None` where the unit is written whole.
    pub point: Option<char>,
    /// The thousands separator that may be dropped.
    pub thousands: Option<char>,
}

impl DecimalForm {
    /// `1,234.50`
    pub const POINT: Self = Self { point: Some('.'), thousands: Some(',') };
    /// `50.000` is fifty thousand: dots separate thousands, a comma would be the decimal point.
    pub const COMMA: Self = Self { point: Some(','), thousands: Some('.') };
}

/// Reads a signed decimal number into minor units of `unit`, exactly; no float is involved.
///
/// | text       | unit | form  | minor     |
/// |------------|------|-------|-----------|
/// | `1,234.5`  | CNY  | POINT | 123450    |
/// | `¥0.10`    | CNY  | POINT | 10        |
/// | `1.2万`    | CNY  | POINT | 1200000   |
/// | `50.000`   | VND  | COMMA | 50000     |
/// | `1.005`    | CNY  | POINT | too fine  |
/// | `1,23`     | CNY  | POINT | not a number: a separator must stand before three digits |
pub fn parse_minor(text: &str, unit: Unit, form: DecimalForm) -> Result<i64, AmountError> {
    let not_a_number = || AmountError::NotANumber(text.trim().chars().take(40).collect());
    let folded: String = text.trim_matches(is_padding).chars().map(fold_width).collect();
    let (negative, unsigned) = match folded.strip_prefix(['-', '−']) {
        Some(rest) => (true, rest),
        None => (false, folded.strip_prefix('+').unwrap_or(&folded)),
    };
    let unsigned = unsigned.strip_prefix(['¥', '￥']).unwrap_or(unsigned);
    let unsigned = unsigned.strip_suffix('元').unwrap_or(unsigned).trim();
    let (digits, shift) = match unsigned.strip_suffix('万') {
        Some(rest) => (rest.trim_end(), 4),
        None => (unsigned, 0),
    };
    let (whole, fraction) = match form.point.and_then(|point| digits.split_once(point)) {
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    let groups_are_whole = |separator| {
        let mut groups = whole.split(separator);
        groups.next().is_some_and(|first| (1..=3).contains(&first.len())) && groups.all(|group| group.len() == 3)
    };
    let whole: String = match form.thousands {
        Some(separator) if whole.contains(separator) => {
            if !groups_are_whole(separator) {
                return Err(not_a_number());
            }
            whole.chars().filter(|c| *c != separator).collect()
        }
        _ => whole.into(),
    };
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !all_digits(&whole) || !all_digits(fraction) {
        return Err(not_a_number());
    }
    let decimals = unit.minor_digits() + shift;
    let kept = usize::try_from(decimals).map_err(|_| not_a_number())?;
    let significant = fraction.trim_end_matches('0');
    if significant.len() > kept {
        return Err(AmountError::TooFine { text: text.trim().into(), unit, digits: unit.minor_digits() });
    }
    let minor = format!("{whole}{significant:0<kept$}");
    let minor: i64 = minor.parse().map_err(|_| AmountError::TooLarge(text.trim().into()))?;
    if minor > INTEGER_MAX {
        return Err(AmountError::TooLarge(text.trim().into()));
    }
    Ok(if negative { -minor } else { minor })
}

/// White space and the invisible characters that spreadsheets leave around numbers.
fn is_padding(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}' | '`' | '\u{a0}')
}

fn fold_width(c: char) -> char {
    match c {
        '０'..='９' | '．' | '，' | '－' | '＋' => {
            char::from_u32(u32::from(c) - 0xFEE0).expect("the full-width block mirrors ASCII")
        }
        '\u{a0}' => ' ',
        other => other,
    }
}

/// Writes signed minor units with thousands separators and the unit's decimals: `132,000.00`, `-500`.
pub fn format_minor(minor: i64, unit: Unit) -> String {
    let digits = usize::try_from(unit.minor_digits()).expect("at most 3");
    let text = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    let mut grouped = String::with_capacity(text.len() + 8);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let sign = if minor < 0 { "-" } else { "" };
    let point = if digits > 0 { "." } else { "" };
    format!("{sign}{grouped}{point}{fraction}")
}

impl fmt::Display for Amount {
    /// With the unit: `132,000.00 CNY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", format_minor(self.minor, self.unit), self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, unit: Unit, form: DecimalForm, expected: &str) {
        let got = match parse_minor(text, unit, form) {
            Ok(minor) => minor.to_string(),
            Err(AmountError::NotANumber(_)) => "not a number".into(),
            Err(AmountError::TooFine { .. }) => "too fine".into(),
            Err(AmountError::Negative(_)) => "negative".into(),
            Err(AmountError::TooLarge(_)) => "too large".into(),
        };
        assert_eq!(got, expected, "{text}");
    }

    #[test]
    fn a_number_is_read_to_the_fen_or_refused() {
        use DecimalForm as F;
        check("1,234.5", Unit::CNY, F::POINT, "123450");
        check("１２３４．５", Unit::CNY, F::POINT, "123450");
        check("1.2万", Unit::CNY, F::POINT, "1200000");
        check("¥28.16", Unit::CNY, F::POINT, "2816");
        check("\u{a0} 4,000,000.00\u{a0}", Unit::CNY, F::POINT, "400000000");
        check("-0.50", Unit::CNY, F::POINT, "-50");
        check("50.000", Unit::VND, F::COMMA, "50000");
        check("500,000", Unit::VND, F::POINT, "500000");
        check("0.000", Unit::CNY, F::POINT, "0");
        check("1.005", Unit::CNY, F::POINT, "too fine");
        check("1,23", Unit::CNY, F::POINT, "not a number");
        check(".5", Unit::CNY, F::POINT, "not a number");
        check("", Unit::CNY, F::POINT, "not a number");
        check("12e3", Unit::CNY, F::POINT, "not a number");
        check("--1", Unit::CNY, F::POINT, "not a number");
        check("90071992547409.92", Unit::CNY, F::POINT, "too large");
        check("99999999999999999999999", Unit::CNY, F::POINT, "too large");
    }

    #[test]
    fn minor_units_are_written_with_separators() {
        for (minor, unit, text) in [
            (13_200_000, Unit::CNY, "132,000.00"),
            (5, Unit::CNY, "0.05"),
            (-100_000, Unit::CNY, "-1,000.00"),
            (55_000, Unit::VND, "55,000"),
            (0, Unit::VND, "0"),
        ] {
            assert_eq!(format_minor(minor, unit), text);
        }
    }
}
