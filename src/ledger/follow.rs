//! A gift followed through the entries that touch it, without the rest of the ledger: what a receipt shows, checked post by post.
//!
//! Each post is held to the rules of its operation on the positions of the gift, so that none of the entries in between can be left
//! out: money cannot be spent twice, come back from where it is not, or be paid out of a hold that is not shown.

use super::canonical::Value;
use super::entry::Entry;
use super::line::State;
use super::posting::Op;
use super::transfer::{Placed, Transfer};
use crate::values::{LineName, Span};
use std::collections::BTreeMap;

/// Where the positions of a gift are, entry by entry.
#[derive(Clone, Debug)]
pub struct Follow {
    names: Vec<LineName>,
    places: BTreeMap<LineName, usize>,
    pieces: Vec<(Placed, State)>,
    transfers: BTreeMap<u64, Transfer>,
    last: u64,
}

/// What became of a part of the gift.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fate {
    /// Free, or by whom it is held, spent or void.
    pub state: State,
    /// On which line.
    pub line: LineName,
    /// Minor units of the line.
    pub amount: u64,
}

/// What a gift says that it is, in minor units of its unit; `None` where it brings in something else.
pub fn amount(gift: &Entry<'_>) -> Option<u64> {
    let unit = gift.body.get("unit").and_then(Value::as_text)?;
    let inflows = gift.post.iter().filter(|post| post.op == "in");
    let brought = inflows.map(|post| {
        let is_of_unit = post.line.split_once('/').is_some_and(|(_, of)| of == unit);
        post.to.checked_sub(post.from).filter(|_| is_of_unit)
    });
    let brought = brought.reduce(|sum, length| sum?.checked_add(length?)).flatten()?;
    let is_said = gift.body.get("amount").and_then(Value::as_integer) == Some(brought);
    u64::try_from(brought).ok().filter(|_| is_said)
}

/// The parts that a gift may come to be in; a receipt has at most 2,000 entries.
const PIECES_MAX: usize = 100_000;

/// Why entries do not tell what became of a gift.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The first entry brings nothing in.
    #[error("entry {0} brings no money in")]
    NoGift(u64),
    /// The entries stand in the wrong order, or one stands twice.
    #[error("entry {seq} does not come after entry {last}")]
    Order {
        /// The entry.
        seq: u64,
        /// The one before it.
        last: u64,
    },
    /// A post cannot be read.
    #[error("entry {seq}, /post/{place}: this is no post")]
    Post {
        /// The entry.
        seq: u64,
        /// Its place.
        place: usize,
    },
    /// A transfer gives another amount than it takes, of one unit, or several units on one side.
    #[error("entry {0} moves another amount between lines than it takes")]
    Sums(u64),
    /// More parts than any gift is in.
    #[error("entry {0} would divide the gift into more than 100,000 parts")]
    TooManyParts(u64),
    /// A post finds the money in another state than it needs: an entry in between is missing, or one is not what it was.
    #[error(
        "entry {seq}, /post/{place}: the gift's money is not {wanted} here; an entry before it is missing or was changed"
    )]
    State {
        /// The entry.
        seq: u64,
        /// Its place.
        place: usize,
        /// The state that it needs.
        wanted: &'static str,
    },
}

/// A post that can be read.
struct Post {
    op: Op,
    placed: Placed,
    of: Option<u64>,
}

impl Follow {
    /// Starts with the entry of the gift: all that it brings in.
    pub fn begin(gift: &Entry<'_>) -> Result<Self, FollowError> {
        let mut follow = Self { last: gift.seq, ..Self::empty() };
        let posts = follow.posts(gift)?;
        let inflows = posts.iter().filter(|post| post.op == Op::In);
        follow.pieces = inflows.map(|post| (post.placed, State::Free)).collect();
        if follow.pieces.is_empty() {
            return Err(FollowError::NoGift(gift.seq));
        }
        follow.transfer(gift.seq, &posts)?;
        follow.apply(gift.seq, &posts)?;
        Ok(follow)
    }

