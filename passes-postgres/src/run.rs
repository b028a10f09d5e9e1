//! Running a command: load, decide, commit; and what is done about many that want the same.
//!
//! A command goes ahead without a lock. One that meets a conflict queues: in its process at a gate, of which there is
//! one for each thing that is fought for right now, and then among processes at an advisory lock. Loading and committing
//! are then one transaction, in two round trips all the same. Whoever comes while a gate is there queues at once, so that
//! nobody is turned away because others came at the same time.

use crate::errors::While;
use crate::group;
use crate::lane::Lane;
use crate::load_known::Read;
use crate::load_one;
use crate::plan::{Fresh, Plan};
use crate::pool::{OTHERS, Pool, Session, connection};
use crate::ready::{ABANDONED, COMMIT};
use crate::{AGAIN, commit};
use passes_core::id::Id;
use passes_core::store::{After, Answer, Change, Command, DocKey, Load, StoreError, Verdict};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often a command that meets conflicts is tried. Behind a gate only commands of other processes that don't queue yet
/// can be in its way, each once.
const TRIES: u32 = 64;

/// The gates that are there, by what is fought for.
#[derive(Debug, Default)]
pub(crate) struct Gates(Mutex<HashMap<i64, Arc<tokio::sync::Mutex<()>>>>);

/// A place at a gate. The gate goes with the last.
struct Place<'g> {
    gates: &'g Gates,
    key: i64,
    gate: Arc<tokio::sync::Mutex<()>>,
}

impl Gates {
    fn with<T>(&self, look: impl FnOnce(&mut HashMap<i64, Arc<tokio::sync::Mutex<()>>>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A place at the gate, if there is one.
    fn find(&self, key: i64) -> Option<Place<'_>> {
        let gate = self.with(|gates| gates.get(&key).map(Arc::clone))?;
        Some(Place { gates: self, key, gate })
    }

    /// A place at the gate, which is made if need be.
    fn make(&self, key: i64) -> Place<'_> {
        let gate = self.with(|gates| Arc::clone(gates.entry(key).or_default()));
        Place { gates: self, key, gate }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gates.with(|gates| {
            // One is in the map, and one is this.
            if Arc::strong_count(&self.gate) <= 2 {
                gates.remove(&self.key);
            }
        });
    }
}

/// What commands with this load may fight for: the pass of a code, say. Two that name it differently, or two things with
/// the same number, cost at most time.
fn wanted(load: &Load) -> Option<i64> {
    let first: &[u8] = if let Some(code) = &load.code {
        code.as_bytes()
    } else if let Some(pass) = load.passes.first() {
        pass.as_bytes()
    } else if let Some(range) = &load.range {
        range.first.as_bytes()
    } else if let Some(contact) = &load.wallet {
        contact.as_bytes()
    } else if let Some((_, credit)) = load.credits.first() {
        credit.as_bytes()
    } else if let Some(doc) = load.docs.last() {
        &doc.id
    } else {
        return None;
    };
    // FNV-1a: the number must be the same in every process.
    let bytes = load.business.to_bytes();
    let hash = bytes.iter().chain(first).fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    });
    Some(hash.cast_signed())
}

/// Runs a command.
pub(crate) async fn run(lane: &Lane, gates: &Gates, command: Command) -> Result<Answer, StoreError> {
    let (pool, groups) = (&lane.pool, &lane.groups);
    let key = wanted(command.load());
    let mut place = key.and_then(|key| gates.find(key));
    if place.is_none() {
        let answer = if groups.is_on() && load_one::is_one(command.load()) {
            group::run(pool, groups, &command).await
        } else {
            freely(pool, &command).await
        };
        match answer {
            Err(StoreError::Conflict) => {}
            answer => return answer,
        }
        // Without anything to queue for, it is the business.
        place = Some(gates.make(key.unwrap_or_default()));
    }
    let Some(place) = place else { return Err(StoreError::Conflict) };
    let _turn = place.gate.lock().await;
    for round in 0..TRIES {
        match in_turn(pool, place.key, &command).await {
            Err(StoreError::Conflict) if round > 0 => {
                pool.manager().serves().sleep(Duration::from_micros(200_u64 << round.min(7))).await;
            }
            Err(StoreError::Conflict) => {}
            answer => return answer,
        }
    }
    Err(StoreError::Conflict)
}

