//! The trace over the database: from a gift to every use of it, through transfers; from a payment to the gifts behind it; now, or
//! as of a tree size.

use super::opened::Opened;
use super::writer::posted;
use crate::domain::body::Body;
use crate::domain::donation::Donation;
use crate::ledger::entry::Entry;
use crate::ledger::line::State;
use crate::ledger::trace::Tracer;
use crate::ledger::transfer::{Placed, Transfer};
use crate::store::{Store, StoreError};
use crate::values::{Amount, LineName, Span, Unit};
use std::collections::BTreeMap;

/// A gift and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GiftTrace {
    /// The gift.
    pub gift: Donation,
    /// Every use, in the order of the entries.
    pub uses: Vec<TracedUse>,
    /// Transfers that it passed through.
    pub moves: Vec<Move>,
    /// What is still free, per line.
    pub unspent: Vec<(LineName, Amount)>,
}

/// A use of a gift: by a payment, a fee, a refund; held money is a use of the entry that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedUse {
    /// The entry.
    pub seq: u64,
    /// What the money is there: `held`, `spent` or `void`.
    pub state: &'static str,
    /// How much of the gift.
    pub amount: Amount,
    /// The line that it was on.
    pub line: LineName,
    /// What the entry says.
    pub facts: Facts,
}

/// A transfer on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The entry.
    pub seq: u64,
    /// How much of the gift left.
    pub amount: Amount,
    /// From this line.
    pub from: LineName,
    /// Into these funds.
    pub to: Vec<LineName>,
    /// What the entry says.
    pub facts: Facts,
}

/// A payment and the gifts behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentTrace {
    /// The entry.
    pub seq: u64,
    /// What it says.
    pub facts: Facts,
    /// What it held or spent when it was posted.
    pub posted: Vec<Amount>,
    /// What it holds or has spent: less what came back since.
    pub amounts: Vec<Amount>,
    /// The gifts, in order, each with its part.
    pub payers: Vec<(u64, Facts, Amount)>,
}

/// What an entry says, for a reader of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its kind.
    pub kind: String,
    /// Day of the fact.
    pub on: Option<String>,
    /// The case.
    pub case: Option<String>,
    /// What it was for.
    pub purpose: Option<String>,
    /// Class of payee.
    pub payee_class: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Reads positions, entries and transfers for a trace, each once.
struct Lookup<'s> {
    store: &'s Store,
    ledger_id: i64,
    /// Only entries below this size.
    size: Option<u64>,
    names: BTreeMap<i64, LineName>,
    ids: BTreeMap<LineName, i64>,
    entries: BTreeMap<u64, (Facts, Option<Transfer>)>,
}

impl<'s> Lookup<'s> {
    async fn new(opened: &'s Opened, size: Option<u64>) -> Result<Self, StoreError> {
        let ledger_id = opened.row.ledger_id;
        let mut names = BTreeMap::new();
        for (id, name) in opened.store.lines(ledger_id).await? {
            let name = LineName::parse(&name).ok_or(StoreError::Damaged { table: "line", what: name })?;
            names.insert(id, name);
        }
        let ids = names.iter().map(|(id, name)| (name.clone(), *id)).collect();
        Ok(Self { store: &opened.store, ledger_id, size, names, ids, entries: BTreeMap::new() })
    }

    fn place(&self, name: &LineName) -> Result<usize, StoreError> {
        let id = self.ids.get(name).copied().and_then(|id| usize::try_from(id).ok());
        id.ok_or_else(|| StoreError::Damaged { table: "line", what: format!("{name} is missing") })
    }

    fn name(&self, place: usize) -> &LineName {
        i64::try_from(place).ok().and_then(|id| self.names.get(&id)).expect("places come from the table of lines")
    }

    /// The runs of some positions, cut to them.
    async fn runs(&self, asked: Placed) -> Result<Vec<(Span, State)>, StoreError> {
        let line_id = i64::try_from(asked.line).expect("places come from the table of lines");
        match self.size {
            None => {
                let rows = self.store.runs_in(self.ledger_id, line_id, asked.span).await?;
                Ok(rows.into_iter().filter_map(|row| Some((row.span.overlap(asked.span)?, row.state))).collect())
            }
            Some(size) => {
                let mut pieces = Vec::new();
                for (op, span, seq) in self.store.posts_until(self.ledger_id, line_id, asked.span, size).await? {
                    let state = match op {
                        0 | 3 => State::Free,
                        1 => State::Held { by: seq },
                        2 => State::Spent { by: seq },
                        _ => State::Void { by: seq },
                    };
                    if let Some(span) = span.overlap(asked.span) {
                        overlay(&mut pieces, span, state);
                    }
                }
                Ok(pieces)
            }
        }
    }

