//! The posting algebra: `in`, `hold`, `out`, `free`, `void`, and the rules of a whole entry.
//!
//! ```text
//!             in              hold            out
//!    (new) ───────▶ free ───────────▶ held ───────────▶ spent
//!                   │ ▲ ◀──── free ───┘                  │
//!                   │ └────────────── free ──────────────┘
//!                   ├───────────── out ─────────▶ spent
//!                   └───────────── void ────────▶ void
//! ```
//! An entry that breaks a rule changes nothing, and is accepted by nobody.

use super::cash;
use super::entry::{RawCash, RawPost};
use super::line::{Line, Mark, Replaced, State};
use super::transfer::{Placed, Transfer};
use crate::values::{INTEGER_MAX, LineName, Span};
use std::collections::BTreeMap;
use std::fmt;

/// Most posts of one entry.
pub const POSTS_MAX: usize = 500;

/// A rule of the algebra; its name is its stable code. In the order in which they are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// More than 500 posts.
    TooManyPosts,
    /// `line` is not `<fund>/<unit>`.
    LineName,
    /// `op` is none of the five.
    UnknownOp,
    /// Not 0 ≤ from < to ≤ 2^53 − 1.
    Interval,
    /// `of` is missing where it is needed, or stands where it is not.
    OfMisplaced,
    /// `of` is not an earlier entry.
    OfNotEarlier,
    /// An inflow must start where the line ends.
    InNotAtEnd,
    /// The line does not reach that far.
    BeyondEnd,
    /// Some of the positions are not free.
    NotFree,
    /// Some of the positions are not held by that entry.
    NotHeldBy,
    /// The positions are neither all held nor all spent by that entry.
    NotHeldOrSpentBy,
    /// Some of the positions were not brought in by that entry.
    NotBroughtInBy,
    /// An `out` takes some of the entry's own inflow and some other money.
    OwnInflowMixed,
    /// A transfer holds something else, or a line stands on both sides, or units are mixed on one side.
    TransferShape,
    /// In one unit, what leaves is not what arrives.
    TransferSums,
    /// A conversion is taken back only as a whole.
    ConversionWhole,
    /// What is freed at the source is not what is voided at the destination.
    ImageDiffers,
    /// A row of `cash` has a bad account, unit or amount.
    CashRow,
    /// Cash does not change by what the posts say.
    CashDiffers,
}

impl Rule {
    /// All rules, in the order in which they are judged.
    pub const ALL: [Self; 19] = [
        Self::TooManyPosts,
        Self::LineName,
        Self::UnknownOp,
        Self::Interval,
        Self::OfMisplaced,
        Self::OfNotEarlier,
        Self::InNotAtEnd,
        Self::BeyondEnd,
        Self::NotFree,
        Self::NotHeldBy,
        Self::NotHeldOrSpentBy,
        Self::NotBroughtInBy,
        Self::OwnInflowMixed,
        Self::TransferShape,
        Self::TransferSums,
        Self::ConversionWhole,
        Self::ImageDiffers,
        Self::CashRow,
        Self::CashDiffers,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooManyPosts => "too_many_posts",
            Self::LineName => "line_name",
            Self::UnknownOp => "unknown_op",
            Self::Interval => "interval",
            Self::OfMisplaced => "of_misplaced",
            Self::OfNotEarlier => "of_not_earlier",
            Self::InNotAtEnd => "in_not_at_end",
            Self::BeyondEnd => "beyond_end",
            Self::NotFree => "not_free",
            Self::NotHeldBy => "not_held_by",
            Self::NotHeldOrSpentBy => "not_held_or_spent_by",
            Self::NotBroughtInBy => "not_brought_in_by",
            Self::OwnInflowMixed => "own_inflow_mixed",
            Self::TransferShape => "transfer_shape",
            Self::TransferSums => "transfer_sums",
            Self::ConversionWhole => "conversion_whole",
            Self::ImageDiffers => "image_differs",
            Self::CashRow => "cash_row",
            Self::CashDiffers => "cash_differs",
        }
    }

    /// The member of a post that the rule is about.
    const fn member(self) -> &'static str {
        match self {
            Self::LineName => "/line",
            Self::UnknownOp => "/op",
            Self::Interval | Self::BeyondEnd => "/to",
            Self::OfMisplaced
            | Self::OfNotEarlier
            | Self::NotHeldBy
            | Self::NotHeldOrSpentBy
            | Self::NotBroughtInBy => "/of",
            Self::InNotAtEnd | Self::NotFree | Self::OwnInflowMixed => "/from",
            Self::TooManyPosts
            | Self::TransferShape
            | Self::TransferSums
            | Self::ConversionWhole
            | Self::ImageDiffers
            | Self::CashRow
            | Self::CashDiffers => "",
        }
    }
}

