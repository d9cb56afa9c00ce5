//! Charts as vector marks, readable in black and white: bars are hatched, lines are dark.

#![expect(clippy::float_arithmetic, reason = "geometry of a page, never money")]

use super::ReportError;
use super::document::{ChartShape, Document, amount_text};
use super::font::Face;
use super::labels::{Labels, Language};
use super::layout::{Ink, Mark, points};
use super::wrap::wrap;
use crate::values::{Day, Unit, amount::format_minor};

/// Where a chart is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
}

const TEXT: f32 = 7.5;
const BAR_STEP: f32 = 25.0;
const STEP_LINE_HEIGHT: f32 = 168.0;
const AXIS: f32 = 20.0;

/// How high a chart is.
pub(super) fn height(shape: &ChartShape) -> f32 {
    match shape {
        ChartShape::StepLine(_) => STEP_LINE_HEIGHT,
        ChartShape::Bars(bars) => BAR_STEP * points(bars.len()) + AXIS,
    }
}

/// The marks of a chart.
pub(super) fn draw(shape: &ChartShape, area: Area, document: &Document) -> Result<Vec<Mark>, ReportError> {
    match shape {
        ChartShape::StepLine(steps) => step_line(steps, area, document),
        ChartShape::Bars(bars) => draw_bars(bars, area, document),
    }
}

/// An axis: ticks in minor units and what they are counted in.
struct Scale {
    low: i64,
    high: i64,
    ticks: Vec<(i64, String)>,
    unit: String,
}

impl Scale {
    /// Round ticks around all values; 万元 (zh) or thousands (en) from 10,000 up.
    fn around(values: impl Iterator<Item = i64> + Clone, document: &Document) -> Self {
        let labels = document.labels();
        let low = values.clone().min().unwrap_or(0).min(0);
        let high = values.max().unwrap_or(0).max(0);
        let major = 10_i64.pow(document.unit.minor_digits());
        let span = i128::from(high) - i128::from(low);
        let step = round_step(i64::try_from(span / 6).unwrap_or(i64::MAX).max(1));
        let (first, last) = (low.div_euclid(step), high.div_euclid(step) + i64::from(high.rem_euclid(step) > 0));
        let last = last.max(first + 1);
        let is_large = high.max(low.saturating_neg()) >= major.saturating_mul(10_000);
        let (key, scale) = match (is_large, document.language) {
            (false, _) => ("axis.ones", major),
            (true, Language::Zh) => ("axis.scaled", major * 10_000),
            (true, Language::En) => ("axis.scaled", major * 1_000),
        };
        let ticks =
            (first..=last).map(|n| n.saturating_mul(step)).map(|minor| (minor, tick_text(minor, scale))).collect();
        let unit = axis_unit(labels, key, document.unit);
        Self { low: first.saturating_mul(step), high: last.saturating_mul(step), ticks, unit }
    }

    /// Where a value stands between low (0) and high (1), in ten-thousandths.
    fn place(&self, minor: i64) -> f32 {
        let span = i128::from(self.high) - i128::from(self.low);
        let above = i128::from(minor) - i128::from(self.low);
        let ten_thousandths = u16::try_from((above * 10_000 / span).clamp(0, 10_000)).unwrap_or(10_000);
        f32::from(ten_thousandths) / 10_000.0
    }
}

fn axis_unit(labels: &Labels, key: &str, unit: Unit) -> String {
    labels.fill(key, &[("currency", &labels.unit(unit))])
}

