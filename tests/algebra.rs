//! The posting algebra against a naive model: one state per position, no runs, no undo. Entries are built from the current state, most
//! of them right, some of them broken; both must say the same, with the same code, and hold the same money.

use mingzhang::ledger::entry::RawPost;
use mingzhang::ledger::line::{Line, State};
use mingzhang::ledger::posting::{Book, CashRule};
use mingzhang::ledger::transfer::{Placed, Transfer};
use mingzhang::values::Span;
use proptest::prelude::*;
use std::collections::BTreeMap;

const LINES: [&str; 4] = ["f/CNY", "g/CNY", "h/CNY", "f/USD"];

#[derive(Clone, Debug, PartialEq, Eq)]
struct Post {
    op: &'static str,
    line: usize,
    from: i64,
    to: i64,
    of: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    state: State,
    brought_by: u64,
}

/// Positions of a transfer's sides, laid end to end.
type Sides = (Vec<(usize, usize)>, Vec<(usize, usize)>);

#[derive(Clone, Debug, Default)]
struct Model {
    lines: [Vec<Cell>; 4],
    transfers: BTreeMap<u64, Sides>,
}

impl Model {
    /// Applies an entry, or says the code of the first rule that it breaks.
    fn apply(&mut self, seq: u64, posts: &[Post]) -> Result<(), &'static str> {
        let mut next = self.clone();
        let ends: Vec<usize> = self.lines.iter().map(Vec::len).collect();
        let (mut has_in, mut outs_of_others, mut own_outs) = (false, false, false);
        for post in posts {
            let span =
                usize::try_from(post.from).ok().zip(usize::try_from(post.to).ok()).filter(|(from, to)| from < to);
            let (from, to) = span.ok_or("interval")?;
            let wants_of = matches!(post.op, "free" | "void");
            let may_have_of = wants_of || post.op == "out";
            if (post.of.is_some() && !may_have_of) || (post.of.is_none() && wants_of) {
                return Err("of_misplaced");
            }
            let of = match post.of {
                None => None,
                Some(of) => Some(u64::try_from(of).ok().filter(|of| *of < seq).ok_or("of_not_earlier")?),
            };
            let cells = &mut next.lines[post.line];
            if post.op == "in" {
                has_in = true;
                if from != cells.len() {
                    return Err("in_not_at_end");
                }
                cells.resize(to, Cell { state: State::Free, brought_by: seq });
                continue;
            }
            let cells = cells.get_mut(from..to).ok_or("beyond_end")?;
            let all = |cells: &[Cell], state: State| cells.iter().all(|cell| cell.state == state);
            let target = match (post.op, of) {
                ("hold", _) => all(cells, State::Free).then_some(State::Held { by: seq }).ok_or("not_free")?,
                ("out", None) => {
                    if !all(cells, State::Free) {
                        return Err("not_free");
                    }
                    let own = (from..to).filter(|place| *place >= ends[post.line]).count();
                    if own > 0 && own < to - from {
                        return Err("own_inflow_mixed");
                    }
                    own_outs |= own > 0;
                    outs_of_others |= own == 0;
                    State::Spent { by: seq }
                }
                ("out", Some(of)) => {
                    outs_of_others = true;
                    all(cells, State::Held { by: of }).then_some(State::Spent { by: seq }).ok_or("not_held_by")?
                }
                ("free", Some(of)) => {
                    let held_or_spent = all(cells, State::Held { by: of }) || all(cells, State::Spent { by: of });
                    held_or_spent.then_some(State::Free).ok_or("not_held_or_spent_by")?
                }
                (_, of) => {
                    if !all(cells, State::Free) {
                        return Err("not_free");
                    }
                    let brought = cells.iter().all(|cell| Some(cell.brought_by) == of);
                    brought.then_some(State::Void { by: seq }).ok_or("not_brought_in_by")?
                }
            };
            cells.iter_mut().for_each(|cell| cell.state = target);
        }
        let cells_of = |op: &str| -> Vec<(usize, usize)> {
            let wanted = posts.iter().filter(|post| post.op == op);
            wanted.flat_map(|post| (place(post.from)..place(post.to)).map(|at| (post.line, at))).collect()
        };
        let (outs, ins) = (cells_of("out"), cells_of("in"));
        let is_transfer = has_in && outs_of_others;
        if is_transfer {
            let only = posts.iter().all(|post| matches!(post.op, "in" | "out")) && !own_outs;
            let apart = outs.iter().all(|(out, _)| ins.iter().all(|(inflow, _)| inflow != out));
            let one_unit = |cells: &[(usize, usize)]| cells.iter().all(|(line, _)| unit(*line) == unit(cells[0].0));
            if !only || !apart || !one_unit(&outs) || !one_unit(&ins) {
                return Err("transfer_shape");
            }
            if unit(outs[0].0) == unit(ins[0].0) && outs.len() != ins.len() {
                return Err("transfer_sums");
            }
        }
        let mut taken_back: BTreeMap<u64, Sides> = BTreeMap::new();
        for post in posts {
            let Some(of) = post.of.and_then(|of| u64::try_from(of).ok()).filter(|of| self.transfers.contains_key(of))
            else {
                continue;
            };
            let sides = taken_back.entry(of).or_default();
            let cells = (place(post.from)..place(post.to)).map(|at| (post.line, at));
            match post.op {
                "free" => sides.0.extend(cells),
                "void" => sides.1.extend(cells),
                _ => {}
            }
        }
        for (of, (freed, _)) in &taken_back {
            let (outs, ins) = &self.transfers[of];
            if unit(outs[0].0) != unit(ins[0].0) && !freed.is_empty() && freed.len() != outs.len() {
                return Err("conversion_whole");
            }
        }
        for (of, (freed, voided)) in &mut taken_back {
            let (outs, ins) = &self.transfers[of];
            let mut image: Vec<(usize, usize)> = if freed.len() == outs.len() {
                ins.clone()
            } else {
                freed
                    .iter()
                    .filter_map(|cell| outs.iter().position(|out| out == cell))
                    .filter_map(|at| ins.get(at).copied())
                    .collect()
            };
            image.sort_unstable();
            voided.sort_unstable();
            if image != *voided {
                return Err("image_differs");
            }
        }
        if is_transfer {
            next.transfers.insert(seq, (outs, ins));
        }
        *self = next;
        Ok(())
    }

    /// What became of positions, walked one by one; in conversions by the image of the whole piece that one run covers.
    fn count(&self, line: usize) -> (usize, usize, usize, usize) {
        let of = |wanted: fn(State) -> bool| self.lines[line].iter().filter(|cell| wanted(cell.state)).count();
        (
            of(|state| state == State::Free),
            of(|state| matches!(state, State::Held { .. })),
            of(|state| matches!(state, State::Spent { .. })),
            of(|state| matches!(state, State::Void { .. })),
        )
    }

    /// Follows one position through transfers in one unit; `None` where a conversion stands on the way.
    fn follow(&self, line: usize, at: usize) -> Option<(State, usize)> {
        let state = self.lines[line][at].state;
        let State::Spent { by } = state else { return Some((state, line)) };
        let Some((outs, ins)) = self.transfers.get(&by) else { return Some((state, line)) };
        if outs.len() != ins.len() || unit(outs[0].0) != unit(ins[0].0) {
            return None;
        }
        let (line, at) = ins[outs.iter().position(|out| *out == (line, at)).expect("it was spent by this transfer")];
        self.follow(line, at)
    }
}