/// An entry breaks a rule of the algebra.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {}", rule.code())]
pub struct Broken {
    /// The first rule that it breaks.
    pub rule: Rule,
    /// Where, as `/post/0/from`.
    pub path: String,
}

impl Broken {
    pub(super) fn at_post(rule: Rule, place: usize) -> Self {
        Self { rule, path: format!("/post/{place}{}", rule.member()) }
    }

    pub(super) fn whole(rule: Rule, path: impl fmt::Display) -> Self {
        Self { rule, path: path.to_string() }
    }
}

/// Whether the rule of cash is judged; the algebra alone is used in tests of posts only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CashRule {
    /// Judged, as in every ledger.
    Judged,
    /// Left out.
    Ignored,
}

/// All lines of a ledger and the transfers between them: the state that entries are judged against.
#[derive(Clone, Debug, Default)]
pub struct Book {
    lines: Vec<Line>,
    places: BTreeMap<Box<str>, usize>,
    transfers: BTreeMap<u64, Transfer>,
    undo: Vec<(usize, Replaced)>,
    scratch: Vec<Replaced>,
}

/// What a post does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    In,
    Hold,
    Out,
    Free,
    Void,
}

impl Op {
    /// From the word in the entry.
    pub(super) fn parse(word: &str) -> Option<Self> {
        match word {
            "in" => Some(Self::In),
            "hold" => Some(Self::Hold),
            "out" => Some(Self::Out),
            "free" => Some(Self::Free),
            "void" => Some(Self::Void),
            _ => None,
        }
    }
}

/// A post that was applied.
struct Applied {
    op: Op,
    placed: Placed,
    of: Option<u64>,
    /// Wholly of the entry's own inflow.
    own: bool,
    /// Freed positions that were spent, not held: cash comes back with them.
    was_spent: bool,
}

impl Book {
    /// The lines, in order of first use.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How many runs, inflows and sides of transfers are held.
    pub fn rows(&self) -> usize {
        let lines: usize = self.lines.iter().map(Line::rows).sum();
        let sides: usize = self.transfers.values().map(|transfer| transfer.outs.len() + transfer.ins.len()).sum();
        lines + sides
    }

    /// Place of a line among [`Book::lines`].
    pub fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// A line by its name.
    pub fn line(&self, name: &str) -> Option<&Line> {
        self.places.get(name).and_then(|place| self.lines.get(*place))
    }

    /// A transfer by its entry.
    pub fn transfer(&self, seq: u64) -> Option<&Transfer> {
        self.transfers.get(&seq)
    }

    /// Puts a stored line in place, once.
    pub fn know_line(&mut self, line: Line) {
        let name: Box<str> = line.name().to_string().into();
        if !self.places.contains_key(&name) {
            self.places.insert(name, self.lines.len());
            self.lines.push(line);
        }
    }

    /// Makes a stored inflow known; its line must be.
    pub fn know_inflow(&mut self, line: &str, inflow: super::line::Inflow) {
        if let Some(place) = self.places.get(line) {
            self.lines[*place].know_inflow(inflow);
        }
    }

    /// Makes a stored transfer known, with the lines it touches, by name; they must be known. Repeating it changes nothing.
    pub fn know_transfer(&mut self, seq: u64, outs: &[(LineName, Span)], ins: &[(LineName, Span)]) {
        let place = |(line, span): &(LineName, Span)| {
            self.places.get(line.to_string().as_str()).map(|line| Placed { line: *line, span: *span })
        };
        let outs: Option<Vec<Placed>> = outs.iter().map(place).collect();
        let ins: Option<Vec<Placed>> = ins.iter().map(place).collect();
        if let (Some(outs), Some(ins)) = (outs, ins) {
            let conversion = self.unit_of(&outs) != self.unit_of(&ins);
            self.transfers.insert(seq, Transfer { outs, ins, conversion });
        }
    }

    fn unit_of(&self, side: &[Placed]) -> Option<crate::values::Unit> {
        side.first().map(|placed| self.lines[placed.line].name().unit)
    }

    /// The starts of runs that the last applied entry changed, with their line's place.
    pub fn touched(&self) -> impl Iterator<Item = (usize, u64)> {
        self.undo.iter().map(|(line, replaced)| (*line, replaced.from))
    }