    fn empty() -> Self {
        Self { names: Vec::new(), places: BTreeMap::new(), pieces: Vec::new(), transfers: BTreeMap::new(), last: 0 }
    }

    /// Follows a later entry; whether it touches the gift's money.
    pub fn step(&mut self, entry: &Entry<'_>) -> Result<bool, FollowError> {
        if entry.seq <= self.last {
            return Err(FollowError::Order { seq: entry.seq, last: self.last });
        }
        self.last = entry.seq;
        let posts = self.posts(entry)?;
        if let Some(transfer) = self.transfer(entry.seq, &posts)? {
            self.transfers.insert(entry.seq, transfer);
        }
        self.apply(entry.seq, &posts)
    }

    /// Where an entry takes positions to: the image of the part of them that it moves into other lines; none where it moves nothing.
    pub fn moved_on(entry: &Entry<'_>, line: &LineName, span: Span) -> Result<Vec<(LineName, Span)>, FollowError> {
        let mut own = Self::empty();
        let place = own.place(line.clone());
        let posts = own.posts(entry)?;
        let Some(transfer) = own.transfer(entry.seq, &posts)? else { return Ok(Vec::new()) };
        let image = transfer.image(Placed { line: place, span });
        Ok(image.into_iter().map(|placed| (own.names[placed.line].clone(), placed.span)).collect())
    }

    /// What became of the gift: its parts add up to it, in one unit.
    pub fn fates(&self) -> Vec<Fate> {
        let mut sums: BTreeMap<(State, &LineName), u64> = BTreeMap::new();
        for (placed, state) in &self.pieces {
            let moved = matches!(state, State::Spent { by } if self.transfers.contains_key(by));
            let taken_back = matches!(state, State::Void { by } if self.is_image(*by, placed));
            if !moved && !taken_back {
                *sums.entry((*state, &self.names[placed.line])).or_default() += placed.span.length();
            }
        }
        let fate = |((state, line), amount): ((State, &LineName), u64)| Fate { state, line: line.clone(), amount };
        sums.into_iter().map(fate).collect()
    }

    /// The number of a line.
    fn place(&mut self, line: LineName) -> usize {
        let next = self.names.len();
        let place = *self.places.entry(line.clone()).or_insert(next);
        if place == next {
            self.names.push(line);
        }
        place
    }

    fn posts(&mut self, entry: &Entry<'_>) -> Result<Vec<Post>, FollowError> {
        let mut posts = Vec::with_capacity(entry.post.len());
        for (place, raw) in entry.post.iter().enumerate() {
            let bad = || FollowError::Post { seq: entry.seq, place };
            let op = Op::parse(&raw.op).ok_or_else(bad)?;
            let line = LineName::parse(&raw.line).ok_or_else(bad)?;
            let line = self.place(line);
            let (from, to) = (u64::try_from(raw.from), u64::try_from(raw.to));
            let span = from.ok().zip(to.ok()).and_then(|(from, to)| Span::new(from, to)).ok_or_else(bad)?;
            let of = raw.of.map(u64::try_from).transpose().map_err(|_| bad())?;
            let has_its_of = match op {
                Op::In | Op::Hold => of.is_none(),
                Op::Out => true,
                Op::Free | Op::Void => of.is_some(),
            };
            // What comes in gets positions of its own.
            let is_doubled = op == Op::In
                && posts.iter().any(|post: &Post| {
                    post.op == Op::In && post.placed.line == line && post.placed.span.overlap(span).is_some()
                });
            if !has_its_of || is_doubled {
                return Err(bad());
            }
            posts.push(Post { op, placed: Placed { line, span }, of });
        }
        Ok(posts)
    }

