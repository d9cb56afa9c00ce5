//! Lines of text: Chinese may break between any two characters but not before closing or after opening marks (GB/T 15834), Latin
//! words only at spaces and hyphens, addresses also between their parts. A word wider than the line is broken where it must.

#![expect(clippy::float_arithmetic, reason = "geometry of a page, never money")]

use super::ReportError;
use super::font::Face;

/// One line and its width in points.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TextLine {
    pub(super) text: String,
    pub(super) width: f32,
}

/// Marks that never begin a line.
const NOT_FIRST: &str = "、，。：；？！）】》」』〉〕％‰’”…—·,.:;?!)]}%/";
/// Marks that never end a line.
const NOT_LAST: &str = "（【《「『〈〔‘“([{¥￥$";

/// Breaks a text into lines of at most `width` points.
pub(super) fn wrap(text: &str, face: Face, size: f32, width: f32) -> Result<Vec<TextLine>, ReportError> {
    let font = face.font();
    if !text.contains('\n') {
        let whole = face.width(text, size)?;
        if whole <= width {
            return Ok(vec![TextLine { text: text.into(), width: whole }]);
        }
    }
    let limit = width / size * 1000.0;
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = Line::default();
        let mut previous = None;
        for character in paragraph.chars() {
            let advance = f32::from(font.glyph(character)?.advance);
            if previous.is_some_and(|previous| may_break(previous, character)) {
                line.break_at = Some(line.text.len());
                line.width_at_break = line.width;
            }
            previous = Some(character);
            if line.width + advance > limit && !line.text.is_empty() && character != ' ' {
                lines.push(line.cut(size));
            }
            line.text.push(character);
            line.width += advance;
        }
        lines.push(line.finish(size, font.glyph(' ')?.advance));
    }
    Ok(lines)
}

#[derive(Default)]
struct Line {
    text: String,
    width: f32,
    /// Bytes of `text` up to the last place where it may break.
    break_at: Option<usize>,
    width_at_break: f32,
}

impl Line {
    /// Takes the part before the last break, or all where there is none; the rest begins the next line.
    fn cut(&mut self, size: f32) -> TextLine {
        let (at, width) = match self.break_at {
            Some(at) if at > 0 => (at, self.width_at_break),
            Some(_) | None => (self.text.len(), self.width),
        };
        let rest = self.text.split_off(at);
        let text = std::mem::replace(&mut self.text, rest);
        let trimmed = text.trim_end_matches(' ');
        let spaces = f32::from(u16::try_from(text.len() - trimmed.len()).unwrap_or(0)) * 224.0;
        self.width -= width;
        self.break_at = None;
        TextLine { text: trimmed.into(), width: (width - spaces) * size / 1000.0 }
    }

    fn finish(self, size: f32, space: u16) -> TextLine {
        let trimmed = self.text.trim_end_matches(' ');
        let spaces = f32::from(u16::try_from(self.text.len() - trimmed.len()).unwrap_or(0)) * f32::from(space);
        TextLine { width: (self.width - spaces) * size / 1000.0, text: trimmed.into() }
    }
}

/// Whether a line may end between the two characters.
fn may_break(before: char, after: char) -> bool {
    if after == ' ' || NOT_FIRST.contains(after) || NOT_LAST.contains(before) {
        return false;
    }
    let latin = |c: char| u32::from(c) < 0x2e80 && c != ' ';
    !(latin(before) && latin(after))
        || (matches!(before, '-' | '–' | '/' | '+') && after.is_alphabetic())
        || (matches!(before, '&' | '=') && after.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, ems: f32, expected: &[&str]) {
        let lines = wrap(text, Face::Regular, 10.0, ems * 10.0).expect("all glyphs are there");
        assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), expected);
        for line in &lines {
            assert!(
                (line.width - Face::Regular.width(&line.text, 10.0).expect("measured before")).abs() < 0.01,
                "{line:?}"
            );
        }
    }

    #[test]
    fn lines_break_where_readers_expect_it() {
        check("资金公开报告", 3.0, &["资金公", "开报告"]);
        check("捐赠，支出。", 2.5, &["捐", "赠，", "支", "出。"]);
        check("写《慈善法》第", 2.2, &["写", "《慈", "善", "法》", "第"]);
        check("Lodging and travel", 4.5, &["Lodging", "and", "travel"]);
        check("共 1,549 笔", 3.0, &["共", "1,549", "笔"]);
        check("abcdefabcdef", 3.0, &["abcde", "fabcd", "ef"]);
        check("a\nb", 30.0, &["a", "b"]);
        check("", 3.0, &[""]);
    }
}
