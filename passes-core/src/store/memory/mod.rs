//! The memory store: one lock, compact rows, every guard judged before anything is written.

mod audit;
mod chunks;
mod entries;
mod index;
mod journal;
pub(super) mod judge;
pub(super) mod pause;
mod read;
mod row;
mod tables;
mod write;

#[cfg(test)]
mod tests;

use super::{
    After, Answer, Auditor, Change, Chunk, Command, Expect, Fut, Lent, Load, Loaded, Page, PageQuery, Put,
    Record, Store, StoreError, StoredOperation, Verdict,
};
use crate::hash::Set;
use crate::id::BusinessId;
use judge::Found;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tables::{Books, Tables};

/// How many commands of a list are looked at ahead: what they load stays in the cache until they run.
const AHEAD: usize = 32;
/// For how many documents room is kept for the next command.
const ROOM: usize = 16;

/// A store in memory, for tests and for hosts that keep nothing.
///
/// It is a handle: a clone leads to the same records, so that a clone kept aside *reopens* the store. What it
/// holds is gone with the last handle. Commands run one after the other under one lock, a command's decision
/// included; a reader sees a moment between two commands. Waiting for that lock is the only way in which it
/// blocks.
///
/// A business holds at most 2³² passes, made in any order; made by serial number, each takes some 160 bytes,
/// its code among them, and 11 to 21 in the index of codes.
///
/// ```
/// use passes_core::id::BusinessId;
/// use passes_core::store::memory::Memory;
/// use passes_core::store::{Load, Store, wait};
///
/// let store = Memory::new();
/// let mut load = Load::new(BusinessId::STORE);
/// load.key = Some([7; 16]);
/// assert!(wait(store.load(&load))?.replay.is_none());
/// # Ok::<(), passes_core::store::StoreError>(())
/// ```
#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Tables>>);

impl Memory {
    /// A store without records.
    /// See [`Memory`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything is judged before anything is written, so what a panic leaves behind is whole.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one command.
    fn one(&self, command: &mut dyn Lent) -> Result<Answer, StoreError> {
        let mut tables = self.tables();
        tables.fetch(&mut [&mut *command]);
        tables.run(command)
    }