fn place(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

fn unit(line: usize) -> &'static str {
    LINES[line].rsplit('/').next().unwrap_or_default()
}

/// Picks from the current state.
struct Picker<'m> {
    model: &'m Model,
    numbers: std::vec::IntoIter<u32>,
}

impl Picker<'_> {
    fn below(&mut self, bound: usize) -> usize {
        let number = usize::try_from(self.numbers.next().unwrap_or(0)).expect("32 bits fit");
        number % bound.max(1)
    }

    /// Maximal runs of a line in a wanted state.
    fn runs(&self, line: usize, wanted: impl Fn(&Cell) -> bool) -> Vec<(usize, usize, Cell)> {
        let mut runs: Vec<(usize, usize, Cell)> = Vec::new();
        for (at, cell) in self.model.lines[line].iter().enumerate().filter(|(_, cell)| wanted(cell)) {
            match runs.last_mut() {
                Some((_, to, last)) if *to == at && last == cell => *to = at + 1,
                _ => runs.push((at, at + 1, *cell)),
            }
        }
        runs
    }

    fn piece(&mut self, line: usize, wanted: impl Fn(&Cell) -> bool) -> Option<(usize, usize, Cell)> {
        let runs = self.runs(line, wanted);
        let (from, to, cell) = runs.get(self.below(runs.len())).copied()?;
        let start = from + self.below(to - from);
        let end = start + 1 + self.below(to - start);
        let whole = self.below(3) == 0;
        Some(if whole { (from, to, cell) } else { (start, end, cell) })
    }

    fn entry(&mut self) -> Vec<Post> {
        let line = self.below(4);
        let end = self.model.lines[line].len();
        let post = |op, line, from: usize, to: usize, of: Option<u64>| Post {
            op,
            line,
            from: i64::try_from(from).expect("small"),
            to: i64::try_from(to).expect("small"),
            of: of.map(|of| i64::try_from(of).expect("small")),
        };
        let is_free = |cell: &Cell| cell.state == State::Free;
        let mut posts = match self.below(9) {
            0 | 1 => vec![post("in", line, end, end + 1 + self.below(8), None)],
            2 => {
                let (length, fee) = (2 + self.below(6), 1 + self.below(2));
                vec![
                    post("in", line, end, end + length, None),
                    post("out", line, end + length - fee, end + length, None),
                ]
            }
            3 => {
                self.piece(line, is_free).map(|(from, to, _)| post("hold", line, from, to, None)).into_iter().collect()
            }
            4 => self.piece(line, is_free).map(|(from, to, _)| post("out", line, from, to, None)).into_iter().collect(),
            5 => {
                let held = self.piece(line, |cell| matches!(cell.state, State::Held { .. }));
                let op = if self.below(2) == 0 { "out" } else { "free" };
                let by = |cell: Cell| if let State::Held { by } = cell.state { Some(by) } else { None };
                held.map(|(from, to, cell)| post(op, line, from, to, by(cell))).into_iter().collect()
            }
            6 => {
                let spent = self.piece(line, |cell| matches!(cell.state, State::Spent { .. }));
                let by = |cell: Cell| if let State::Spent { by } = cell.state { Some(by) } else { None };
                spent.map(|(from, to, cell)| post("free", line, from, to, by(cell))).into_iter().collect()
            }
            7 => {
                let target = self.below(4);
                let source = self.piece(line, is_free);
                let into = self.model.lines[target].len();
                let length =
                    |from: usize, to: usize| if unit(line) == unit(target) { to - from } else { 1 + (to - from) / 2 };
                source
                    .map(|(from, to, _)| {
                        vec![post("out", line, from, to, None), post("in", target, into, into + length(from, to), None)]
                    })
                    .unwrap_or_default()
            }
            _ => self.take_back(&post),
        };
        self.break_it(&mut posts);
        posts
    }

    /// A refund, or a transfer taken back: part of it with its image, or all of a conversion.
    fn take_back(&mut self, post: &dyn Fn(&'static str, usize, usize, usize, Option<u64>) -> Post) -> Vec<Post> {
        let transfers: Vec<(u64, Sides)> =
            self.model.transfers.iter().map(|(seq, sides)| (*seq, sides.clone())).collect();
        if transfers.is_empty() || self.below(2) == 0 {
            let line = self.below(4);
            let gift = self.piece(line, |cell| cell.state == State::Free);
            return gift
                .map(|(from, to, cell)| post("void", line, from, to, Some(cell.brought_by)))
                .into_iter()
                .collect();
        }
        let (seq, (outs, ins)) = transfers[self.below(transfers.len())].clone();
        let whole = outs.len() != ins.len() || self.below(2) == 0;
        let count = if whole { outs.len() } else { 1 + self.below(outs.len()) };
        let image = if whole { ins.len() } else { count };
        let mut posts = vec![post("free", outs[0].0, outs[0].1, outs[0].1 + count, Some(seq))];
        if self.below(8) > 0 {
            posts.push(post("void", ins[0].0, ins[0].1, ins[0].1 + image, Some(seq)));
        }
        posts
    }

    /// Now and then a field is spoilt, or a post is doubled.
    fn break_it(&mut self, posts: &mut Vec<Post>) {
        let chance = self.below(12);
        let Some(last) = posts.last_mut() else { return };
        match chance {
            0 => last.to += 1,
            1 => last.from -= 1,
            2 => last.of = Some(0),
            3 => last.of = Some(1_000),
            4 => last.of = None,
            5 => last.line = (last.line + 1) % 4,
            6 => {
                let doubled = last.clone();
                posts.push(doubled);
            }
            _ => {}
        }
    }
}

