//! A line: the positions of one fund in one unit, as maximal runs of one state and one owner.

use crate::values::{LineName, Span};
use std::collections::BTreeMap;

/// What became of a position, and the entry that made it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Can be held, spent or given back.
    Free,
    /// Promised by entry `by`.
    Held {
        /// The entry that holds it.
        by: u64,
    },
    /// Gone by entry `by`: paid, charged, or moved into another line.
    Spent {
        /// The entry that spent it.
        by: u64,
    },
    /// Void for good by entry `by`: given back to the donor, bounced, taken back.
    Void {
        /// The entry that voided it.
        by: u64,
    },
}

/// A maximal run: all its positions have one state and one owner, its neighbours another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// One past its last position.
    pub to: u64,
    /// State and owner.
    pub state: State,
}

/// Positions that one entry brought in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inflow {
    /// The positions.
    pub span: Span,
    /// The entry.
    pub seq: u64,
}

/// How many positions are in which state; they add up to the line's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Totals {
    /// Free positions.
    pub free: u64,
    /// Held positions.
    pub held: u64,
    /// Spent positions.
    pub spent: u64,
    /// Void positions.
    pub void: u64,
}

/// The current state of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    name: LineName,
    end: u64,
    runs: BTreeMap<u64, Run>,
    inflows: Vec<Inflow>,
    totals: Totals,
    /// No position below this one is free: where the search for the lowest free money starts.
    first_free: u64,
}

/// Where a line stood before an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) end: u64,
    inflows: usize,
    totals: Totals,
    first_free: u64,
}

/// What a mutation replaced, so that a refused entry changes nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replaced {
    pub(super) from: u64,
    old: Option<Run>,
}

impl Totals {
    fn of_mut(&mut self, state: State) -> &mut u64 {
        match state {
            State::Free => &mut self.free,
            State::Held { .. } => &mut self.held,
            State::Spent { .. } => &mut self.spent,
            State::Void { .. } => &mut self.void,
        }
    }

    /// All positions: the line's end.
    pub const fn end(&self) -> u64 {
        self.free + self.held + self.spent + self.void
    }
}

impl Line {
    /// A line into which nothing flowed yet.
    pub const fn empty(name: LineName) -> Self {
        let totals = Totals { free: 0, held: 0, spent: 0, void: 0 };
        Self { name, end: 0, runs: BTreeMap::new(), inflows: Vec::new(), totals, first_free: 0 }
    }

    /// A line from its stored runs, which must cover `[0, end)` without gap, and from those of its inflows that will be asked for.
    /// `None` where the runs leave a gap or overlap.
    pub fn from_rows(name: LineName, runs: impl IntoIterator<Item = (Span, State)>) -> Option<Self> {
        let mut line = Self::empty(name);
        for (span, state) in runs {
            if span.from != line.end {
                return None;
            }
            line.runs.insert(span.from, Run { to: span.to, state });
            *line.totals.of_mut(state) += span.length();
            line.end = span.to;
        }
        line.pass_taken();
        Some(line)
    }

    /// Makes an inflow known that was stored earlier. Repeating it changes nothing.
    pub fn know_inflow(&mut self, inflow: Inflow) {
        if let Err(place) = self.inflows.binary_search(&inflow) {
            self.inflows.insert(place, inflow);
        }
    }

    /// Name of the line.
    pub const fn name(&self) -> &LineName {
        &self.name
    }

    /// One past the last position.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Positions by state.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// All runs in order.
    pub fn runs(&self) -> impl Iterator<Item = (Span, State)> {
        self.runs.iter().map(|(from, run)| (Span { from: *from, to: run.to }, run.state))
    }

    /// How many runs and inflows are held.
    pub fn rows(&self) -> usize {
        self.runs.len() + self.inflows.len()
    }

    /// The run that starts at this position.
    pub fn run_at(&self, from: u64) -> Option<Run> {
        self.runs.get(&from).copied()
    }

    /// The runs that overlap `span`, cut to it.
    pub fn runs_in(&self, span: Span) -> impl Iterator<Item = (Span, State)> {
        let first = self.runs.range(..=span.from).next_back().map_or(span.from, |(from, _)| *from);
        self.runs.range(first..span.to).filter_map(move |(from, run)| {
            Span { from: *from, to: run.to }.overlap(span).map(|piece| (piece, run.state))
        })
    }

    /// The free runs, lowest first: the order in which money is used.
    pub fn free_runs(&self) -> impl Iterator<Item = Span> {
        let free = self.runs.range(self.first_free..).filter(|(_, run)| run.state == State::Free);
        free.map(|(from, run)| Span { from: *from, to: run.to })
    }

    /// The lowest free positions of this many units; `None` where there is less.
    pub fn lowest_free(&self, mut length: u64) -> Option<Vec<Span>> {
        if self.totals.free < length {
            return None;
        }
        let mut spans = Vec::new();
        for span in self.free_runs() {
            if length == 0 {
                break;
            }
            let taken = span.length().min(length);
            spans.push(Span { from: span.from, to: span.from + taken });
            length -= taken;
        }
        Some(spans)
    }