    /// Reads the books of a business; one that isn't known has empty ones.
    fn read<T>(&self, business: BusinessId, read: impl FnOnce(&Books) -> T) -> T {
        let tables = self.tables();
        match tables.books.get(&business) {
            Some(books) => read(books),
            None => read(&Books::default()),
        }
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

impl Tables {
    fn apply(&mut self, change: &mut Change, found: Found<'_>) -> Result<After, StoreError> {
        self.books.entry(change.business).or_default().apply(change, found, &mut self.last)
    }

    /// Has fetched what commands will load. What one of them waits for isn't in the cache, and the processor fetches
    /// much side by side, while the commands do what they can without it.
    fn fetch(&self, commands: &mut [&mut dyn Lent]) {
        let mut last = None;
        let mut books = |business: BusinessId| match last {
            // Those of the command before, nearly always.
            Some((of, books)) if of == business => Some(books),
            _ => {
                let books = self.books.get(&business)?;
                last = Some((business, books));
                Some(books)
            }
        };
        // The indexes of all of them first: a row can only be asked for when its place is known.
        for command in &mut *commands {
            let load = command.load();
            books(load.business).into_iter().for_each(|books| books.touch_indexes(load));
        }
        for command in &mut *commands {
            command.ahead();
        }
        for command in &mut *commands {
            let load = command.load();
            books(load.business).into_iter().for_each(|books| books.touch(load));
        }
        for command in commands {
            while command.ahead() {}
        }
    }

    /// Runs commands, one after the other.
    fn run_all(&mut self, commands: &mut [&mut dyn Lent]) -> Vec<Result<Answer, StoreError>> {
        let mut answers = Vec::with_capacity(commands.len());
        for commands in commands.chunks_mut(AHEAD) {
            self.fetch(commands);
            answers.extend(commands.iter_mut().map(|command| self.run(*command)));
        }
        answers
    }

    /// Loads, decides and commits what has been fetched.
    fn run(&mut self, command: &mut dyn Lent) -> Result<Answer, StoreError> {
        let business = command.load().business;
        let room = std::mem::take(&mut self.docs);
        let loaded = match self.books.get(&business) {
            Some(books) => books.load_into(room, command.load()),
            None => Books::default().load_into(room, command.load()),
        };
        let (mut change, landed) = match command.decide(&loaded).verdict(&loaded)? {
            Verdict::Over(answer) => return Ok(answer),
            Verdict::Write(change, landed) => (change, landed),
        };
        let found = (change.business == business).then_some((command.load(), &loaded));
        let after = self.apply(&mut change, found)?;
        command.take_back(change);
        if loaded.docs.capacity() <= ROOM {
            self.docs = loaded.docs;
            self.docs.clear();
        }
        Ok(landed.answer(after))
    }

    fn fill(&mut self, chunk: &Chunk) -> Result<After, StoreError> {
        let mut change = chunk.change.clone();
        let passes = chunk.passes.iter().map(|row| Record::Pass(Box::new(row.clone())));
        change.put.extend(passes.map(|record| Put { record, expect: Expect::Absent }));
        let books = self.books.entry(change.business).or_default();
        // The guards come first: a chunk that landed before is a conflict, not a chunk whose codes are taken.
        let after = books.judge(&change, None)?;
        let mut seen: Set<_> = change.claim.iter().map(|claim| claim.digest).collect();
        seen.reserve(chunk.codes.len());
        let codes = chunk.codes.iter().enumerate();
        let taken = codes.filter(|(_, code)| books.is_taken(&code.digest) || !seen.insert(code.digest));
        let taken: Vec<usize> = taken.map(|(at, _)| at).collect();
        if !taken.is_empty() {
            return Err(StoreError::Taken(taken));
        }
        change.claim.extend(chunk.codes.iter().cloned());
        books.write(&mut change, after, &mut self.last)
    }
}

impl Store for Memory {
    /// Everything is written one thing after the other.
    fn slots(&self) -> u16 {
        1
    }

    fn run(&self, mut command: Command) -> Fut<'_, Answer> {
        Box::pin(async move { self.one(&mut command) })
    }

    fn run_now(&self, command: &mut dyn Lent) -> Option<Result<Answer, StoreError>> {
        Some(self.one(command))
    }

    fn run_all(&self, mut commands: Vec<Command>) -> Fut<'_, Vec<Result<Answer, StoreError>>> {
        Box::pin(async move {
            let mut lent: Vec<_> = commands.iter_mut().map(|command| command as &mut dyn Lent).collect();
            Ok(self.tables().run_all(&mut lent))
        })
    }

    fn run_all_now(&self, commands: &mut [&mut dyn Lent]) -> Option<Vec<Result<Answer, StoreError>>> {
        Some(self.tables().run_all(commands))
    }

    fn load<'a>(&'a self, load: &'a Load) -> Fut<'a, Loaded> {
        Box::pin(async move {
            Ok(self.read(load.business, |books| {
                books.touch_indexes(load);
                books.touch(load);
                books.load(load)
            }))
        })
    }

    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        Box::pin(async move {
            let mut tables = self.tables();
            let land = |change: &Change| tables.apply(&mut change.clone(), None);
            Ok(changes.iter().map(land).collect())
        })
    }

    fn pause(&self, time: Duration) -> Fut<'_, ()> {
        Box::pin(pause::Pause::new(time))
    }

    fn fill<'a>(&'a self, chunk: &'a Chunk) -> Fut<'a, After> {
        Box::pin(async move { self.tables().fill(chunk) })
    }

    fn page<'a>(&'a self, query: &'a PageQuery) -> Fut<'a, Page> {
        Box::pin(async move { Ok(self.read(query.business(), |books| books.page(query))) })
    }

    fn events(&self, business: BusinessId, after: u64, limit: u32) -> Fut<'_, Vec<Arc<StoredOperation>>> {
        Box::pin(async move { Ok(self.read(business, |books| books.operations_page(after, limit))) })
    }

    fn audit(&self, business: BusinessId, mut each: Auditor) -> Fut<'_, ()> {
        Box::pin(async move {
            // No lock is held while the auditor's code runs.
            let snapshot = self.tables().snapshot(business);
            snapshot.rows().for_each(&mut each);
            Ok(())
        })
    }

    fn ledger(&self, business: BusinessId, after: u64, mut each: Auditor) -> Fut<'_, ()> {
        Box::pin(async move {
            self.read(business, |books| books.ledger(after)).into_iter().for_each(&mut each);
            Ok(())
        })
    }
}