/// The book as it would be read again from its stored rows.
fn read_again(book: &Book) -> Book {
    let mut again = Book::default();
    for line in book.lines() {
        let read = Line::from_rows(line.name().clone(), line.runs()).expect("the runs leave no gap");
        assert_eq!((read.end(), read.totals()), (line.end(), line.totals()));
        again.know_line(read);
        let name = line.name().to_string();
        for inflow in line.inflows_in(Span { from: 0, to: line.end() }).collect::<Vec<_>>().into_iter().rev() {
            again.know_inflow(&name, inflow);
            again.know_inflow(&name, inflow);
        }
    }
    assert_eq!(again.rows(), book.rows() - sides(book));
    for seq in 0..64 {
        if let Some(transfer) = book.transfer(seq) {
            let named = |side: &[Placed]| -> Vec<_> {
                side.iter().map(|placed| (book.lines()[placed.line].name().clone(), placed.span)).collect()
            };
            again.know_transfer(seq, &named(&transfer.outs), &named(&transfer.ins));
            assert_eq!(again.transfer(seq).map(|known| known.conversion), Some(transfer.conversion));
        }
    }
    assert_eq!(again.rows(), book.rows());
    again
}

fn sides(book: &Book) -> usize {
    (0..64).filter_map(|seq| book.transfer(seq)).map(|transfer| transfer.outs.len() + transfer.ins.len()).sum()
}

