//! What is in the file when the tills are dead.

use crate::Shop;
use crate::deed::Stood;
use passes_core::event::{Event, Position};
use passes_core::id::{ContactId, CreditId, LotId, PassId, RunId};
use passes_core::ledger::{StoredEntry, Subject};
use passes_core::operation::Kind;
use passes_core::pass::{CreditRow, PassRow};
use passes_core::store::{AuditRow, PageQuery, wait};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use tests::Books;

/// An operation, as far as anybody outside can tell it.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// Its position.
    pub number: u64,
    /// Its kind.
    pub kind: Kind,
    /// When it counts, in microseconds.
    pub at: i64,
    /// What it told.
    pub events: Vec<Event>,
}

/// A printed lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// How many passes it has, or will have.
    pub count: u32,
    /// Whether they are there.
    pub complete: bool,
    /// Whether its codes can be read.
    pub exported: bool,
    /// The run that makes it.
    pub run: RunId,
}

/// What is in the file.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The operations, in order.
    pub log: Vec<Op>,
    /// The passes.
    pub passes: BTreeMap<PassId, PassRow>,
    /// The credits.
    pub credits: BTreeMap<(ContactId, CreditId), CreditRow>,
    /// The printed lots.
    pub lots: BTreeMap<LotId, Lot>,
    /// The runs.
    pub runs: BTreeMap<RunId, Stood>,
    /// Passes with their codes, and where the code leads if that was asked.
    pub codes: Vec<(PassId, String, Option<PassId>)>,
    /// What is wrong with the file, the books or the chains of entries.
    pub wrong: Vec<String>,
    /// Whether numbers may have gaps, as those of a server have.
    pub gaps: bool,
}

impl Found {
    /// The last operation.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.log.last().map_or(0, |op| op.number)
    }

    /// Judges the file by itself: SQLite's own check, and what [`Found::examine_books`] does.
    ///
    /// # Panics
    /// When the books don't add up, or something can't be read.
    pub fn examine(&mut self, shop: &Shop, file: &Path) {
        let sql = rusqlite::Connection::open(file).unwrap();
        let sound: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        drop(sql);
        if sound != "ok" {
            self.wrong.push(format!("SQLite: {sound}"));
        }
        self.examine_books(shop);
    }

    /// Judges what is in the store by itself: the library's own check, and the tests' own books.
    ///
    /// # Panics
    /// When the books don't add up, or something can't be read.
    pub fn examine_books(&mut self, shop: &Shop) {
        let verified = shop.passes.verify(&shop.by).wait().unwrap();
        self.wrong.extend(verified.drifts.iter().map(|drift| format!("{drift:?}")));
        if verified.drifted > 0 && verified.drifts.is_empty() {
            self.wrong.push("drifts that are not told".to_owned());
        }
        let _ = Books::of(&**shop.passes.store(), shop.by.business);
    }

    /// Reads the operations that came after those that are known. The last that are known must be there still.
    ///
    /// # Panics
    /// When they can't be read.
    pub fn read_on(&mut self, shop: &Shop) {
        let from = self.last().saturating_sub(64);
        let known = self.log.iter().position(|op| op.number > from).unwrap_or(self.log.len());
        let again = log(shop, from);
        let count = self.log.len() - known;
        if again.get(..count) != Some(&self.log[known..]) {
            self.wrong.push(format!("the operations after {from} are not those that were there before"));
        }
        self.log.truncate(known);
        self.log.extend(again);
    }

    /// Reads all operations again, which must be those that are known.
    ///
    /// # Panics
    /// When they can't be read.
    pub fn read_again(&mut self, shop: &Shop) {
        if log(shop, 0) != self.log {
            self.wrong.push("the operations are not those that were there before".to_owned());
        }
    }

    /// Reads everything else.
    ///
    /// # Panics
    /// When it can't be read.
    pub fn read_rows(&mut self, shop: &Shop) {
        (self.passes, self.credits) = Default::default();
        let rows = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&rows);
        let each = Box::new(move |row| into.lock().unwrap().push(row));
        wait(shop.passes.store().audit(shop.by.business, each)).unwrap();
        let mut chains = Chains { gaps: self.gaps, ..Chains::default() };
        for row in std::mem::take(&mut *rows.lock().unwrap()) {
            match row {
                AuditRow::Entry(entry) => chains.entry(&entry),
                AuditRow::Pass(pass) => drop(self.passes.insert(pass.id, *pass)),
                AuditRow::Credit(credit) => {
                    self.credits.insert((credit.contact, credit.id), *credit);
                }
                AuditRow::Fault(fault) => self.wrong.push(format!("the store: {fault}")),
                _ => {}
            }
        }
        for pass in self.passes.values() {
            chains.ends(Subject::Pass(pass.id), pass.last);
        }
        for credit in self.credits.values() {
            chains.ends(Subject::Credit(credit.contact, credit.id), credit.last);
        }
        self.wrong.append(&mut chains.wrong);
        self.read_runs(shop);
    }

    fn read_runs(&mut self, shop: &Shop) {
        (self.lots, self.runs) = Default::default();
        for event in self.log.iter().flat_map(|op| &op.events) {
            let run = match event {
                Event::LotStarted { lot: id, .. } => {
                    let lot = shop.passes.lot(&shop.by, *id).wait().unwrap();
                    let run = lot.run.expect("a printed lot without a run");
                    let (count, complete, exported) = (lot.count, lot.complete, lot.exports > 0);
                    self.lots.insert(*id, Lot { count, complete, exported, run });
                    run
                }
                Event::RunStarted { run } => *run,
                _ => continue,
            };
            let progress = shop.passes.progress(&shop.by, run).wait().unwrap();
            if self.runs.insert(run, Stood::from(&progress)).is_some() {
                self.wrong.push(format!("run {run} began twice"));
            }
        }
    }

    /// Reads the codes of all lots that are complete and exported, and looks some of them up.
    ///
    /// # Panics
    /// When they can't be read.
    pub fn read_codes(&mut self, shop: &Shop, look_up_every: usize) {
        self.codes.clear();
        for (lot, _) in self.lots.iter().filter(|(_, lot)| lot.complete && lot.exported) {
            let mut after = 0;
            loop {
                let page = shop.passes.export_page(&shop.by, *lot, after, 10_000).wait().unwrap();
                let Some(last) = page.last() else { break };
                after = last.serial;
                for row in page {
                    let code = row.code.reveal().to_owned();
                    let asked = self.codes.len().is_multiple_of(look_up_every);
                    let found = asked.then(|| {
                        let found = shop.passes.pass_by_code(&shop.by, &code.as_str().into()).wait();
                        found.map(|found| found.id).unwrap()
                    });
                    self.codes.push((row.pass, code, found));
                }
            }
        }
    }
}