/// The least of 1, 2 or 5 times a power of ten that is not below `least`.
fn round_step(least: i64) -> i64 {
    let mut power = 1_i64;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if step >= least {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// `minor / scale` exactly, without trailing zeros: 2, 0.5.
fn tick_text(minor: i64, scale: i64) -> String {
    let sign = if minor < 0 { "−" } else { "" };
    let (minor, scale) = (minor.unsigned_abs(), scale.unsigned_abs().max(1));
    let whole = format_minor(i64::try_from(minor / scale).unwrap_or(i64::MAX), whole_unit());
    let digits = usize::try_from(scale.ilog10()).unwrap_or(0);
    let fraction = format!("{:0>digits$}", minor % scale);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

/// A unit without decimals, for whole numbers with separators.
fn whole_unit() -> Unit {
    Unit::VND
}

fn step_line(steps: &[(Day, i64)], area: Area, document: &Document) -> Result<Vec<Mark>, ReportError> {
    let (Some((first, _)), Some((last, _))) = (steps.first(), steps.last()) else { return Ok(Vec::new()) };
    let scale = Scale::around(steps.iter().map(|step| step.1), document);
    let mut marks = Vec::new();
    let mut widest = 0.0_f32;
    for (_, text) in &scale.ticks {
        widest = widest.max(Face::Regular.width(text, TEXT)?);
    }
    let (left, right) = (area.x + widest + 8.0, area.x + area.width - 4.0);
    let (top, bottom) = (area.y + 16.0, area.y + area.height - AXIS);
    let y_of = |minor: i64| bottom - scale.place(minor) * (bottom - top);
    let days = last.days_since(*first).max(1);
    let x_of = |day: Day| left + 6.0 + fraction(day.days_since(*first), days) * (right - left - 12.0);
    marks.push(label(area.x, area.y + 6.0, Ink::Quiet, scale.unit.clone()));
    for (minor, text) in &scale.ticks {
        let (y, width) = (y_of(*minor), Face::Regular.width(text, TEXT)?);
        let (thickness, ink) = if *minor == 0 { (0.6, Ink::Text) } else { (0.3, Ink::Hairline) };
        marks.push(Mark::Line { points: vec![(left, y), (right, y)], width: thickness, ink });
        marks.push(label(left - 5.0 - width, y + TEXT * 0.36, Ink::Quiet, text.clone()));
    }
    let mut path: Vec<(f32, f32)> = Vec::with_capacity(steps.len() * 2);
    for (day, balance) in steps {
        let (x, y) = (x_of(*day), y_of(*balance));
        path.extend(path.last().map(|(_, before)| (x, *before)));
        path.push((x, y));
    }
    if steps.len() <= 40 {
        for (day, balance) in steps {
            let (x, y) = (x_of(*day), y_of(*balance));
            marks.push(Mark::Fill { x: x - 1.6, y: y - 1.6, width: 3.2, height: 3.2, ink: Ink::Accent });
        }
    }
    marks.push(Mark::Line { points: path, width: 1.2, ink: Ink::Accent });
    let mut free_from = f32::MIN;
    let (last_text, last_x) = (last.to_string(), x_of(*last));
    let half = Face::Regular.width(&last_text, TEXT)? / 2.0;
    let last_start = (last_x - half).min(right - 2.0 * half);
    for (day, _) in steps.iter().take(steps.len() - 1) {
        let (text, x) = (day.to_string(), x_of(*day));
        let start = (x - half).max(left);
        if start > free_from && start + 2.0 * half + 14.0 < last_start {
            marks.push(Mark::Line { points: vec![(x, bottom), (x, bottom + 3.0)], width: 0.4, ink: Ink::Quiet });
            marks.push(label(start, bottom + 12.0, Ink::Quiet, text));
            free_from = start + 2.0 * half + 14.0;
        }
    }
    marks.push(Mark::Line { points: vec![(last_x, bottom), (last_x, bottom + 3.0)], width: 0.4, ink: Ink::Quiet });
    marks.push(label(last_start, bottom + 12.0, Ink::Quiet, last_text));
    Ok(marks)
}

fn draw_bars(bars: &[(String, i64)], area: Area, document: &Document) -> Result<Vec<Mark>, ReportError> {
    let scale = Scale::around(bars.iter().map(|bar| bar.1), document);
    let mut marks = Vec::new();
    let (mut names, mut figures) = (0.0_f32, 0.0_f32);
    for (name, minor) in bars {
        names = names.max(Face::Regular.width(name, TEXT + 1.0)?);
        figures = figures.max(Face::Bold.width(&amount_text(*minor, document.unit), TEXT)?);
    }
    let unit_width = Face::Regular.width(&scale.unit, TEXT)?;
    let names = names.min(area.width * 0.32).max(unit_width);
    let (left, right) = (area.x + names + 10.0, area.x + area.width - figures - 8.0);
    let (top, bottom) = (area.y + 2.0, area.y + 2.0 + BAR_STEP * points(bars.len()));
    let x_of = |minor: i64| left + scale.place(minor) * (right - left);
    let mut free_from = f32::MIN;
    for (minor, text) in &scale.ticks {
        let (x, width) = (x_of(*minor), Face::Regular.width(text, TEXT)?);
        let (thickness, ink) = if *minor == 0 { (0.8, Ink::Text) } else { (0.3, Ink::Hairline) };
        marks.push(Mark::Line { points: vec![(x, top), (x, bottom)], width: thickness, ink });
        if x - width / 2.0 > free_from {
            marks.push(label(x - width / 2.0, bottom + 11.0, Ink::Quiet, text.clone()));
            free_from = x + width / 2.0 + 6.0;
        }
    }
    marks.push(label(left - 8.0 - unit_width, bottom + 11.0, Ink::Quiet, scale.unit.clone()));
    for (place, (name, minor)) in bars.iter().enumerate() {
        let y = top + BAR_STEP * points(place) + 6.0;
        let height = BAR_STEP - 12.0;
        let lines = wrap(name, Face::Regular, TEXT + 1.0, names + 0.5)?;
        let leading = (TEXT + 1.0) * 1.2;
        let mut text_y = y + height / 2.0 + (TEXT + 1.0) * 0.37 - leading * points(lines.len() - 1) / 2.0;
        for line in lines {
            let x = left - 8.0 - line.width;
            marks.push(Mark::Text {
                x,
                y: text_y,
                face: Face::Regular,
                size: TEXT + 1.0,
                ink: Ink::Text,
                text: line.text,
            });
            text_y += leading;
        }
        let (from, to) = (x_of(0.min(*minor)), x_of(0.max(*minor)));
        if to - from > 0.1 {
            hatched(from, y, to - from, height, &mut marks);
        }
        let figure = amount_text(*minor, document.unit);
        let baseline = y + height / 2.0 + TEXT * 0.37;
        let ground = Face::Bold.width(&figure, TEXT)? + 4.0;
        marks.push(Mark::Fill { x: to + 3.0, y, width: ground, height, ink: Ink::Paper });
        marks.push(Mark::Text { x: to + 5.0, y: baseline, face: Face::Bold, size: TEXT, ink: Ink::Text, text: figure });
    }
    Ok(marks)
}

/// A rectangle with a pale ground, slanted lines and an outline.
fn hatched(x: f32, y: f32, width: f32, height: f32, marks: &mut Vec<Mark>) {
    marks.push(Mark::Fill { x, y, width, height, ink: Ink::Pale });
    let mut offset = 3.5;
    while offset < width + height {
        // The line through (x + offset, y) and (x + offset − height, y + height), kept inside.
        let from = if offset <= width { (x + offset, y) } else { (x + width, y + offset - width) };
        let to = if offset <= height { (x, y + offset) } else { (x + offset - height, y + height) };
        marks.push(Mark::Line { points: vec![from, to], width: 0.7, ink: Ink::Accent });
        offset += 3.5;
    }
    let outline = vec![(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)];
    marks.push(Mark::Line { points: outline, width: 0.7, ink: Ink::Accent });
}

fn label(x: f32, y: f32, ink: Ink, text: String) -> Mark {
    Mark::Text { x, y, face: Face::Regular, size: TEXT, ink, text }
}

/// `part / whole` for distances along an axis of days.
#[expect(clippy::as_conversions, reason = "geometry of a page: days along an axis")]
fn fraction(part: i64, whole: i64) -> f32 {
    part as f32 / whole as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_exact() {
        assert_eq!([1, 3, 12, 1_200_000, 2_000_000].map(round_step), [1, 5, 20, 2_000_000, 2_000_000]);
        assert_eq!(tick_text(2_000_000, 1_000_000), "2");
        assert_eq!(tick_text(500_000, 1_000_000), "0.5");
        assert_eq!(tick_text(-150_000_000, 100_000), "−1,500");
        assert_eq!(tick_text(250, 1), "250");
    }
}