    /// Reads an entry's facts and, where it is a transfer, its map.
    async fn know(&mut self, seq: u64) -> Result<(), StoreError> {
        if self.entries.contains_key(&seq) {
            return Ok(());
        }
        let bytes = self.store.known_entry(self.ledger_id, seq).await?;
        let entry = parse(&bytes)?;
        let transfer = self.transfer_of(&entry)?;
        self.entries.insert(seq, (facts(&entry), transfer));
        Ok(())
    }

    fn transfer_of(&self, entry: &Entry<'_>) -> Result<Option<Transfer>, StoreError> {
        let (mut outs, mut ins) = (Vec::new(), Vec::new());
        for row in posted(entry) {
            let (op, name, span) = row?;
            let placed = Placed { line: self.place(&name)?, span };
            match op {
                "in" => ins.push(placed),
                "out" => outs.push(placed),
                _ => {}
            }
        }
        outs.retain(|out| !ins.iter().any(|inflow| inflow.line == out.line));
        if ins.is_empty() || outs.is_empty() {
            return Ok(None);
        }
        let unit = |side: &[Placed]| self.name(side[0].line).unit;
        let conversion = unit(&outs) != unit(&ins);
        Ok(Some(Transfer { outs, ins, conversion }))
    }
}

/// Gives positions a new state, among pieces that are kept in order.
fn overlay(pieces: &mut Vec<(Span, State)>, span: Span, state: State) {
    let mut next = Vec::with_capacity(pieces.len() + 2);
    for (piece, old) in pieces.drain(..) {
        next.extend(Span::new(piece.from, piece.to.min(span.from)).map(|left| (left, old)));
        next.extend(Span::new(piece.from.max(span.to), piece.to).map(|right| (right, old)));
    }
    next.push((span, state));
    next.sort_unstable_by_key(|(piece, _)| *piece);
    *pieces = next;
}

/// A stored entry; one that cannot be read is a damaged row.
pub fn parse(bytes: &[u8]) -> Result<Entry<'_>, StoreError> {
    Entry::parse(bytes).map_err(|error| StoreError::Damaged { table: "entry", what: error.to_string() })
}

fn facts(entry: &Entry<'_>) -> Facts {
    let body = Body(&entry.body);
    let text = |member: &str| body.optional_text(member).map(str::to_owned);
    Facts {
        kind: entry.kind.to_string(),
        on: text("on"),
        case: text("case"),
        purpose: text("use"),
        payee_class: text("payee_class"),
        reason: text("reason"),
    }
}

impl Facts {
    /// What is known, each under the name it has in answers for programs.
    pub fn members(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let members = [
            ("on", &self.on),
            ("case", &self.case),
            ("use", &self.purpose),
            ("payee_class", &self.payee_class),
            ("reason", &self.reason),
        ];
        members.into_iter().filter_map(|(member, text)| Some((member, text.as_deref()?)))
    }
}

fn amount_of(minor: u64, unit: Unit) -> Amount {
    Amount::new(i64::try_from(minor).expect("positions end at 2^53"), unit).expect("positions end at 2^53")
}