/// The operations after one.
fn log(shop: &Shop, after: u64) -> Vec<Op> {
    let (business, limit) = (shop.by.business, 2_000);
    let (mut log, mut at) = (Vec::new(), after);
    loop {
        let query = PageQuery::Operations { business, after: at, limit };
        let page = wait(shop.passes.store().page(&query)).unwrap().operations;
        let Some(last) = page.last() else { break };
        at = last.number;
        log.extend(page.iter().map(|stored| Op {
            number: stored.number,
            kind: stored.operation.kind,
            at: stored.operation.at.micros(),
            events: Vec::new(),
        }));
    }
    let places: HashMap<u64, usize> = log.iter().enumerate().map(|(place, op)| (op.number, place)).collect();
    let mut after = Position(after);
    loop {
        let told = shop.passes.events(&shop.by, after, limit).wait().unwrap();
        let Some(last) = told.last() else { return log };
        after = last.position;
        for told in told {
            log[places[&told.position.0]].events.push(told.event);
        }
    }
}

/// The chains of entries: each names the one before it of the same pass or credit.
#[derive(Default)]
struct Chains {
    last: HashMap<Subject, u64>,
    number: u64,
    gaps: bool,
    wrong: Vec<String>,
}

impl Chains {
    fn entry(&mut self, stored: &StoredEntry) {
        self.number += 1;
        if stored.number != self.number && !(self.gaps && stored.number > self.number) {
            self.wrong.push(format!("entry {} stands where {} should", stored.number, self.number));
        }
        self.number = stored.number;
        let sides = [(stored.entry.from.1, stored.before_from), (stored.entry.to.1, stored.before_to)];
        for (subject, before) in sides {
            for one in each(subject) {
                let last = self.last.insert(one, stored.number).unwrap_or(0);
                // Both sides may be the same.
                if last != before && last != stored.number {
                    self.wrong.push(format!("entry {} follows {before}, and not {last}", stored.number));
                }
            }
        }
    }

    fn ends(&mut self, subject: Subject, at: u64) {
        let last = self.last.get(&subject).copied().unwrap_or(0);
        if last != at {
            self.wrong.push(format!("the last entry of {subject:?} is {last}, and not {at}"));
        }
    }
}

/// One by one.
fn each(subject: Subject) -> Vec<Subject> {
    match subject {
        Subject::None => Vec::new(),
        Subject::Passes { first, count } => {
            (0..count).map(|n| Subject::Pass(first.lot().pass(first.serial() + n))).collect()
        }
        one => vec![one],
    }
}
