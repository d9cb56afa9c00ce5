//! The picture of where a gift went: a river. The gift flows in at the top with its whole width; at every use a band of that width
//! leaves to the right, to its amount, its words and its day; what is not used yet flows on at the bottom, open. All widths are in
//! one proportion. Lengths are in picture units of one pixel on a phone 390 wide.

use std::fmt::Write as _;

/// What a band stands for; each has a colour, and a hatching for print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Band {
    /// Spent on the case or the work.
    Spent,
    /// Held by an approval.
    Held,
    /// Kept by a channel.
    Fee,
    /// Given back to the donor: the band turns.
    Back,
}

/// A band and its words.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) band: Band,
    /// In minor units.
    pub(super) minor: i64,
    /// The amount as people read it.
    pub(super) amount: String,
    /// What it was for.
    pub(super) words: String,
    /// When, and through which fund: a line each.
    pub(super) small: Vec<String>,
}

const WIDTH: i64 = 358;
/// The river at its widest.
const RIVER: i64 = 116;
const LEFT: i64 = 10;
/// Where the bands end and the words begin.
const SHORE: i64 = 172;
const TEXT: i64 = SHORE + 10;
const HEAD: i64 = 46;
/// The inner bow of a bend.
const BOW: i64 = 10;
/// Columns of words beside the river; a Chinese character takes two.
const COLUMNS: usize = 24;
/// Height of a line of words.
const LEADING: i64 = 18;

/// The picture: `gross` at the top, `uses` in order, `left` at the bottom with its words.
pub(super) fn svg(gross: i64, head: &str, uses: &[Use], left: Option<(i64, &str, &str)>, sentence: &str) -> String {
    let scale = |minor: i64| (minor * RIVER).checked_div(gross.max(1)).unwrap_or(RIVER);
    let thick = |minor: i64| scale(minor).max(2);
    let lines: Vec<Vec<(&str, String)>> = uses.iter().map(lines_of).collect();
    let room = |lines: &Vec<(&str, String)>| i64::try_from(lines.len()).expect("a few lines") * LEADING + 20;
    let heights: Vec<i64> =
        uses.iter().zip(&lines).map(|(used, lines)| room(lines).max(thick(used.minor) + 22)).collect();
    let tail = if left.is_some() { 78 } else { 12 };
    let height = HEAD + heights.iter().sum::<i64>() + tail;
    let mut out = String::new();
    let mut put = |text: std::fmt::Arguments<'_>| out.write_fmt(text).expect("writing into a string cannot fail");
    put(format_args!(
        "<svg class=\"flow\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\" xmlns=\"http://www.w3.org/2000/svg\">",
        escaped(sentence)
    ));
    put(format_args!(
        "<defs><pattern id=\"h\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
         <path class=\"hatch\" d=\"M0 0V6\"/></pattern></defs>"
    ));
    put(format_args!("<text x=\"{LEFT}\" y=\"18\" class=\"words\">{}</text>", escaped(head)));
    put(format_args!("<path class=\"cap\" d=\"M{LEFT} 28H{}\"/>", LEFT + RIVER));
    let (mut y, mut right) = (28, LEFT + RIVER);
    let mut remaining = gross;
    let mut top = HEAD;
    for ((used, lines), row) in uses.iter().zip(&lines).zip(&heights) {
        let width = thick(used.minor).min((right - LEFT).max(2));
        let middle = top + row / 2;
        let turn = middle - thick(used.minor) / 2;
        // The river down to the bend, whole; then the band turns off at its right side, as water does: the inner edge in a small
        // bow, the outer in one that is wider by the width of the band.
        let fork = turn - BOW;
        put(format_args!("<path class=\"river\" d=\"M{LEFT} {y}H{right}V{fork}H{LEFT}Z\"/>"));
        let (inner, low, wide) = (right - width, turn + thick(used.minor), BOW + width);
        let class = match used.band {
            Band::Spent => "spent",
            Band::Held => "held",
            Band::Fee => "fee",
            Band::Back => "back",
        };
        put(format_args!(
            "<path class=\"{class}\" d=\"M{inner} {fork}H{right}Q{right} {turn} {} {turn}H{SHORE}V{low}H{}Q{inner} {low} {inner} {fork}Z\"/>",
            right + BOW,
            inner + wide,
        ));
        if used.band == Band::Back {
            let tip = SHORE - 2;
            put(format_args!("<path class=\"arrow\" d=\"M{tip} {middle}v-16m-6 6l6-6l6 6\"/>"));
        }
        let first = middle - room(lines) / 2 + 24;
        for (place, (class, text)) in (0_i64..).zip(lines) {
            let at = first + place * LEADING;
            put(format_args!("<text x=\"{TEXT}\" y=\"{at}\" class=\"{class}\">{}</text>", escaped(text)));
        }
        remaining -= used.minor;
        right = if remaining > 0 { LEFT + thick(remaining).min(right - LEFT) } else { LEFT };
        y = fork;
        top += row;
    }
    if let Some((minor, amount, words)) = left {
        let right = LEFT + thick(minor);
        let end = height - 8;
        put(format_args!("<path class=\"river\" d=\"M{LEFT} {y}H{right}V{}H{LEFT}Z\"/>", end - 22));
        put(format_args!("<path class=\"open\" d=\"M{LEFT} {}V{end}M{right} {}V{end}\"/>", end - 22, end - 22));
        put(format_args!(
            "<text x=\"{TEXT}\" y=\"{}\" class=\"sum\">{}</text><text x=\"{TEXT}\" y=\"{}\" class=\"words\">{}</text>",
            end - 34,
            escaped(amount),
            end - 14,
            escaped(words),
        ));
        put(format_args!("<path class=\"lead\" d=\"M{} {}H{SHORE}\"/>", right + 6, end - 38));
    }
    put(format_args!("</svg>"));
    out
}