/// What became of a gift; `None` where the entry is not one.
pub async fn gift(opened: &Opened, seq: u64, size: Option<u64>) -> Result<Option<GiftTrace>, StoreError> {
    let Some(bytes) = opened.store.entry(opened.row.ledger_id, seq).await? else {
        return Ok(None);
    };
    let found = Donation::from_entry(&parse(&bytes)?);
    let Some(gift) = found.map_err(|error| StoreError::Damaged { table: "entry", what: error.to_string() })? else {
        return Ok(None);
    };
    if size.is_some_and(|size| seq >= size) {
        return Ok(None);
    }
    let mut lookup = Lookup::new(opened, size).await?;
    let mut start = Vec::new();
    for (name, span) in &gift.spans {
        start.push(Placed { line: lookup.place(name)?, span: *span });
    }
    let (mut tracer, mut moves) = (Tracer::of(start), Vec::<Move>::new());
    while let Some(asked) = tracer.next_positions() {
        for (span, state) in lookup.runs(asked).await? {
            let placed = Placed { line: asked.line, span };
            if let State::Spent { by } | State::Held { by } | State::Void { by } = state {
                lookup.know(by).await?;
            }
            let spent = match state {
                State::Spent { by } => lookup.entries.get(&by).map(|entry| (by, entry)),
                State::Free | State::Held { .. } | State::Void { .. } => None,
            };
            if let Some((by, (facts, Some(transfer)))) = spent {
                let (from, amount) = (lookup.name(asked.line), span.length());
                let to = transfer.image(placed).iter().map(|image| lookup.name(image.line).clone()).collect();
                match moves.iter_mut().find(|known| known.seq == by && known.from == *from) {
                    Some(known) => known.amount = amount_of(known.amount.length() + amount, from.unit),
                    None => {
                        moves.push(Move {
                            seq: by,
                            amount: amount_of(amount, from.unit),
                            from: from.clone(),
                            to,
                            facts: facts.clone(),
                        });
                    }
                }
            }
            tracer.found(placed, state, spent.and_then(|(_, (_, transfer))| transfer.as_ref()));
        }
    }
    let (mut uses, mut unspent) = (Vec::new(), Vec::new());
    for found in tracer.uses() {
        let line = lookup.name(found.line).clone();
        let amount = amount_of(found.amount, line.unit);
        let (state, seq) = match found.state {
            State::Free => {
                unspent.push((line, amount));
                continue;
            }
            State::Held { by } => ("held", by),
            State::Spent { by } => ("spent", by),
            State::Void { by } => ("void", by),
        };
        let facts = lookup.entries.get(&seq).map(|(facts, _)| facts.clone()).unwrap_or_default();
        uses.push(TracedUse { seq, state, amount, line, facts });
    }
    uses.sort_by_key(|found| found.seq);
    moves.sort_by_key(|found| found.seq);
    Ok(Some(GiftTrace { gift, uses, moves, unspent }))
}

/// The gifts behind what an entry holds or has spent; `None` where there is no such entry. The transpose of the trace: every gift
/// that can have reached it is traced forward, so that both say the same.
pub async fn payment(opened: &Opened, seq: u64, size: Option<u64>) -> Result<Option<PaymentTrace>, StoreError> {
    let Some(bytes) = opened.store.entry(opened.row.ledger_id, seq).await? else {
        return Ok(None);
    };
    if size.is_some_and(|size| seq >= size) {
        return Ok(None);
    }
    let entry = parse(&bytes)?;
    let mut lookup = Lookup::new(opened, size).await?;
    let is_own = |state: State| matches!(state, State::Held { by } | State::Spent { by } if by == seq);
    let mut open = Vec::new();
    let mut sums: BTreeMap<Unit, u64> = BTreeMap::new();
    let mut at_first: BTreeMap<Unit, u64> = BTreeMap::new();
    for row in posted(&entry) {
        let (op, name, span) = row?;
        if op != "hold" && op != "out" {
            continue;
        }
        *at_first.entry(name.unit).or_default() += span.length();
        let line = lookup.place(&name)?;
        for (span, _) in lookup.runs(Placed { line, span }).await?.into_iter().filter(|(_, state)| is_own(*state)) {
            open.push(Placed { line, span });
            *sums.entry(name.unit).or_default() += span.length();
        }
    }
    let mut sources: Vec<u64> = Vec::new();
    while let Some(piece) = open.pop() {
        let line_id = i64::try_from(piece.line).expect("places come from the table of lines");
        for inflow in lookup.store.inflows_in(lookup.ledger_id, line_id, piece.span).await? {
            lookup.know(inflow.seq).await?;
            match lookup.entries.get(&inflow.seq).and_then(|(_, transfer)| transfer.as_ref()) {
                Some(transfer) => {
                    let span = inflow.span.overlap(piece.span).expect("it was selected for overlapping");
                    open.extend(transfer.source(Placed { line: piece.line, span }));
                }
                None => sources.push(inflow.seq),
            }
        }
    }
    sources.sort_unstable();
    sources.dedup();
    let mut payers = Vec::new();
    for source in sources {
        let Some(trace) = gift(opened, source, size).await? else { continue };
        let facts = lookup.entries.get(&source).map(|(facts, _)| facts.clone()).unwrap_or_default();
        let mut parts: BTreeMap<Unit, u64> = BTreeMap::new();
        for part in trace.uses.iter().filter(|part| part.seq == seq) {
            *parts.entry(part.amount.unit()).or_default() += part.amount.length();
        }
        payers.extend(parts.into_iter().map(|(unit, minor)| (source, facts.clone(), amount_of(minor, unit))));
    }
    let amounts = |sums: BTreeMap<Unit, u64>| sums.into_iter().map(|(unit, minor)| amount_of(minor, unit)).collect();
    Ok(Some(PaymentTrace { seq, facts: facts(&entry), posted: amounts(at_first), amounts: amounts(sums), payers }))
}