/// Two round trips, between which anything may happen.
pub(crate) async fn freely(pool: &Pool, command: &Command) -> Result<Answer, StoreError> {
    let mut others = OTHERS;
    loop {
        let mut session = connection(pool).await?;
        let answered = match read_and_decide(&mut session, command).await {
            Err(error) => Err(error),
            Ok((Verdict::Over(answer), _)) => return Ok(answer),
            Ok((Verdict::Write(change, landed), rests)) => {
                match crate::commit_one(&mut session, &change, &rests).await {
                    Ok(after) => return Ok(landed.answer(after)),
                    Err(error) => Err(error),
                }
            }
        };
        match answered {
            // The connection was lost, and nothing landed: it is begun again over another.
            Err(StoreError::Transient(_)) if session.is_lost() && others > 0 => others -= 1,
            answered => return answered,
        }
    }
}

/// What a command comes to, and the versions of documents that weren't read anew. By what was known nothing is refused.
async fn read_and_decide(
    session: &mut Session,
    command: &Command,
) -> Result<(Verdict, Vec<(DocKey, u32)>), StoreError> {
    let load = command.load();
    match session.read_all(&[load]).await?.pop() {
        Some(Read::Whole(loaded)) => return Ok((command.decide(&loaded).verdict(&loaded)?, Vec::new())),
        Some(Read::Known(loaded, rests)) => match command.decide(&loaded).verdict(&loaded)? {
            Verdict::Over(_) => {}
            write => return Ok((write, rests)),
        },
        Some(Read::Lacking) | None => {}
    }
    let loaded = session.load(load).await?;
    Ok((command.decide(&loaded).verdict(&loaded)?, Vec::new()))
}

/// Two round trips, between which nobody else who queues does anything.
async fn in_turn(pool: &Pool, key: i64, command: &Command) -> Result<Answer, StoreError> {
    let mut others = OTHERS;
    for _ in 0..AGAIN {
        let mut session = connection(pool).await?;
        session.first = Some(format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; {}{ABANDONED}; SELECT pg_advisory_xact_lock({key})",
            session.local()
        ));
        session.open = true;
        let loaded = match session.load(command.load()).await {
            Err(StoreError::Transient(_)) if session.is_lost() && others > 0 => {
                others -= 1;
                continue;
            }
            loaded => loaded,
        };
        let (change, landed) = match loaded.and_then(|loaded| command.decide(&loaded).verdict(&loaded)) {
            Ok(Verdict::Write(change, landed)) => (change, landed),
            Ok(Verdict::Over(answer)) => {
                // Nothing was written; a connection that is lost here is nobody's trouble.
                let _ = session.roll_back().await;
                return Ok(answer);
            }
            Err(error) => {
                // What went wrong first is told, whatever else does.
                let _ = session.roll_back().await;
                return Err(error);
            }
        };
        match commit_and_end(&mut session, &change).await {
            Ok(Some(after)) => return Ok(landed.answer(after)),
            Ok(None) => {}
            Err(StoreError::Transient(_)) if session.is_lost() && others > 0 => others -= 1,
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Conflict)
}

/// Commits the change and with it the transaction; nothing when it is to be begun again.
async fn commit_and_end(session: &mut Session, change: &Change) -> Result<Option<After>, StoreError> {
    let mut plan = Plan::new(change.business);
    if let Err(error) = plan.add(change, Fresh::default()) {
        let _ = session.roll_back().await;
        return Err(error);
    }
    let base = session.base;
    session.last = Some(COMMIT);
    let sent = session.query(commit::TAG, |sql| commit::write(sql, &plan, base), While::Committing).await;
    match sent {
        Ok(rows) => {
            session.known().written(change);
            Ok(commit::read(&plan, &rows)?.pop())
        }
        Err(failed) if failed.again => Ok(None),
        Err(failed) => Err(failed.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-3: what is rare is boxed, so that no command pays for its room. A connection in the making alone has 25 KiB.
    #[test]
    fn a_command_under_way_is_small() {
        fn size<A, B, C, F: Future>(_: fn(A, B, C) -> F) -> usize {
            size_of::<F>()
        }
        assert!(size(run) < 8 << 10, "{}", size(run));
    }
}
