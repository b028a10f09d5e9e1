//! A lot is made in chunks: rows and cursor land together.

use crate::check::{Outcome, conflict, same};
use crate::world::{World, claim, doc, new, over, pass_row, received};
use passes_core::id::{LotId, PassId};
use passes_core::ledger::Subject;
use passes_core::pass::PassRow;
use passes_core::passcode::Digest;
use passes_core::store::{Change, Chunk, Claim, DocKey, DocKind, Load, StoreError};

/// A run that makes passes of a lot.
struct Run {
    key: DocKey,
    lot: LotId,
}

impl Run {
    fn start(world: &mut World<'_>) -> Outcome<Self> {
        let run = Self { key: DocKey { kind: DocKind::Run, id: world.bytes() }, lot: world.lot() };
        let start = Change { put: vec![new(doc(run.key, "0"))], ..world.done() };
        world.lands(start)?;
        Ok(run)
    }

    /// The chunk that makes these serial numbers, with a code each, and moves the cursor on from a version.
    fn chunk(&self, world: &mut World<'_>, version: u32, serials: std::ops::RangeInclusive<u32>) -> Chunk {
        let mut codes: Vec<Claim> =
            serials.clone().map(|serial| claim(world.digest(), self.lot.pass(serial))).collect();
        codes.sort_by_key(|code| code.digest);
        let (first, count) = (self.lot.pass(*serials.start()), serials.end() - serials.start() + 1);
        let change = Change {
            put: vec![over(version, doc(self.key, &serials.end().to_string()))],
            entries: vec![received(Subject::Passes { first, count }, 100 * i64::from(count))],
            ..world.done()
        };
        Chunk { change, codes, passes: serials.map(|serial| pass_row(self.lot.pass(serial))).collect() }
    }

    fn version(&self, world: &World<'_>) -> Outcome<u32> {
        Ok(world.doc(self.key)?.map_or(0, |doc| doc.version))
    }

    fn serials(&self, world: &World<'_>) -> Outcome<Vec<u32>> {
        let rows = world.passes(self.lot.pass(0), self.lot.pass(u32::MAX), u32::MAX)?;
        Ok(rows.iter().map(|row| row.id.serial()).collect())
    }
}

fn codes(chunk: &Chunk) -> Vec<Digest> {
    chunk.codes.iter().map(|code| code.digest).collect()
}

fn pass_of(world: &World<'_>, code: Digest) -> Outcome<Option<PassId>> {
    let found = world.load(&Load { code: Some(code), ..world.nothing() })?;
    Ok(found.code.map(|row| row.id))
}

/// T-2, D-3: a chunk's rows, codes, entries, cursor and operation land together.
pub(super) fn a_chunk_lands_whole(world: &mut World<'_>) -> Outcome {
    let run = Run::start(world)?;
    let chunks = [run.chunk(world, 1, 1..=3), run.chunk(world, 2, 4..=5)];
    let mut numbers = Vec::new();
    for chunk in &chunks {
        numbers.push(world.fill(chunk)?.operation);
    }
    for _ in 0..2 {
        same("the serial numbers", &run.serials(world)?, &vec![1, 2, 3, 4, 5])?;
        same("the version of the cursor", &run.version(world)?, &3)?;
        for (chunk, number) in chunks.iter().zip(&numbers) {
            for code in &chunk.codes {
                same("the pass of a code", &pass_of(world, code.digest)?, &Some(code.pass))?;
            }
            let entries = world.by_number(*number)?.ok_or("the operation is not found")?.1;
            same("the entries", &entries.iter().map(|e| e.entry.clone()).collect(), &chunk.change.entries)?;
            for row in &chunk.passes {
                let found = world.pass(row.id)?.ok_or("a pass is not found")?;
                same("the last entry of a pass", &found.last, &entries[0].number)?;
                let bare = PassRow { last: 0, ..found };
                same("a pass", &bare, row)?;
            }
        }
        world.reopen();
    }
    Ok(())
}