    /// The highest positions in this state, of this many units, among `spans`; highest first. `None` where there is less.
    pub fn highest_in(&self, spans: &[Span], state: State, mut length: u64) -> Option<Vec<Span>> {
        let mut pieces: Vec<Span> = spans.iter().flat_map(|span| self.in_state(*span, state)).collect();
        pieces.sort_unstable();
        let mut highest = Vec::new();
        while length > 0 {
            let piece = pieces.pop()?;
            let taken = piece.length().min(length);
            highest.push(Span { from: piece.to - taken, to: piece.to });
            length -= taken;
        }
        Some(highest)
    }

    /// The parts of `span` in this state, in order.
    pub fn in_state(&self, span: Span, wanted: State) -> impl Iterator<Item = Span> {
        self.runs_in(span).filter(move |(_, state)| *state == wanted).map(|(piece, _)| piece)
    }

    /// The inflows that overlap `span`, whole.
    pub fn inflows_in(&self, span: Span) -> impl Iterator<Item = Inflow> {
        let first = self.inflows.partition_point(|inflow| inflow.span.to <= span.from);
        self.inflows.iter().skip(first).take_while(move |inflow| inflow.span.from < span.to).copied()
    }

    /// True where entry `seq` brought in every position of `span`.
    pub fn is_brought_in_by(&self, span: Span, seq: u64) -> bool {
        let mut reached = span.from;
        for inflow in self.inflows_in(span) {
            if inflow.seq != seq || inflow.span.from > reached {
                return false;
            }
            reached = inflow.span.to;
        }
        reached >= span.to
    }

    /// Grows the line by free positions.
    pub(super) fn grow(&mut self, to: u64, seq: u64, replaced: &mut Vec<Replaced>) {
        let span = Span { from: self.end, to };
        self.inflows.push(Inflow { span, seq });
        self.totals.free += span.length();
        self.end = to;
        match self.runs.range(..span.from).next_back() {
            Some((from, run)) if run.state == State::Free => {
                let from = *from;
                self.put(from, Some(Run { to, state: State::Free }), replaced);
            }
            _ => self.put(span.from, Some(Run { to, state: State::Free }), replaced),
        }
    }

    /// Gives all positions of `span`, which lies inside the line, a new state, and keeps runs maximal.
    pub(super) fn set(&mut self, span: Span, state: State, replaced: &mut Vec<Replaced>) {
        let first = *self.runs.range(..=span.from).next_back().expect("runs cover the line").0;
        let covered: Vec<(u64, Run)> = self.runs.range(first..span.to).map(|(from, run)| (*from, *run)).collect();
        let (mut merged, mut rest) = (Span { from: span.from, to: span.to }, None);
        for (from, run) in covered {
            let piece = Span { from, to: run.to }.overlap(span).expect("it was selected for overlapping");
            *self.totals.of_mut(run.state) -= piece.length();
            *self.totals.of_mut(state) += piece.length();
            if run.to > span.to {
                rest = Some(run);
            }
            if from < span.from {
                self.put(from, Some(Run { to: span.from, state: run.state }), replaced);
            } else {
                self.put(from, None, replaced);
            }
        }
        if let Some(run) = rest {
            self.put(span.to, Some(run), replaced);
        }
        let left = self.runs.range(..span.from).next_back().map(|(from, run)| (*from, *run));
        if let Some((from, run)) = left.filter(|(_, run)| run.to == span.from && run.state == state) {
            debug_assert!(run.to == span.from);
            merged.from = from;
        }
        if let Some(run) = self.runs.get(&span.to).copied().filter(|run| run.state == state) {
            self.put(span.to, None, replaced);
            merged.to = run.to;
        }
        self.put(merged.from, Some(Run { to: merged.to, state }), replaced);
        if state == State::Free {
            self.first_free = self.first_free.min(merged.from);
        } else {
            self.pass_taken();
        }
    }

    /// Moves the start of the search past runs that are not free.
    fn pass_taken(&mut self) {
        while let Some((_, run)) = self.runs.range(..=self.first_free).next_back() {
            if run.state == State::Free || run.to <= self.first_free {
                break;
            }
            self.first_free = run.to;
        }
    }

    fn put(&mut self, from: u64, run: Option<Run>, replaced: &mut Vec<Replaced>) {
        let old = match run {
            Some(run) => self.runs.insert(from, run),
            None => self.runs.remove(&from),
        };
        replaced.push(Replaced { from, old });
    }

    /// Takes back one mutation; the latest first.
    pub(super) fn restore(&mut self, replaced: Replaced) {
        match replaced.old {
            Some(run) => self.runs.insert(replaced.from, run),
            None => self.runs.remove(&replaced.from),
        };
    }

    /// What [`Line::reset`] goes back to.
    pub(super) const fn mark(&self) -> Mark {
        Mark { end: self.end, inflows: self.inflows.len(), totals: self.totals, first_free: self.first_free }
    }

    pub(super) fn reset(&mut self, mark: Mark) {
        self.end = mark.end;
        self.inflows.truncate(mark.inflows);
        self.totals = mark.totals;
        self.first_free = mark.first_free;
    }
}
