//! The trace: what became of positions, followed through transfers; and its transpose: who stands behind a payment.
//!
//! Asks no database: the caller is told which positions to look up and hands back what it found, so that the same code runs over a
//! book in memory, over a table and over a table as of an earlier size.

use super::line::State;
use super::posting::Book;
use super::transfer::{Placed, Transfer};
use crate::values::Span;
use std::collections::BTreeMap;

/// What became of positions: in which state, by which entry, on which line, how much of that line's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// State and owner.
    pub state: State,
    /// Place of the line.
    pub line: usize,
    /// Minor units of the line.
    pub amount: u64,
}

/// A trace that is under way.
#[derive(Clone, Debug, Default)]
pub struct Tracer {
    open: Vec<Placed>,
    uses: BTreeMap<(State, usize), u64>,
}

impl Tracer {
    /// Starts from some positions.
    pub fn of(positions: impl IntoIterator<Item = Placed>) -> Self {
        Self { open: positions.into_iter().collect(), uses: BTreeMap::new() }
    }

    /// Positions whose runs must be looked up next; `None` when the trace is complete. It ends because each step of a trace leads
    /// to a later entry.
    pub fn next_positions(&mut self) -> Option<Placed> {
        self.open.pop()
    }

    /// Hands back one run, cut to the positions asked for; `transfer` where the entry that spent it is one.
    pub fn found(&mut self, piece: Placed, state: State, transfer: Option<&Transfer>) {
        match (state, transfer) {
            (State::Spent { .. }, Some(transfer)) => self.open.extend(transfer.image(piece)),
            (State::Free | State::Held { .. } | State::Spent { .. } | State::Void { .. }, _) => {
                *self.uses.entry((state, piece.line)).or_default() += piece.span.length();
            }
        }
    }

    /// What was found, by state, entry and line.
    pub fn uses(self) -> Vec<Use> {
        self.uses.into_iter().map(|((state, line), amount)| Use { state, line, amount }).collect()
    }
}

/// Part of a gift that stands behind a payment, in the payment's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Payer {
    /// The entry that brought the money in from outside.
    pub inflow: u64,
    /// Place of the line it came into.
    pub line: usize,
    /// What of it arrived at the payment, in minor units of the payment's line.
    pub amount: u64,
}

impl Book {
    /// What became of positions.
    pub fn trace(&self, positions: impl IntoIterator<Item = Placed>) -> Vec<Use> {
        let mut tracer = Tracer::of(positions);
        while let Some(asked) = tracer.next_positions() {
            for (span, state) in self.lines()[asked.line].runs_in(asked.span) {
                let transfer = match state {
                    State::Spent { by } => self.transfer(by),
                    State::Free | State::Held { .. } | State::Void { .. } => None,
                };
                tracer.found(Placed { line: asked.line, span }, state, transfer);
            }
        }
        tracer.uses()
    }

    /// Which inflows from outside stand behind what entry `by` holds or has spent. The transpose of the trace: each inflow that can
    /// have reached the payment is traced forward, so that both say the same in a conversion too.
    pub fn payers(&self, by: u64) -> Vec<Payer> {
        let is_of_payment =
            |state: State| matches!(state, State::Held { by: owner } | State::Spent { by: owner } if owner == by);
        let mut open: Vec<Placed> = Vec::new();
        for (line, state_of) in self.lines().iter().enumerate() {
            let runs = state_of.runs().filter(|(_, state)| is_of_payment(*state));
            open.extend(runs.map(|(span, _)| Placed { line, span }));
        }
        let mut sources: BTreeMap<(u64, usize), Vec<Span>> = BTreeMap::new();
        while let Some(piece) = open.pop() {
            for inflow in self.lines()[piece.line].inflows_in(piece.span) {
                match self.transfer(inflow.seq) {
                    Some(transfer) => {
                        let span = inflow.span.overlap(piece.span).expect("it was selected for overlapping");
                        open.extend(transfer.source(Placed { line: piece.line, span }));
                    }
                    None => {
                        let spans = sources.entry((inflow.seq, piece.line)).or_default();
                        if !spans.contains(&inflow.span) {
                            spans.push(inflow.span);
                        }
                    }
                }
            }
        }
        let mut payers = Vec::new();
        for ((inflow, line), spans) in sources {
            let uses = self.trace(spans.into_iter().map(|span| Placed { line, span }));
            let amount = uses.into_iter().filter(|found| is_of_payment(found.state)).map(|found| found.amount).sum();
            if amount > 0 {
                payers.push(Payer { inflow, line, amount });
            }
        }
        payers
    }
}
