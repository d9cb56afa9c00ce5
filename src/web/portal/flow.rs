//! The picture of where a gift went: a river. The gift flows in at the top with its whole width; at every use a band of that width
//! leaves to the right, to its amount, its words and its day; what is not used yet flows on at the bottom, open. All widths are in
//! one proportion. Lengths are in picture units of one pixel on a phone 390 wide.

use std::fmt::Write as _;

/// What a band stands for; each has a colour, and a hatching for print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
/// From the last line of the heading to the mouth of the river, and from there to the first use.
const MOUTH: i64 = 10;
const REACH: i64 = 18;
/// The inner bow of a bend.
const BOW: i64 = 10;
/// Columns of the heading, of an amount and of words beside the river. A wide character takes two.
const HEAD_COLUMNS: usize = 46;
const SUM_COLUMNS: usize = 17;
const COLUMNS: usize = 24;
/// Lines of one text, at most; what does not fit stands in full in the table under the picture.
const LINES_MAX: usize = 4;
/// Height of a line of words.
const LEADING: i64 = 18;

/// A line of words with its class.
type Line = (&'static str, String);

/// The picture: `gross` at the top, `uses` in order, `left` at the bottom with its words.
pub(super) fn svg(gross: i64, head: &str, uses: &[Use], left: Option<(i64, &str, &str)>, sentence: &str) -> String {
    let thick = |minor: i64| (minor * RIVER).checked_div(gross.max(1)).unwrap_or(RIVER).max(2);
    let heading: Vec<Line> = lines_of("words", head, HEAD_COLUMNS);
    let mouth = height_of(&heading) + MOUTH;
    let texts: Vec<Vec<Line>> = uses.iter().map(words_beside).collect();
    let heights: Vec<i64> =
        uses.iter().zip(&texts).map(|(used, lines)| (height_of(lines) + 20).max(thick(used.minor) + 22)).collect();
    let rest = left.map(|(minor, amount, words)| (minor, words_left(amount, words)));
    let tail = rest.as_ref().map_or(12, |(_, lines)| height_of(lines) + 42);
    let height = mouth + REACH + heights.iter().sum::<i64>() + tail;
    let mut out = String::new();
    put(
        &mut out,
        format_args!(
            "<svg class=\"flow\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\" xmlns=\"http://www.w3.org/2000/svg\">\
             <defs><pattern id=\"h\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
             <path class=\"hatch\" d=\"M0 0V6\"/></pattern></defs>",
            escaped(sentence)
        ),
    );
    write_lines(&mut out, LEFT, LEADING, &heading);
    put(&mut out, format_args!("<path class=\"cap\" d=\"M{LEFT} {mouth}H{}\"/>", LEFT + RIVER));
    let (mut y, mut right) = (mouth, LEFT + RIVER);
    let mut remaining = gross;
    let mut top = mouth + REACH;
    for ((used, lines), row) in uses.iter().zip(&texts).zip(&heights) {
        let width = thick(used.minor).min((right - LEFT).max(2));
        let middle = top + row / 2;
        let turn = middle - thick(used.minor) / 2;
        // The river down to the bend, whole; then the band turns off at its right side, as water does: the inner edge in a small
        // bow, the outer in one that is wider by the width of the band.
        let fork = turn - BOW;
        put(&mut out, format_args!("<path class=\"river\" d=\"M{LEFT} {y}H{right}V{fork}H{LEFT}Z\"/>"));
        let (inner, low, wide) = (right - width, turn + thick(used.minor), BOW + width);
        put(
            &mut out,
            format_args!(
                "<path class=\"{}\" d=\"M{inner} {fork}H{right}Q{right} {turn} {} {turn}H{SHORE}V{low}H{}Q{inner} {low} {inner} {fork}Z\"/>",
                used.band.class(),
                right + BOW,
                inner + wide,
            ),
        );
        if used.band == Band::Back {
            let tip = SHORE - 2;
            put(&mut out, format_args!("<path class=\"arrow\" d=\"M{tip} {middle}v-16m-6 6l6-6l6 6\"/>"));
        }
        write_lines(&mut out, TEXT, middle - (height_of(lines) + 20) / 2 + 24, lines);
        remaining -= used.minor;
        right = if remaining > 0 { LEFT + thick(remaining).min(right - LEFT) } else { LEFT };
        y = fork;
        top += row;
    }
    if let Some((minor, lines)) = rest {
        write_rest(&mut out, y, height - 8, LEFT + thick(minor), &lines);
    }
    put(&mut out, format_args!("</svg>"));
    out
}

/// What flows on at the bottom, down to `end`: open, with its words beside it.
fn write_rest(out: &mut String, y: i64, end: i64, right: i64, lines: &[Line]) {
    let close = end - 22;
    put(out, format_args!("<path class=\"river\" d=\"M{LEFT} {y}H{right}V{close}H{LEFT}Z\"/>"));
    put(out, format_args!("<path class=\"open\" d=\"M{LEFT} {close}V{end}M{right} {close}V{end}\"/>"));
    let first = end - height_of(lines) + 2;
    write_lines(out, TEXT, first, lines);
    put(out, format_args!("<path class=\"lead\" d=\"M{} {}H{SHORE}\"/>", right + 6, first - 4));
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing into a string cannot fail");
}

/// Lines one under another, the first at `y`.
fn write_lines(out: &mut String, x: i64, y: i64, lines: &[Line]) {
    for (place, (class, text)) in (0_i64..).zip(lines) {
        let at = y + place * LEADING;
        put(out, format_args!("<text x=\"{x}\" y=\"{at}\" class=\"{class}\">{}</text>", escaped(text)));
    }
}

fn height_of(lines: &[Line]) -> i64 {
    i64::try_from(lines.len()).expect("a few lines") * LEADING
}

fn lines_of(class: &'static str, text: &str, columns: usize) -> Vec<Line> {
    wrapped(text, columns).into_iter().map(|line| (class, line)).collect()
}

/// The lines beside a band.
fn words_beside(used: &Use) -> Vec<Line> {
    let small = used.small.iter().flat_map(|text| lines_of("small", text, COLUMNS));
    words_left(&used.amount, &used.words).into_iter().chain(small).collect()
}

/// The lines beside what is left.
fn words_left(amount: &str, words: &str) -> Vec<Line> {
    [lines_of("sum", amount, SUM_COLUMNS), lines_of("words", words, COLUMNS)].concat()
}

/// Breaks a text into lines of at most so many columns: between words where there are any, else between characters. What is beyond
/// [`LINES_MAX`] is cut off, visibly.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for piece in text.split_inclusive(' ') {
        let whole: usize = piece.trim_end().chars().map(width).sum();
        if used > 0 && used + whole > columns && whole <= columns {
            lines.push(String::new());
            used = 0;
        }
        for c in piece.chars() {
            if used + width(c) > columns && c != ' ' {
                lines.push(String::new());
                used = 0;
            }
            lines.last_mut().expect("there is a first line").push(c);
            used += width(c);
        }
    }
    lines.iter_mut().for_each(|line| *line = line.trim_end().to_owned());
    lines.retain(|line| !line.is_empty());
    if lines.len() > LINES_MAX {
        lines.truncate(LINES_MAX);
        let last = lines.last_mut().expect("there are some");
        last.pop();
        last.push('…');
    }
    lines
}

