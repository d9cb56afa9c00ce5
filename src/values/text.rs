//! Text that people wrote: normal form and masks.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

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
