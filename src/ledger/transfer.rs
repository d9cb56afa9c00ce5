//! The map of a transfer. Its outs, laid end to end (m units), map onto its ins, laid end to end (n units): the part `[a, b)`
//! becomes `[⌊a·n/m⌋, ⌊b·n/m⌋)`, which may be empty in a conversion.

use crate::values::Span;

/// Positions of a line, by the line's place in the [`super::posting::Book`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Placed {
    /// Place of the line.
    pub line: usize,
    /// The positions.
    pub span: Span,
}

/// Both sides of a transfer, in the order of its posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// What left.
    pub outs: Vec<Placed>,
    /// What arrived.
    pub ins: Vec<Placed>,
    /// The sides have different units.
    pub conversion: bool,
}

impl Transfer {
    /// m: units that left.
    pub fn source_length(&self) -> u64 {
        length(&self.outs)
    }

    /// n: units that arrived.
    pub fn image_length(&self) -> u64 {
        length(&self.ins)
    }

    /// Where the positions of a piece of the source went, in order.
    pub fn image(&self, piece: Placed) -> Vec<Placed> {
        let (m, n) = (self.source_length(), self.image_length());
        let scale = |a: u64| {
            let scaled = u128::from(a) * u128::from(n) / u128::from(m);
            u64::try_from(scaled).expect("a·n/m is at most n")
        };
        let mut image = Vec::new();
        for (offset, part) in offsets_of(&self.outs, piece) {
            if let Some(target) = Span::new(scale(offset), scale(offset + part.length())) {
                image.extend(slice(&self.ins, target));
            }
        }
        image
    }

    /// Pieces of the source from which positions of a piece of the destination may have come: for each of them all of the source
    /// whose image overlaps it. In one unit exactly the pre-image; in a conversion at most two positions more.
    pub fn source(&self, piece: Placed) -> Vec<Placed> {
        let (m, n) = (u128::from(self.source_length()), u128::from(self.image_length()));
        let mut source = Vec::new();
        for (offset, part) in offsets_of(&self.ins, piece) {
            let from = u128::from(offset) * m / n;
            let to = ((u128::from(offset + part.length())) * m).div_ceil(n).min(m);
            let (from, to) = if self.conversion { (from.saturating_sub(1), (to + 1).min(m)) } else { (from, to) };
            let (from, to) = (u64::try_from(from).expect("at most m"), u64::try_from(to).expect("at most m"));
            if let Some(target) = Span::new(from, to) {
                source.extend(slice(&self.outs, target));
            }
        }
        source
    }

    /// True where `freed` is all that left.
    pub(super) fn is_whole_source(&self, freed: &[Placed]) -> bool {
        merged(freed.to_vec()) == merged(self.outs.clone())
    }

    /// True where `voided` is exactly the image of `freed`.
    pub(super) fn is_image(&self, freed: &[Placed], voided: &[Placed]) -> bool {
        let image = if self.conversion && self.is_whole_source(freed) {
            self.ins.clone()
        } else {
            freed.iter().flat_map(|piece| self.image(*piece)).collect()
        };
        merged(image) == merged(voided.to_vec())
    }
}

fn length(side: &[Placed]) -> u64 {
    side.iter().map(|placed| placed.span.length()).sum()
}

/// The parts of `piece` that lie on a side, each with its offset in the side laid end to end.
fn offsets_of(side: &[Placed], piece: Placed) -> Vec<(u64, Span)> {
    let mut parts = Vec::new();
    let mut start = 0;
    for placed in side {
        if placed.line == piece.line
            && let Some(part) = placed.span.overlap(piece.span)
        {
            parts.push((start + part.from - placed.span.from, part));
        }
        start += placed.span.length();
    }
    parts
}

/// The positions of a side laid end to end that `target` covers.
fn slice(side: &[Placed], target: Span) -> Vec<Placed> {
    let mut parts = Vec::new();
    let mut start = 0;
    for placed in side {
        let here = Span { from: start, to: start + placed.span.length() };
        if let Some(part) = here.overlap(target) {
            let from = placed.span.from + part.from - start;
            parts.push(Placed { line: placed.line, span: Span { from, to: from + part.length() } });
        }
        start = here.to;
    }
    parts
}

/// The same positions as a sorted list of maximal pieces.
fn merged(mut pieces: Vec<Placed>) -> Vec<Placed> {
    pieces.sort_unstable();
    let mut merged: Vec<Placed> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match merged.last_mut() {
            Some(last) if last.line == piece.line && last.span.to == piece.span.from => last.span.to = piece.span.to,
            _ => merged.push(piece),
        }
    }
    merged
}
