//! Units of money and goods.

use std::fmt;

/// A unit of money (`CNY`, ISO 4217) or of goods (`box:N95`). Grammar: `[A-Z]{3}` or `[a-z]{1,16}:[A-Za-z0-9._-]{1,32}`.
///
/// | text      |                                        |
/// |-----------|----------------------------------------|
/// | `CNY`     | money, two decimals                    |
/// | `VND`     | money, no decimals                     |
/// | `box:N95` | goods, counted whole                   |
/// | `yuan`    | refused: not a currency code           |
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit {
    bytes: [u8; 49],
    length: u8,
}

/// The text is not a unit.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("“{0}” is not a unit: use a currency code such as CNY, or goods such as box:N95")]
pub struct NotAUnit(pub String);

impl Unit {
    /// The renminbi, counted in fen.
    pub const CNY: Self = Self::currency(*b"CNY");
    /// The Vietnamese dong; has no minor unit.
    pub const VND: Self = Self::currency(*b"VND");

    const fn currency(code: [u8; 3]) -> Self {
        let mut bytes = [0; 49];
        bytes[0] = code[0];
        bytes[1] = code[1];
        bytes[2] = code[2];
        Self { bytes, length: 3 }
    }

    /// Reads a unit; refuses anything outside the grammar.
    pub fn parse(text: &str) -> Result<Self, NotAUnit> {
        let refuse = || NotAUnit(text.chars().take(60).collect());
        let money = text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
        let goods = text.split_once(':').is_some_and(|(kind, what)| {
            (1..=16).contains(&kind.len())
                && kind.bytes().all(|b| b.is_ascii_lowercase())
                && (1..=32).contains(&what.len())
                && what.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        });
        if !money && !goods {
            return Err(refuse());
        }
        let mut bytes = [0; 49];
        bytes.get_mut(..text.len()).ok_or_else(refuse)?.copy_from_slice(text.as_bytes());
        Ok(Self { bytes, length: u8::try_from(text.len()).map_err(|_| refuse())? })
    }

    /// The unit as it stands in entries.
    pub fn as_str(&self) -> &str {
        self.bytes
            .get(..usize::from(self.length))
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .expect("made of ASCII by parse")
    }

    /// True for money, false for goods.
    pub const fn is_currency(&self) -> bool {
        self.length == 3
    }

    /// Whether it is goods, or a currency of ISO 4217 that money can be in.
    pub fn is_in_use(&self) -> bool {
        !self.is_currency() || CURRENCIES.binary_search(&self.as_str()).is_ok()
    }

    /// Decimals of one major unit: 2 for most currencies, 0 for those without a minor unit and for goods. ISO 4217:2015, list of 2024.
    pub fn minor_digits(&self) -> u32 {
        if !self.is_currency() {
            return 0;
        }
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI" | "VND"
            | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }
}

/// Currencies of states in order, ISO 4217:2015, list of 2024.
const CURRENCIES: [&str; 155] = [
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF", "BMD",
    "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP", "CNY", "COP", "CRC", "CUP",
    "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP",
    "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD",
    "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "LYD",
    "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN",
    "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB",
    "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL",
    "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VED", "VES",
    "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
];

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Unit {
    type Err = NotAUnit;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn units_follow_the_grammar() {
        for good in ["CNY", "VND", "box:N95", "hour:nurse", "kg:rice_5.a-b"] {
            assert_eq!(Unit::parse(good).expect(good).as_str(), good);
        }
        for bad in
            ["", "cny", "CN", "CNYY", "box:", ":N95", "Box:N95", "box:N 95", "box:a:b", "一", "aaaaaaaaaaaaaaaaa:x"]
        {
            assert!(Unit::parse(bad).is_err(), "{bad}");
        }
        let in_use = |code: &str| Unit::parse(code).expect("a code").is_in_use();
        assert!(in_use("CNY") && in_use("VND") && in_use("ZWG") && in_use("XAF"));
        assert!(!in_use("XXX") && !in_use("XTS") && !in_use("RMB"));
        assert_eq!((Unit::CNY.minor_digits(), Unit::VND.minor_digits()), (2, 0));
    }
}