/// The first `length` positions in this state.
fn taken(cells: &[State], among: std::ops::Range<usize>, state: State, length: u64) -> Option<Vec<u64>> {
    let found: Vec<u64> = among.filter(|at| cells[*at] == state).map(|at| u64::try_from(at).expect("small")).collect();
    let length = usize::try_from(length).expect("small");
    found.get(..length).map(<[u64]>::to_vec)
}

fn positions(spans: Vec<Span>) -> Vec<u64> {
    spans.into_iter().flat_map(|span| span.from..span.to).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_book_agrees_with_a_naive_model(entries in prop::collection::vec(prop::collection::vec(any::<u32>(), 16), 1..60)) {
        let (mut book, mut model) = (Book::default(), Model::default());
        for (seq, numbers) in (0_u64..).zip(entries) {
            let posts = Picker { model: &model, numbers: numbers.into_iter() }.entry();
            let raw: Vec<RawPost<'_>> = posts
                .iter()
                .map(|post| RawPost { op: post.op.into(), line: LINES[post.line].into(), from: post.from, to: post.to, of: post.of })
                .collect();
            let expected = model.apply(seq, &posts);
            let found = book.apply(seq, &raw, &[], CashRule::Ignored);
            prop_assert_eq!(found.map_err(|broken| broken.rule.code()), expected, "entry {} {:?}", seq, posts);
            if seq % 7 == 6 {
                book = read_again(&book);
            }
        }
        for (number, name) in LINES.iter().enumerate() {
            let Some(line) = book.line(name) else {
                prop_assert!(model.lines[number].is_empty());
                continue;
            };
            let cells: Vec<State> = model.lines[number].iter().map(|cell| cell.state).collect();
            let runs: Vec<(Span, State)> = line.runs().collect();
            let walked: Vec<State> = runs.iter().flat_map(|(span, state)| std::iter::repeat_n(*state, place(i64::try_from(span.length()).expect("small")))).collect();
            prop_assert_eq!(&walked, &cells);
            prop_assert!(runs.windows(2).all(|pair| pair[0].1 != pair[1].1), "runs are maximal");
            let totals = line.totals();
            let count = |n: usize| u64::try_from(n).expect("small");
            let (free, held, spent, void) = model.count(number);
            prop_assert_eq!((totals.free, totals.held, totals.spent, totals.void), (count(free), count(held), count(spent), count(void)));
            prop_assert_eq!(totals.end(), line.end(), "every position is in one state");
            for length in 0..=totals.free + 1 {
                let lowest = taken(&cells, 0..cells.len(), State::Free, length);
                prop_assert_eq!(line.lowest_free(length).map(positions), lowest.clone(), "the lowest {} free", length);
            }
            let middle = cells.len() / 3..cells.len() - cells.len() / 4;
            for state in cells.iter().copied().take(3) {
                let span = Span { from: count(middle.start), to: count(middle.end) };
                let inside = if middle.is_empty() { Vec::new() } else { line.in_state(span, state).collect() };
                let all: Vec<u64> = positions(inside);
                let expected: Vec<u64> = middle.clone().filter(|at| cells[*at] == state).map(count).collect();
                prop_assert_eq!(&all, &expected);
                for length in 0..=count(expected.len()) {
                    let mut highest = expected.clone().split_off(expected.len() - usize::try_from(length).expect("small"));
                    let mut found = line.highest_in(&[span], state, length).map(positions).unwrap_or_default();
                    found.sort_unstable();
                    highest.sort_unstable();
                    prop_assert_eq!(found, highest);
                }
                prop_assert_eq!(line.highest_in(&[span], state, count(expected.len()) + 1), None);
            }
            for (span, state) in &runs {
                prop_assert_eq!(line.run_at(span.from).map(|run| (run.to, run.state)), Some((span.to, *state)));
                if span.length() > 1 {
                    prop_assert_eq!(line.run_at(span.from + 1), None);
                }
            }
            let here = book.lines().iter().position(|known| known.name() == line.name()).expect("it is in the book");
            for at in 0..model.lines[number].len() {
                let Some((state, end)) = model.follow(number, at) else { continue };
                let span = Span { from: count(at), to: count(at) + 1 };
                let found = book.trace([Placed { line: here, span }]);
                prop_assert_eq!(found.len(), 1);
                prop_assert_eq!((found[0].state, book.lines()[found[0].line].name().to_string(), found[0].amount), (state, LINES[end].to_owned(), 1));
            }
        }
    }
}

