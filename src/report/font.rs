//! The two faces of reports: which glyph a character has, and how wide it is.

#![expect(clippy::float_arithmetic, reason = "geometry of a page, never money")]

use super::ReportError;
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// A face of the family Noto Sans SC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Face {
    Regular,
    Bold,
}

/// A parsed face. Advances are in thousandths of an em.
#[derive(Debug)]
pub(super) struct Font {
    pub(super) bytes: &'static [u8],
    pub(super) name: &'static str,
    pub(super) metrics: Metrics,
    /// By code point, for the basic plane; glyph 0 where there is none.
    basic: Vec<Glyph>,
    /// By code point, for the other planes.
    astral: BTreeMap<char, Glyph>,
}

/// A glyph and its advance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) id: u16,
    pub(super) advance: u16,
}

/// What a PDF says about a face, in units of the em.
#[derive(Clone, Copy, Debug)]
pub(super) struct Metrics {
    pub(super) units_per_em: u16,
    pub(super) ascent: i16,
    pub(super) descent: i16,
    /// x min, y min, x max, y max over all glyphs.
    pub(super) bounds: [i16; 4],
    pub(super) weight: u16,
}

impl Face {
    pub(super) const ALL: [Self; 2] = [Self::Regular, Self::Bold];

    /// Parsed once for the life of the process; the bytes never change.
    pub(super) fn font(self) -> &'static Font {
        static REGULAR: OnceLock<Font> = OnceLock::new();
        static BOLD: OnceLock<Font> = OnceLock::new();
        match self {
            Self::Regular => REGULAR.get_or_init(|| {
                let bytes = include_bytes!("../../reports/fonts/NotoSansSC-Regular.ttf");
                Font::parse(bytes, "NotoSansSC-Regular", 400)
            }),
            Self::Bold => BOLD.get_or_init(|| {
                let bytes = include_bytes!("../../reports/fonts/NotoSansSC-Bold.ttf");
                Font::parse(bytes, "NotoSansSC-Bold", 700)
            }),
        }
    }

    /// Width of a text in points.
    pub(super) fn width(self, text: &str, size: f32) -> Result<f32, ReportError> {
        let font = self.font();
        let mut thousandths = 0.0;
        for character in text.chars() {
            thousandths += f32::from(font.glyph(character)?.advance);
        }
        Ok(thousandths * size / 1000.0)
    }
}

impl Font {
    fn parse(bytes: &'static [u8], name: &'static str, weight: u16) -> Self {
        let font = FontRef::new(bytes).expect("the font is part of the build and tested");
        let glyph_metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let mut basic = vec![Glyph::default(); 0x1_0000];
        let mut astral = BTreeMap::new();
        for (code_point, glyph_id) in font.charmap().mappings() {
            let advance = glyph_metrics.advance_width(glyph_id).unwrap_or_default();
            let id = u16::try_from(glyph_id.to_u32()).expect("a TrueType font has 16-bit glyph ids");
            let glyph = Glyph { id, advance: whole(advance) };
            match usize::try_from(code_point).ok().and_then(|place| basic.get_mut(place)) {
                Some(entry) => *entry = glyph,
                None => astral.extend(char::from_u32(code_point).map(|character| (character, glyph))),
            }
        }
        let metrics = font.metrics(Size::unscaled(), LocationRef::default());
        assert_eq!(metrics.units_per_em, 1000, "advances are taken as thousandths");
        let bounds = metrics.bounds.map_or([0, -200, 1000, 900], |b| [b.x_min, b.y_min, b.x_max, b.y_max].map(signed));
        let (ascent, descent) = (signed(metrics.ascent), signed(metrics.descent));
        let metrics = Metrics { units_per_em: metrics.units_per_em, ascent, descent, bounds, weight };
        Self { bytes, name, metrics, basic, astral }
    }

    /// The glyph of a character; a character without one is an error, never a box.
    pub(super) fn glyph(&self, character: char) -> Result<Glyph, ReportError> {
        let place = usize::try_from(u32::from(character)).unwrap_or(usize::MAX);
        let glyph = self.basic.get(place).or_else(|| self.astral.get(&character)).copied().unwrap_or_default();
        if glyph.id == 0 { Err(ReportError::GlyphMissing { character }) } else { Ok(glyph) }
    }
}

#[expect(clippy::as_conversions, reason = "font units are whole numbers within 16 bits")]
fn whole(units: f32) -> u16 {
    units as u16
}

#[expect(clippy::as_conversions, reason = "font units are whole numbers within 16 bits")]
fn signed(units: f32) -> i16 {
    units as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_faces_have_what_chinese_charities_write() {
        for face in Face::ALL {
            for character in "0123456789,.−—·“”《》（）、：；％%№①→￥¥元㬊䶮𬀩đĐơưạếŌé".chars()
            {
                face.font().glyph(character).expect("in the font");
            }
            let advances: Vec<u16> =
                "0123456789−".chars().map(|digit| face.font().glyph(digit).expect("a digit").advance).collect();
            assert!(advances.iter().all(|advance| *advance == advances[0]), "figures stand under each other");
        }
    }

    #[test]
    fn a_character_without_a_glyph_is_an_error() {
        for character in ['🙂', 'ك', '\n', '\u{9}'] {
            assert_eq!(Face::Regular.font().glyph(character), Err(ReportError::GlyphMissing { character }));
        }
    }
}