    /// The map of an entry that moves money between lines; none where money only comes in, or only goes out.
    fn transfer(&self, seq: u64, posts: &[Post]) -> Result<Option<Transfer>, FollowError> {
        let side = |op| posts.iter().filter(move |post| post.op == op).map(|post| post.placed);
        let ins: Vec<Placed> = side(Op::In).collect();
        let outs: Vec<Placed> = side(Op::Out).filter(|out| ins.iter().all(|inflow| inflow.line != out.line)).collect();
        let (Some(first_out), Some(first_in)) = (outs.first(), ins.first()) else { return Ok(None) };
        let unit = |placed: &Placed| self.names[placed.line].unit;
        let sum = |side: &[Placed]| side.iter().map(|placed| placed.span.length()).sum::<u64>();
        let conversion = unit(first_out) != unit(first_in);
        let is_mixed = outs.iter().any(|out| unit(out) != unit(first_out))
            || ins.iter().any(|inflow| unit(inflow) != unit(first_in));
        if is_mixed || (!conversion && sum(&outs) != sum(&ins)) {
            return Err(FollowError::Sums(seq));
        }
        Ok(Some(Transfer { outs, ins, conversion }))
    }

    /// Applies the posts of an entry; whether one of them touches the gift's money.
    fn apply(&mut self, seq: u64, posts: &[Post]) -> Result<bool, FollowError> {
        let (mut arrived, mut touches) = (Vec::new(), false);
        for (place, post) in posts.iter().enumerate() {
            let (wanted, next): (&'static str, State) = match post.op {
                Op::In => continue,
                Op::Hold => ("free", State::Held { by: seq }),
                Op::Out if post.of.is_some() => ("held by the entry that it names", State::Spent { by: seq }),
                Op::Out => ("free", State::Spent { by: seq }),
                Op::Free => ("held or spent by the entry that it names", State::Free),
                Op::Void => ("free", State::Void { by: seq }),
            };
            let mut pieces = Vec::with_capacity(self.pieces.len() + 2);
            for (placed, state) in self.pieces.drain(..) {
                let common = (placed.line == post.placed.line).then(|| placed.span.overlap(post.placed.span)).flatten();
                let Some(common) = common else {
                    pieces.push((placed, state));
                    continue;
                };
                touches = true;
                if !fits(post, state) {
                    return Err(FollowError::State { seq, place, wanted });
                }
                let rest = [Span::new(placed.span.from, common.from), Span::new(common.to, placed.span.to)];
                pieces.extend(rest.into_iter().flatten().map(|span| (Placed { span, ..placed }, state)));
                let taken = Placed { span: common, ..placed };
                pieces.push((taken, next));
                if let (Op::Out, Some(transfer)) = (post.op, self.transfers.get(&seq)) {
                    arrived.extend(transfer.image(taken).into_iter().map(|image| (image, State::Free)));
                }
            }
            self.pieces = pieces;
            if self.pieces.len() + arrived.len() > PIECES_MAX {
                return Err(FollowError::TooManyParts(seq));
            }
        }
        self.pieces.extend(arrived);
        Ok(touches)
    }

    /// Whether an entry took back a transfer that had brought these positions in.
    fn is_image(&self, by: u64, placed: &Placed) -> bool {
        self.transfers.iter().any(|(seq, transfer)| {
            *seq < by
                && transfer
                    .ins
                    .iter()
                    .any(|inflow| inflow.line == placed.line && inflow.span.overlap(placed.span) == Some(placed.span))
        })
    }
}

/// Whether a post finds money in the state that it needs.
fn fits(post: &Post, state: State) -> bool {
    match (post.op, post.of, state) {
        (Op::Hold | Op::Out, None, State::Free) | (Op::Void, Some(_), State::Free) => true,
        (Op::Out, Some(of), State::Held { by }) | (Op::Free, Some(of), State::Held { by } | State::Spent { by }) => {
            of == by
        }
        (Op::In | Op::Hold | Op::Out | Op::Free | Op::Void, _, _) => false,
    }
}