/// The lines beside a band, each with its class.
fn lines_of(used: &Use) -> Vec<(&'static str, String)> {
    let sum = [("sum", used.amount.clone())].into_iter();
    let words = wrapped(&used.words).into_iter().map(|line| ("words", line));
    let small = used.small.iter().flat_map(|text| wrapped(text)).map(|line| ("small", line));
    sum.chain(words).chain(small).collect()
}

/// Breaks a text into lines of at most [`COLUMNS`]: between words where there are any, else between characters.
fn wrapped(text: &str) -> Vec<String> {
    let width = |c: char| if c.is_ascii() { 1 } else { 2 };
    let mut lines = vec![String::new()];
    let mut used = 0;
    for piece in text.split_inclusive(' ') {
        let whole: usize = piece.trim_end().chars().map(width).sum();
        if used > 0 && used + whole > COLUMNS && whole <= COLUMNS {
            lines.push(String::new());
            used = 0;
        }
        for c in piece.chars() {
            if used + width(c) > COLUMNS && c != ' ' {
                lines.push(String::new());
                used = 0;
            }
            lines.last_mut().expect("there is a first line").push(c);
            used += width(c);
        }
    }
    lines.iter_mut().for_each(|line| *line = line.trim_end().to_owned());
    lines.retain(|line| !line.is_empty());
    lines.truncate(4);
    lines
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(minor: i64) -> Use {
        Use { band: Band::Spent, minor, amount: "1".into(), words: "<b>&\"".into(), small: Vec::new() }
    }

    #[test]
    fn hostile_words_are_only_words() {
        let picture = svg(100, "<script>", &[used(40)], Some((60, "60", "left")), "a \"quoted\" sentence");
        assert!(!picture.contains("<script>") && !picture.contains("<b>"), "{picture}");
        assert!(picture.contains("&lt;b&gt;&amp;&quot;") && picture.contains("a &quot;quoted&quot; sentence"));
    }

    #[test]
    fn words_break_between_words_and_chinese_between_characters() {
        assert_eq!(wrapped("Hospital bills and deposits"), ["Hospital bills and", "deposits"]);
        assert_eq!(wrapped("住院费与预交金"), ["住院费与预交金"]);
        assert_eq!(wrapped("经 白血病患儿紧急救助专项基金会").len(), 2);
        assert!(wrapped(&"x".repeat(500)).len() == 4 && wrapped("").is_empty());
    }

    #[test]
    fn any_gift_has_a_picture() {
        for (gross, uses) in
            [(1, vec![1]), (50_000, vec![20_000, 30_000]), (i64::MAX / 200, vec![1, 2, 3]), (7, vec![])]
        {
            let uses: Vec<Use> = uses.into_iter().map(used).collect();
            let picture = svg(gross, "gift", &uses, Some((1, "1", "left")), "sentence");
            assert!(picture.starts_with("<svg") && picture.ends_with("</svg>"));
            assert!(!picture.contains("--"), "{picture}");
        }
    }
}
