//! Canonical report data: RFC 8785 bytes of a tree of integers and strings.

use std::collections::BTreeMap;
use std::io::Write as _;

/// A node of report data. Keys are ASCII, so that their byte order is the order of RFC 8785 §3.2.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An integer within ±(2^53 − 1).
    Integer(i64),
    /// A string.
    Text(String),
    /// In the order given.
    List(Vec<Value>),
    /// By key.
    Map(BTreeMap<&'static str, Value>),
}

impl Value {
    /// A map of the given fields; those without a value are left out.
    pub fn map<const N: usize>(fields: [(&'static str, Option<Value>); N]) -> Self {
        Self::Map(fields.into_iter().filter_map(|(key, value)| Some((key, value?))).collect())
    }

    /// A string.
    pub fn text(text: impl ToString) -> Option<Self> {
        Some(Self::Text(text.to_string()))
    }

    /// A signed integer.
    pub fn integer(integer: impl Into<i64>) -> Option<Self> {
        Some(Self::Integer(integer.into()))
    }

    /// A count; one too large for a JSON number is written as a string.
    pub fn count(count: u64) -> Option<Self> {
        Some(
            i64::try_from(count)
                .ok()
                .filter(|n| *n <= crate::values::INTEGER_MAX)
                .map_or_else(|| Self::Text(count.to_string()), Self::Integer),
        )
    }

    /// A list.
    pub fn list(values: impl IntoIterator<Item = Value>) -> Option<Self> {
        Some(Self::List(values.into_iter().collect()))
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Integer(integer) => write!(out, "{integer}").expect("memory takes every write"),
            Self::Text(text) => write_text(text, out),
            Self::List(values) => {
                out.push(b'[');
                for (place, value) in values.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    value.write(out);
                }
                out.push(b']');
            }
            Self::Map(fields) => {
                out.push(b'{');
                for (place, (key, value)) in fields.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    write_text(key, out);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }
}

/// RFC 8785 §3.2.2.2: the short escapes, `\u00xx` for other control characters, everything else as it is.
fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend(b"\\\""),
            b'\\' => out.extend(b"\\\\"),
            0x08 => out.extend(b"\\b"),
            0x09 => out.extend(b"\\t"),
            0x0a => out.extend(b"\\n"),
            0x0c => out.extend(b"\\f"),
            0x0d => out.extend(b"\\r"),
            0..=0x1f => write!(out, "\\u{byte:04x}").expect("memory takes every write"),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_written_as_rfc_8785_wants_it() {
        let value = Value::map([
            ("b", Value::list([Value::Integer(-5), Value::Text("“天”\u{1}\n\"\\/\u{7f}".into())])),
            ("a", Value::integer(7)),
            ("absent", None),
            ("A", Value::count(u64::MAX)),
        ]);
        let expected = "{\"A\":\"18446744073709551615\",\"a\":7,\"b\":[-5,\"“天”\\u0001\\n\\\"\\\\/\u{7f}\"]}";
        assert_eq!(String::from_utf8(value.to_bytes()).expect("UTF-8"), expected);
        let other =
            serde_json_canonicalizer::to_string(&serde_json::from_str::<serde_json::Value>(expected).expect("JSON"));
        assert_eq!(other.expect("canonical"), expected);
    }
}
