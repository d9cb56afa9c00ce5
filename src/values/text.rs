//! Text that people wrote: normal form, masks, and the widths of a Chinese keyboard.

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// A text as it may be shown on a terminal or written into a log: what would command the screen, or turn the direction of writing,
/// stands there as its number. Line breaks stay.
pub fn shown(text: &str) -> Cow<'_, str> {
    let commands = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if !text.contains(commands) {
        return Cow::Borrowed(text);
    }
    let plain = |c: char| if commands(c) { c.escape_unicode().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(plain).collect())
}

/// The text in Unicode normal form C. Our writer makes nothing else; readers do not check it, since NFC changes with Unicode versions.
pub fn nfc(text: &str) -> String {
    if is_nfc(text) { text.into() } else { text.nfc().collect() }
}

/// True where the text is in normal form C already.
pub fn is_nfc(text: &str) -> bool {
    if text.is_ascii() {
        return true;
    }
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => true,
        IsNormalized::No => false,
        IsNormalized::Maybe => text.nfc().eq(text.chars()),
    }
}

/// What a Chinese keyboard writes in full width, in ASCII: U+FF01 to U+FF5E and the ideographic space, as NFKC has them, and every dash
/// as a hyphen. Nothing else changes, so that a text without them is the same text.
///
/// | typed     | folded |
/// |-----------|--------|
/// | `Ａ－１`  | `A-1`  |
/// | `A—1`     | `A-1`  |
/// | `收据１`  | `收据1` |
pub fn folded(text: &str) -> String {
    text.chars().map(fold).collect()
}

fn fold(c: char) -> char {
    match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).expect("the full-width block mirrors ASCII"),
        '\u{3000}' => ' ',
        // Hyphens and dashes, the minus sign, and the small forms of both.
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn full_width_and_dashes_are_folded_and_nothing_else() {
        for (typed, meant) in [
            ("ｈｘｆｆ－７ｖｔｘ", "hxff-7vtx"),
            ("Ａ－１", "A-1"),
            ("A–1—2−3", "A-1-2-3"),
            ("＄７７．７７　ＵＳＤ", "$77.77 USD"),
            ("收据 1 号", "收据 1 号"),
            ("é ￥ 〜", "é ￥ 〜"),
        ] {
            assert_eq!(folded(typed), meant);
        }
    }
}