fn side(lengths: &[u64], first_line: usize) -> Vec<Placed> {
    let place = |(number, length): (usize, &u64)| {
        let from = 100 * u64::try_from(number).expect("small");
        Placed { line: first_line + number % 2, span: Span { from, to: from + length } }
    };
    lengths.iter().enumerate().map(place).collect()
}

/// Positions of a side, laid end to end.
fn single(side: &[Placed]) -> Vec<Placed> {
    let cut = |placed: &Placed| {
        let line = placed.line;
        (placed.span.from..placed.span.to).map(move |at| Placed { line, span: Span { from: at, to: at + 1 } })
    };
    side.iter().flat_map(cut).collect()
}

proptest! {
    #[test]
    fn where_money_came_from_is_the_transpose_of_where_it_went(
        outs in prop::collection::vec(1_u64..9, 1..5),
        ins in prop::collection::vec(1_u64..9, 1..5),
        conversion in any::<bool>(),
    ) {
        let total: u64 = outs.iter().sum();
        let ins = if conversion { ins } else { vec![total - total / 3, total / 3].into_iter().filter(|length| *length > 0).collect() };
        let transfer = Transfer { outs: side(&outs, 0), ins: side(&ins, 2), conversion };
        let (sources, images) = (single(&transfer.outs), single(&transfer.ins));
        for image in &images {
            let found = single(&transfer.source(*image));
            let expected: Vec<Placed> = sources.iter().copied().filter(|source| single(&transfer.image(*source)).contains(image)).collect();
            prop_assert!(expected.iter().all(|source| found.contains(source)), "{:?} of {:?}", expected, found);
            if conversion {
                // A target position may have come from any source position whose scaled interval touches it.
                let (m, n) = (sources.len(), images.len());
                prop_assert!(found.len() <= m.div_ceil(n) + 1 + 2, "{} of {} over {}", found.len(), m, n);
            } else {
                prop_assert_eq!(found, expected);
            }
        }
        let everything: Vec<Placed> = transfer.outs.iter().flat_map(|piece| single(&transfer.image(*piece))).collect();
        if !conversion {
            prop_assert_eq!(everything, images);
        }
    }
}
