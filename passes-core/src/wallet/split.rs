//! Which credit pays how much of which line of a basket (W-3). Plain integers: amounts in minor units,
//! credits and lines by their positions.
//!
//! The rule asks for two things, in this order, and each has one answer:
//!
//! 1. *How much of each credit*: the most of the first, then of the second, and so on. Credits are added one
//!    by one; one that finds its lines taken makes room by moving earlier credits to other lines they may
//!    pay. That never lowers what an earlier credit pays, so the sum is also the most that can be paid (a
//!    maximum flow).
//! 2. *Which lines*: the first credit pays the most of the first line, and so on. Each credit in turn is
//!    lifted out and put back line by line, moving only the credits behind it, which keep their totals.
//!
//! If the first step moved nothing (one credit; credits that may pay everything; no contention), its splits
//! already obey the second.

use std::collections::BTreeMap;

/// A credit as the split sees it.
/// See [`split`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payer<'a> {
    /// What the credit can give, in minor units; below zero counts as zero.
    pub amount: i64,
    /// Indices of the lines it may pay, ascending. An index that names no line is ignored.
    pub lines: &'a [usize],
}

/// One credit's payment towards one line.
/// See [`split`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Part {
    /// Index of the credit.
    pub credit: usize,
    /// Index of the line.
    pub line: usize,
    /// What the credit pays of the line, in minor units, above zero.
    pub amount: i64,
}

/// Who pays what, by [`split`] or [`split_up_to`].
/// See [`split`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// The parts, by credit, then line.
    pub parts: Vec<Part>,
    /// The sum of the parts, in minor units.
    pub paid: i64,
    /// What is missing to what was asked (the basket, or the limit if less), in minor units.
    pub short: i64,
}