/// Columns of a character: Chinese ones are as wide as they are high, Latin capitals nearly.
fn width(c: char) -> usize {
    let narrow = c == '\u{a0}' || (c.is_ascii() && !c.is_ascii_uppercase() && !matches!(c, 'm' | 'w' | '%' | '@'));
    if narrow { 1 } else { 2 }
}

impl Band {
    const fn class(self) -> &'static str {
        match self {
            Self::Spent => "spent",
            Self::Held => "held",
            Self::Fee => "fee",
            Self::Back => "back",
        }
    }
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
        assert_eq!(wrapped("Hospital bills and deposits", COLUMNS), ["Hospital bills and", "deposits"]);
        assert_eq!(wrapped("住院费与预交金", COLUMNS), ["住院费与预交金"]);
        assert_eq!(wrapped("经 白血病患儿紧急救助专项基金会", COLUMNS).len(), 2);
        let long = wrapped(&"x".repeat(500), COLUMNS);
        assert!(long.len() == 4 && long[3].ends_with("x…") && wrapped("", COLUMNS).is_empty());
        assert_eq!(wrapped("123,456,189.00 yuan", SUM_COLUMNS), ["123,456,189.00", "yuan"]);
        assert_eq!(wrapped("123,456,189.00 元", SUM_COLUMNS).len(), 1);
    }

    #[test]
    fn a_long_heading_is_broken_and_the_picture_grows() {
        let heading = "88.00 元 → 吴忠市利通区儿童重大疾病医疗救助专项基金";
        assert_eq!(wrapped(heading, HEAD_COLUMNS).concat().replace(' ', ""), heading.replace(' ', ""));
        let tall = |head: &str| {
            let picture = svg(100, head, &[used(40)], None, "sentence");
            let height = picture.split('"').nth(3).and_then(|view| view.rsplit(' ').next()?.parse::<i64>().ok());
            height.expect("a height")
        };
        assert_eq!(tall(heading) - tall("88.00 元 → 日常"), LEADING);
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