/// C-4, T-2, D-3: if codes of a chunk are taken, or are the same, nothing of it lands, and it is told which.
pub(super) fn a_chunk_with_a_taken_code_leaves_nothing(world: &mut World<'_>) -> Outcome {
    let run = Run::start(world)?;
    let mut chunk = run.chunk(world, 1, 1..=6);
    let pass = world.make_pass(1, 0)?;
    let taken = [chunk.codes[1].digest, chunk.codes[4].digest];
    let claims = taken.iter().map(|code| claim(*code, pass)).collect();
    world.lands(Change { claim: claims, ..world.change() })?;
    same("the answer", &world.fill(&chunk), &Err(StoreError::Taken(vec![1, 4])))?;
    let load = Load { taken: codes(&chunk), ..world.nothing() };
    let expected = vec![false, true, false, false, true, false];
    same("the codes taken", &world.load(&load)?.taken, &expected)?;
    same("the passes made", &run.serials(world)?, &Vec::new())?;
    same("the version of the cursor", &run.version(world)?, &1)?;
    same("the operations", &world.all_events()?.len(), &1)?;
    for at in [1, 4] {
        chunk.codes[at].digest = world.digest();
    }
    chunk.codes.sort_by_key(|code| code.digest);
    let mut twice = chunk.clone();
    twice.codes[3].digest = twice.codes[2].digest;
    same("the same code twice", &world.fill(&twice), &Err(StoreError::Taken(vec![3])))?;
    same("the passes made", &run.serials(world)?, &Vec::new())?;
    world.fill(&chunk)?;
    same("the serial numbers", &run.serials(world)?, &vec![1, 2, 3, 4, 5, 6])?;
    for code in taken {
        same("the pass of a code that was taken", &pass_of(world, code)?, &Some(pass))?;
    }
    Ok(())
}

/// T-2, D-3: a chunk lands once. Given again it meets the guard of its cursor, and isn't told that its codes
/// are taken: they are its own.
pub(super) fn a_chunk_lands_once(world: &mut World<'_>) -> Outcome {
    let run = Run::start(world)?;
    let chunk = run.chunk(world, 1, 1..=3);
    world.fill(&chunk)?;
    let stale = run.chunk(world, 1, 4..=6);
    for _ in 0..2 {
        conflict("the same chunk again", &world.fill(&chunk))?;
        conflict("another chunk at the same cursor", &world.fill(&stale))?;
        let load = Load { taken: codes(&stale), ..world.nothing() };
        same("the codes of the other", &world.load(&load)?.taken, &vec![false; 3])?;
        same("the serial numbers", &run.serials(world)?, &vec![1, 2, 3])?;
        same("the version of the cursor", &run.version(world)?, &2)?;
        same("the operations", &world.all_events()?.len(), &2)?;
        world.reopen();
    }
    let mut overlapping = run.chunk(world, 2, 3..=4);
    overlapping.change.entries.clear();
    conflict("a chunk with a pass that is there", &world.fill(&overlapping))?;
    same("the serial numbers", &run.serials(world)?, &vec![1, 2, 3])
}

/// T-2, C-4: chunks of thousands; the codes of one may be those of another's passes.
pub(super) fn chunks_of_many_passes(world: &mut World<'_>) -> Outcome {
    const EACH: u32 = 2500;
    let run = Run::start(world)?;
    let mut chunks: Vec<Chunk> = (0..3)
        .map(|number: u32| run.chunk(world, number + 1, number * EACH + 1..=(number + 1) * EACH))
        .collect();
    // As a run does that sorts its codes within a window of several chunks.
    let mut all: Vec<Claim> = chunks.iter().flat_map(|chunk| chunk.codes.clone()).collect();
    all.sort_by_key(|code| code.digest);
    for (chunk, part) in chunks.iter_mut().zip(all.chunks(EACH as usize)) {
        chunk.codes = part.to_vec();
        world.fill(chunk)?;
    }
    world.reopen();
    same("the serial numbers", &run.serials(world)?, &(1..=3 * EACH).collect())?;
    for code in all.iter().step_by(997) {
        same("the pass of a code", &pass_of(world, code.digest)?, &Some(code.pass))?;
    }
    let taken = all.iter().map(|code| code.digest).collect();
    let found = world.load(&Load { taken, ..world.nothing() })?;
    same("codes not taken", &found.taken.iter().filter(|taken| !**taken).count(), &0)
}