    /// Applies the posts and cash of entry `seq`, or refuses them with the first rule broken and changes nothing.
    pub fn apply(
        &mut self,
        seq: u64,
        posts: &[RawPost<'_>],
        cash: &[RawCash<'_>],
        rule: CashRule,
    ) -> Result<(), Broken> {
        self.undo.clear();
        if posts.len() > POSTS_MAX {
            return Err(Broken::whole(Rule::TooManyPosts, "/post"));
        }
        let lines_before = self.lines.len();
        let mut marks: BTreeMap<usize, Mark> = BTreeMap::new();
        let result = self.apply_posts(seq, posts, &mut marks).and_then(|applied| {
            let transfer = self.judge_transfer(&applied)?;
            self.judge_taken_back(&applied)?;
            if rule == CashRule::Judged {
                let expected = applied.iter().filter_map(|post| {
                    let length = i128::from(post.placed.span.length());
                    let change = match post.op {
                        Op::In => length,
                        Op::Out | Op::Void => -length,
                        Op::Free if post.was_spent => length,
                        Op::Free | Op::Hold => return None,
                    };
                    Some((self.lines[post.placed.line].name().unit, change))
                });
                cash::judge(cash, expected)?;
            }
            Ok(transfer)
        });
        match result {
            Ok(transfer) => {
                if let Some(transfer) = transfer {
                    self.transfers.insert(seq, transfer);
                }
                Ok(())
            }
            Err(broken) => {
                self.take_back(lines_before, &marks);
                Err(broken)
            }
        }
    }

    fn take_back(&mut self, lines_before: usize, marks: &BTreeMap<usize, Mark>) {
        while let Some((line, replaced)) = self.undo.pop() {
            self.lines[line].restore(replaced);
        }
        for (line, mark) in marks {
            self.lines[*line].reset(*mark);
        }
        for line in self.lines.drain(lines_before..) {
            self.places.remove(line.name().to_string().as_str());
        }
    }

    fn apply_posts(
        &mut self,
        seq: u64,
        posts: &[RawPost<'_>],
        marks: &mut BTreeMap<usize, Mark>,
    ) -> Result<Vec<Applied>, Broken> {
        let mut applied = Vec::with_capacity(posts.len());
        for (number, post) in posts.iter().enumerate() {
            applied.push(self.apply_post(seq, post, marks).map_err(|rule| Broken::at_post(rule, number))?);
        }
        Ok(applied)
    }

    fn apply_post(&mut self, seq: u64, post: &RawPost<'_>, marks: &mut BTreeMap<usize, Mark>) -> Result<Applied, Rule> {
        let known = self.places.get(post.line.as_ref()).copied();
        let name = match known {
            Some(_) => None,
            None => Some(LineName::parse(&post.line).ok_or(Rule::LineName)?),
        };
        let op = Op::parse(&post.op).ok_or(Rule::UnknownOp)?;
        let span = position(post.from)
            .zip(position(post.to))
            .and_then(|(from, to)| Span::new(from, to))
            .ok_or(Rule::Interval)?;
        let of = match (op, post.of) {
            (Op::In | Op::Hold | Op::Out, None) => None,
            (Op::Out | Op::Free | Op::Void, Some(of)) => Some(of),
            (Op::In | Op::Hold, Some(_)) | (Op::Free | Op::Void, None) => return Err(Rule::OfMisplaced),
        };
        let of = match of {
            None => None,
            Some(of) => Some(u64::try_from(of).ok().filter(|of| *of < seq).ok_or(Rule::OfNotEarlier)?),
        };
        let line = match (known, name) {
            (Some(line), _) => line,
            (None, Some(name)) => {
                if op != Op::In {
                    return Err(Rule::BeyondEnd);
                }
                self.open_line(name)
            }
            (None, None) => unreachable!("a line that is not known has just been read"),
        };
        let before = *marks.entry(line).or_insert_with(|| self.lines[line].mark());
        let own_from = before.end;
        let was = self.judge_post(op, line, span, of)?;
        let own = op == Op::Out && of.is_none() && span.to > own_from;
        if own && span.from < own_from {
            return Err(Rule::OwnInflowMixed);
        }
        self.change(op, line, span, seq);
        Ok(Applied { op, placed: Placed { line, span }, of, own, was_spent: matches!(was, State::Spent { .. }) })
    }

    /// Judges the positions of one post; gives the state of the first.
    fn judge_post(&self, op: Op, line: usize, span: Span, of: Option<u64>) -> Result<State, Rule> {
        let line = &self.lines[line];
        if op == Op::In {
            return if span.from == line.end() { Ok(State::Free) } else { Err(Rule::InNotAtEnd) };
        }
        if span.to > line.end() {
            return Err(Rule::BeyondEnd);
        }
        let all = |wanted: State| line.runs_in(span).all(|(_, state)| state == wanted);
        let first = line.runs_in(span).next().map(|(_, state)| state).expect("runs cover the line");
        match (op, of) {
            (Op::Out, Some(of)) => {
                if !all(State::Held { by: of }) {
                    return Err(Rule::NotHeldBy);
                }
            }
            (Op::Free, Some(of)) => {
                if !all(State::Held { by: of }) && !all(State::Spent { by: of }) {
                    return Err(Rule::NotHeldOrSpentBy);
                }
            }
            (Op::Void, Some(of)) => {
                if !all(State::Free) {
                    return Err(Rule::NotFree);
                }
                if !line.is_brought_in_by(span, of) {
                    return Err(Rule::NotBroughtInBy);
                }
            }
            (Op::In | Op::Hold | Op::Out | Op::Free | Op::Void, _) => {
                if !all(State::Free) {
                    return Err(Rule::NotFree);
                }
            }
        }
        Ok(first)
    }

    fn open_line(&mut self, name: LineName) -> usize {
        let place = self.lines.len();
        self.places.insert(name.to_string().into(), place);
        self.lines.push(Line::empty(name));
        place
    }

    fn change(&mut self, op: Op, place: usize, span: Span, seq: u64) {
        let line = &mut self.lines[place];
        match op {
            Op::In => line.grow(span.to, seq, &mut self.scratch),
            Op::Hold => line.set(span, State::Held { by: seq }, &mut self.scratch),
            Op::Out => line.set(span, State::Spent { by: seq }, &mut self.scratch),
            Op::Free => line.set(span, State::Free, &mut self.scratch),
            Op::Void => line.set(span, State::Void { by: seq }, &mut self.scratch),
        }
        self.undo.extend(self.scratch.drain(..).map(|replaced| (place, replaced)));
    }

    /// An entry with `in`, and with `out` of positions that it did not itself bring in, is a transfer and must have its shape.
    fn judge_transfer(&self, posts: &[Applied]) -> Result<Option<Transfer>, Broken> {
        let has_in = posts.iter().any(|post| post.op == Op::In);
        if !has_in || !posts.iter().any(|post| post.op == Op::Out && !post.own) {
            return Ok(None);
        }
        let side = |op| posts.iter().filter(move |post| post.op == op).map(|post| post.placed).collect::<Vec<_>>();
        let (outs, ins) = (side(Op::Out), side(Op::In));
        let one_unit = |side: &[Placed]| {
            side.iter().all(|placed| self.lines[placed.line].name().unit == self.lines[side[0].line].name().unit)
        };
        let shape = posts.iter().all(|post| matches!(post.op, Op::In | Op::Out) && !post.own)
            && outs.iter().all(|out| ins.iter().all(|inflow| inflow.line != out.line))
            && one_unit(&outs)
            && one_unit(&ins);
        if !shape {
            return Err(Broken::whole(Rule::TransferShape, "/post"));
        }
        let conversion = self.unit_of(&outs) != self.unit_of(&ins);
        let transfer = Transfer { outs, ins, conversion };
        if !conversion && transfer.source_length() != transfer.image_length() {
            return Err(Broken::whole(Rule::TransferSums, "/post"));
        }
        Ok(Some(transfer))
    }

    /// What is freed of a transfer's source must be voided of its destination: exactly the image, and a conversion only whole.
    fn judge_taken_back(&self, posts: &[Applied]) -> Result<(), Broken> {
        let mut sides: BTreeMap<u64, (Vec<Placed>, Vec<Placed>)> = BTreeMap::new();
        for post in posts {
            let Some(of) = post.of.filter(|of| self.transfers.contains_key(of)) else {
                continue;
            };
            let (freed, voided) = sides.entry(of).or_default();
            match post.op {
                Op::Free => freed.push(post.placed),
                Op::Void => voided.push(post.placed),
                Op::In | Op::Hold | Op::Out => {}
            }
        }
        for (of, (freed, _)) in &sides {
            let transfer = &self.transfers[of];
            if transfer.conversion && !freed.is_empty() && !transfer.is_whole_source(freed) {
                return Err(Broken::whole(Rule::ConversionWhole, "/post"));
            }
        }
        for (of, (freed, voided)) in &sides {
            if !self.transfers[of].is_image(freed, voided) {
                return Err(Broken::whole(Rule::ImageDiffers, "/post"));
            }
        }
        Ok(())
    }
}

/// A position within 0 … 2^53 − 1.
fn position(n: i64) -> Option<u64> {
    u64::try_from(n).ok().filter(|_| n <= INTEGER_MAX)
}