/// Splits a basket over credits (W-3). `lines` are the lines' amounts in minor units (below zero counts as
/// zero), `credits` come in W-3's order (`OrderKey`).
///
/// Of all splits, the one that uses the most of the first credit, then of the second, and so on; it pays the
/// most that can be paid. Of the splits left, the first credit pays the most of the first line, then of the
/// second, and so on, then the next credit. Nothing is refused: what can't be paid is [`Split::short`].
///
/// ```
/// use passes_core::wallet::split::{Part, Payer, split};
///
/// // The first credit leaves line 0 to the second, which may pay nothing else.
/// let credits = [Payer { amount: 300, lines: &[0, 1] }, Payer { amount: 500, lines: &[0] }];
/// let split = split(&[500, 400], &credits);
/// let expected = [Part { credit: 0, line: 1, amount: 300 }, Part { credit: 1, line: 0, amount: 500 }];
/// assert_eq!(split.parts, expected);
/// assert_eq!((split.paid, split.short), (800, 100));
/// ```
pub fn split(lines: &[i64], credits: &[Payer<'_>]) -> Split {
    split_up_to(lines, credits, i64::MAX)
}

/// Splits as [`split`] does, of all splits that pay at most `limit` minor units in total (below zero counts
/// as zero): a spend of a stated amount, less than the basket (W-3). The same rule chooses among them: the
/// most of the first credit, then of the second, and so on, until the limit is used; then line by line.
///
/// What is asked is the limit, or the basket if that is less; [`Split::short`] counts from there.
///
/// ```
/// use passes_core::wallet::split::{Part, Payer, split_up_to};
///
/// let credits = [Payer { amount: 300, lines: &[1] }, Payer { amount: 500, lines: &[0, 1] }];
/// let split = split_up_to(&[500, 400], &credits, 450);
/// let expected = [Part { credit: 0, line: 1, amount: 300 }, Part { credit: 1, line: 0, amount: 150 }];
/// assert_eq!(split.parts, expected);
/// assert_eq!((split.paid, split.short), (450, 0));
/// ```
pub fn split_up_to(lines: &[i64], credits: &[Payer<'_>], limit: i64) -> Split {
    let basket = lines.iter().fold(0i64, |sum, line| sum.saturating_add((*line).max(0)));
    let asked = basket.min(limit).max(0);

    let mut flow = Flow::new(lines, credits);
    let mut rows = Vec::with_capacity(credits.len());
    let mut left = asked;
    for (credit, payer) in credits.iter().enumerate() {
        if left == 0 {
            break;
        }
        let row = flow.add(credit, payer.amount.min(left));
        left -= row.total;
        row.parts.iter().for_each(|(line, amount)| flow.shift(credit, *line, *amount));
        rows.push(row);
    }

    if flow.moved {
        for (credit, row) in rows.iter_mut().enumerate() {
            flow.lift(credit);
            let want = std::mem::take(row).total;
            flow.push(credit, want, row);
        }
    }

    let parts = rows.iter().enumerate().flat_map(|(credit, row)| {
        row.parts.iter().map(move |(line, amount)| Part { credit, line: *line, amount: *amount })
    });
    Split { parts: parts.collect(), paid: asked - left, short: left }
}

/// What one credit pays.
#[derive(Default)]
struct Row {
    total: i64,
    /// Line to amount above zero.
    parts: BTreeMap<usize, i64>,
}

impl Row {
    fn add(&mut self, line: usize, amount: i64) {
        if amount > 0 {
            self.total += amount;
            *self.parts.entry(line).or_default() += amount;
        }
    }
}

/// The lines' free room and the credits that may still be moved to make room.
struct Flow {
    /// Per line: what nobody pays yet.
    free: Vec<i64>,
    /// The lines with free room: `free` above zero.
    open: LineSet,
    /// Per line: what each movable credit pays of it, above zero.
    payers: Vec<BTreeMap<usize, i64>>,
    /// Per credit: the lines it may pay.
    payable: Vec<LineSet>,
    /// Whether any credit was moved.
    moved: bool,
    search: Search,
}

/// The working memory of [`Flow::make_room`], kept between searches.
struct Search {
    /// Lines that a search has shown to be full for good: neither they nor those their payers may move to
    /// have room, until a credit is lifted or gets movable.
    full: LineSet,
    seen: LineSet,
    asked: Vec<bool>,
    queue: Vec<usize>,
    /// Per seen line: the credit that may move there, and from which line.
    from: Vec<Option<(usize, usize)>>,
}

impl Flow {
    fn new(lines: &[i64], credits: &[Payer<'_>]) -> Self {
        let none = LineSet::new(lines.len());
        let mut flow = Self {
            free: vec![0; lines.len()],
            open: none.clone(),
            payers: vec![BTreeMap::new(); lines.len()],
            payable: Vec::with_capacity(credits.len()),
            moved: false,
            search: Search {
                full: none.clone(),
                seen: none.clone(),
                asked: vec![false; credits.len()],
                queue: Vec::with_capacity(lines.len()),
                from: vec![None; lines.len()],
            },
        };
        for (line, amount) in lines.iter().enumerate() {
            flow.release(line, (*amount).max(0));
        }
        for credit in credits {
            let mut payable = none.clone();
            credit.lines.iter().filter(|line| **line < lines.len()).for_each(|line| payable.insert(*line));
            flow.payable.push(payable);
        }
        flow
    }

    /// Lets a credit pay up to `want`, wherever there is room first, so that others move only if they must.
    fn add(&mut self, credit: usize, want: i64) -> Row {
        let mut row = Row::default();
        for line in self.lines_of(credit) {
            row.add(line, self.take(line, want - row.total));
        }
        self.push(credit, want, &mut row);
        row
    }

    /// Fills up a credit's row to `want`, line by line, moving others away as long as that makes room.
    ///
    /// What a credit can pay over its lines is a polymatroid: taking the most line by line never costs a unit
    /// of the total, so no part of this row is ever moved again.
    fn push(&mut self, credit: usize, want: i64, row: &mut Row) {
        self.search.full.0.fill(0);
        for line in self.lines_of(credit) {
            while row.total < want {
                let took = self.take(line, want - row.total);
                row.add(line, took);
                if took == 0 && !self.make_room(line, want - row.total) {
                    break;
                }
            }
        }
    }

    /// Takes up to `want` of a line's free room.
    fn take(&mut self, line: usize, want: i64) -> i64 {
        let Some(free) = self.free.get_mut(line) else { return 0 };
        let took = want.min(*free).max(0);
        *free -= took;
        if *free == 0 {
            self.open.remove(line);
        }
        took
    }

    /// Gives room back to a line.
    fn release(&mut self, line: usize, amount: i64) {
        if let Some(free) = self.free.get_mut(line)
            && amount > 0
        {
            *free += amount;
            self.open.insert(line);
        }
    }

    /// Takes a movable credit out: its lines have room again.
    fn lift(&mut self, credit: usize) {
        for line in self.lines_of(credit) {
            let amount = self.payers.get_mut(line).and_then(|payers| payers.remove(&credit));
            self.release(line, amount.unwrap_or(0));
        }
    }

    /// Moves credits along the shortest chain from a full line to one with room, by up to `want`: each to a
    /// line it may pay, the next making room for it there. Says whether there was a chain.
    fn make_room(&mut self, line: usize, want: i64) -> bool {
        let Some(end) = self.find_room(line) else { return false };
        let mut chain = Vec::new();
        let mut most = want.min(self.free.get(end).copied().unwrap_or(0));
        let mut to = end;
        while let Some((credit, from)) = self.search.from.get(to).copied().flatten() {
            most = most.min(self.pays(credit, from));
            chain.push((credit, from, to));
            to = from;
        }
        for (credit, from, to) in chain {
            self.shift(credit, to, most);
            self.shift(credit, from, -most);
        }
        self.take(end, most);
        self.release(line, most);
        self.moved = true;
        true
    }

    /// Searches, breadth first, for a line with room at the end of a chain of moves; if there is none, all
    /// lines seen are full.
    fn find_room(&mut self, line: usize) -> Option<usize> {
        let Search { full, seen, asked, queue, from } = &mut self.search;
        if full.contains(line) {
            return None;
        }
        seen.0.clone_from(&full.0);
        seen.insert(line);
        asked.fill(false);
        queue.clear();
        queue.push(line);
        if let Some(from) = from.get_mut(line) {
            *from = None;
        }
        let mut next = 0;
        while let Some(here) = queue.get(next).copied() {
            next += 1;
            for credit in self.payers.get(here)?.keys() {
                if std::mem::replace(asked.get_mut(*credit)?, true) {
                    continue;
                }
                let payable = self.payable.get(*credit)?;
                if let Some(end) = payable.first_common(&self.open) {
                    *from.get_mut(end)? = Some((*credit, here));
                    return Some(end);
                }
                for to in payable.without(seen) {
                    *from.get_mut(to)? = Some((*credit, here));
                    queue.push(to);
                }
                seen.insert_all(payable);
            }
        }
        full.0.clone_from(&seen.0);
        None
    }

    fn lines_of(&self, credit: usize) -> Vec<usize> {
        self.payable.get(credit).map(|lines| lines.iter().collect()).unwrap_or_default()
    }

    fn pays(&self, credit: usize, line: usize) -> i64 {
        self.payers.get(line).and_then(|payers| payers.get(&credit)).copied().unwrap_or(0)
    }

    /// Adds to what a movable credit pays of a line, or takes from it.
    fn shift(&mut self, credit: usize, line: usize, by: i64) {
        if let Some(payers) = self.payers.get_mut(line) {
            let amount = payers.entry(credit).or_default();
            *amount += by;
            if *amount == 0 {
                payers.remove(&credit);
            }
        }
    }
}

/// A set of lines, a bit each: a search over hundreds of credits looks at 64 lines at a time.
#[derive(Clone)]
struct LineSet(Vec<u64>);

impl LineSet {
    const BITS: usize = 64;

    fn new(lines: usize) -> Self {
        Self(vec![0; lines.div_ceil(Self::BITS)])
    }

    fn insert(&mut self, line: usize) {
        if let Some(word) = self.0.get_mut(line / Self::BITS) {
            *word |= 1 << (line % Self::BITS);
        }
    }

    fn remove(&mut self, line: usize) {
        if let Some(word) = self.0.get_mut(line / Self::BITS) {
            *word &= !(1 << (line % Self::BITS));
        }
    }

    fn contains(&self, line: usize) -> bool {
        self.0.get(line / Self::BITS).is_some_and(|word| word & (1 << (line % Self::BITS)) != 0)
    }

    fn insert_all(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(word, other)| *word |= other);
    }

    /// The lowest line that is in both.
    fn first_common(&self, other: &Self) -> Option<usize> {
        let words = self.0.iter().zip(&other.0).map(|(word, other)| word & other);
        ones(words).next()
    }

    /// The lines that are not in the other, ascending.
    fn without(&self, other: &Self) -> impl Iterator<Item = usize> {
        ones(self.0.iter().zip(&other.0).map(|(word, other)| word & !other))
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        ones(self.0.iter().copied())
    }
}

/// The positions of the bits that are set.
fn ones(words: impl Iterator<Item = u64>) -> impl Iterator<Item = usize> {
    let rest = |word: u64| Some(word).filter(|word| *word != 0);
    words.enumerate().flat_map(move |(index, word)| {
        // `word & (word - 1)` is the word without its lowest bit.
        std::iter::successors(rest(word), move |word| rest(word & (word - 1)))
            .map(move |word| index * LineSet::BITS + word.trailing_zeros() as usize)
    })
}

#[cfg(test)]
mod tests;
