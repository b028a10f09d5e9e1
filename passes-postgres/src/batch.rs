//! Many commands in one call: all are loaded at once, and those that have nothing to do with each other are committed by
//! one statement.
//!
//! They are run in order all the same. A command that reads what one before it writes begins a new batch, and sees it.

use crate::commit;
use crate::distributed::Base;
use crate::errors::corrupt;
use crate::judge::{Together, reads};
use crate::lane::Lane;
use crate::load_known::Read;
use crate::plan::{Fresh, Plan};
use crate::pool::{Pool, Session, connection};
use crate::run::{Decided, Gates, answer, decide, run};
use crate::sql::FEW;
use crate::{TOGETHER, commit_group};
use passes_core::store::{After, Answer, Change, Command, DocKey, Load, StoreError};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

type Answers = Vec<Result<Answer, StoreError>>;

/// What the first commands of a batch came to.
enum Batch {
    /// They are over.
    Over(Answers),
    /// So many are to be run one by one.
    Alone(usize),
}

/// Runs commands in order.
pub(crate) async fn run_all(lane: &Lane, gates: &Gates, commands: Vec<Command>) -> Answers {
    let mut answers = Vec::with_capacity(commands.len());
    let mut rest: VecDeque<Command> = commands.into();
    let mut size = TOGETHER;
    while !rest.is_empty() {
        let count = size.min(rest.len());
        let batch = match rest.make_contiguous().get(..count) {
            Some(batch) if count > 1 => together(&lane.pool, batch).await,
            _ => Batch::Alone(1),
        };
        let over = match batch {
            Batch::Over(over) => {
                rest.drain(..over.len().min(rest.len()));
                let all = over.len();
                answers.extend(over);
                all
            }
            Batch::Alone(alone) => {
                for command in rest.drain(..alone.clamp(1, count)) {
                    answers.push(run(lane, gates, command).await);
                }
                alone
            }
        };
        // Commands of a list that have to do with each other often stand beside each other.
        size = if over == count { size.saturating_mul(2).min(TOGETHER) } else { over.max(1) };
    }
    answers
}

/// Runs as many of the first commands as have nothing to do with each other.
async fn together(pool: &Pool, commands: &[Command]) -> Batch {
    let Ok(mut session) = connection(pool).await else { return Batch::Alone(1) };
    let loads: Vec<&Load> = commands.iter().map(Command::load).collect();
    let Ok(loaded) = session.load_all(&loads).await else { return Batch::Alone(1) };
    let business = loads.first().map(|load| load.business);
    let mut known = Together::default();
    let mut decided: Vec<Decision> = Vec::new();
    let mut changes: Vec<Change> = Vec::new();
    for (command, loaded) in commands.iter().zip(&loaded) {
        let read = reads(command.load(), loaded).filter(|_| Some(command.load().business) == business);
        if read.is_none_or(|read| !known.knows_nothing_of(&read)) {
            break;
        }
        decided.push(match decide(command, loaded) {
            Err(error) => Decision::Over(Err(error)),
            Ok(Decided::Over(answer)) => Decision::Over(Ok(answer)),
            Ok(Decided::Write(change, _)) if !known.take(&change) => break,
            Ok(Decided::Write(change, refusals)) => {
                changes.push(*change);
                Decision::Write(refusals)
            }
        });
    }
    if decided.is_empty() {
        return Batch::Alone(1);
    }
    let landed =
        if changes.is_empty() { Ok(Vec::new()) } else { commit_group(&mut session, &changes, &[]).await };
    match landed {
        Ok(after) => Batch::Over(told(decided, changes, after)),
        // The connection was lost, and nothing landed: each goes over another.
        Err(StoreError::Transient(_)) if session.is_lost() => Batch::Alone(decided.len()),
        Err(error @ (StoreError::InDoubt | StoreError::Transient(_) | StoreError::Full(_))) => {
            let over = decided.into_iter().map(|decided| match decided {
                Decision::Over(answer) => answer,
                Decision::Write(_) => Err(error.clone()),
            });
            Batch::Over(over.collect())
        }
        // One of them met a guard. Those behind it may have to see what it does then.
        Err(_) => Batch::Alone(decided.len()),
    }
}

enum Decision {
    Over(Result<Answer, StoreError>),
    Write(Option<Vec<passes_core::Refusal>>),
}

fn told(decided: Vec<Decision>, changes: Vec<Change>, after: Vec<After>) -> Answers {
    let mut landed = changes.into_iter().zip(after);
    let one = |decided| match decided {
        Decision::Over(answer) => answer,
        Decision::Write(refusals) => match landed.next() {
            Some((change, after)) => answer(&change, refusals, after),
            None => Err(corrupt("an answer")),
        },
    };
    decided.into_iter().map(one).collect()
}

/// What became of one of several commands that went at once.
#[derive(Debug)]
pub(crate) enum Told {
    Answer(Result<Answer, StoreError>),
    /// Nothing: it is to go alone.
    Alone,
}

/// A command that writes.
struct Writes {
    at: usize,
    change: Change,
    refusals: Option<Vec<passes_core::Refusal>>,
    rests: Vec<(DocKey, u32)>,
}

/// Runs commands of one business, in no order, as one transaction: those that have nothing to do with each other and
/// touch few rows. Nothing where a session can't do so.
pub(crate) async fn at_once(pool: &Pool, commands: &[Command]) -> Option<Vec<Told>> {
    let mut told: Vec<Told> = commands.iter().map(|_| Told::Alone).collect();
    let Ok(mut session) = connection(pool).await else { return Some(told) };
    if !session.is_plain() {
        return None;
    }
    let loads: Vec<&Load> = commands.iter().map(Command::load).collect();
    let Ok(read) = session.read_all(&loads).await else { return Some(told) };
    let writes = decide_all(commands, read, &mut told);
    let mut plans: Vec<(Plan<'_>, &Writes)> = Vec::with_capacity(writes.len());
    for one in &writes {
        let mut plan = Plan::new(one.change.business);
        if plan.add(&one.change, Fresh::default()).is_ok() && plan.is_small() {
            plan.rest_on(&one.rests);
            plans.push((plan, one));
        }
    }
    // In one order, by which all lock them.
    plans.sort_by_cached_key(|(plan, _)| plan.passes.iter().map(|touch| touch.id).min());
    let seen = take_seen(&mut plans);
    let landed = land(&mut session, &plans, &seen).await;
    let afters: Vec<Result<After, StoreError>> = match landed {
        Ok(afters) => afters.into_iter().map(Ok).collect(),
        Err(StoreError::InDoubt) => vec![Err(StoreError::InDoubt); plans.len()],
        // One of them met a guard, or a row that somebody holds.
        Err(_) => Vec::new(),
    };
    for ((_, one), after) in plans.iter().zip(afters) {
        if let Some(told) = told.get_mut(one.at) {
            let answered = after.and_then(|after| answer(&one.change, one.refusals.clone(), after));
            *told = Told::Answer(answered);
        }
    }
    Some(told)
}

/// Decides what was read for. Those that write are returned; what the others are told is noted.
fn decide_all(commands: &[Command], read: Vec<Read>, told: &mut [Told]) -> Vec<Writes> {
    let mut known = Together::default();
    let mut writes = Vec::with_capacity(commands.len());
    for (at, ((command, read), told)) in commands.iter().zip(read).zip(told).enumerate() {
        let (loaded, rests) = match read {
            Read::Whole(loaded) => (loaded, Vec::new()),
            Read::Known(loaded, rests) => (loaded, rests),
            Read::Lacking => continue,
        };
        if reads(command.load(), &loaded).is_none_or(|read| !known.knows_nothing_of(&read)) {
            continue;
        }
        // A panic is its caller's fault, and must not become the others'.
        let decided = catch_unwind(AssertUnwindSafe(|| decide(command, &loaded)));
        match decided.map_err(std::mem::forget) {
            Err(()) => {
                *told = Told::Answer(Err(StoreError::Backend("the decision panicked".to_owned())));
            }
            Ok(Ok(Decided::Write(change, refusals))) => {
                if known.take(&change) {
                    writes.push(Writes { at, change: *change, refusals, rests });
                }
            }
            // By what was known nothing is refused.
            _ if !rests.is_empty() => {}
            Ok(Ok(Decided::Over(answer))) => *told = Told::Answer(Ok(answer)),
            Ok(Err(error)) => *told = Told::Answer(Err(error)),
        }
    }
    writes
}

/// What several plans have seen, taken out of them to be judged once; nothing if that is too much for a statement.
fn take_seen(plans: &mut [(Plan<'_>, &Writes)]) -> Vec<(DocKey, u32)> {
    let mut seen: Vec<(DocKey, u32)> = plans.iter().flat_map(|(plan, _)| plan.seen.iter().copied()).collect();
    seen.sort_unstable();
    seen.dedup();
    if plans.len() < 2 || seen.len() > FEW {
        return Vec::new();
    }
    plans.iter_mut().for_each(|(plan, _)| plan.seen.clear());
    seen
}

/// Commits plans as one transaction, if what was seen still stands: each with a statement of its own and the numbers behind those of the one before it.
async fn land(
    session: &mut Session,
    plans: &[(Plan<'_>, &Writes)],
    seen: &[(DocKey, u32)],
) -> Result<Vec<After>, StoreError> {
    let Base::Added(added) = session.base else { return Err(StoreError::Conflict) };
    let Some((first, _)) = plans.first() else { return Ok(Vec::new()) };
    let mut all = Vec::with_capacity(plans.len() + 1);
    if !seen.is_empty() {
        let business = first.business;
        all.push(session.ready(commit::GUARD, |sql| commit::write_guard(sql, business, seen)).await?);
    }
    let guards = all.len();
    let mut numbers = 0_i64;
    for (plan, _) in plans {
        let base = Base::Added(added.saturating_add(numbers));
        numbers = numbers.saturating_add(plan.numbers());
        all.push(session.ready(commit::TAG, |sql| commit::write(sql, plan, base)).await?);
    }
    let answers = session.query_as_one(&all).await;
    if answers.is_err() {
        for (plan, one) in plans {
            session.known().doubt(plan.business, &one.rests);
        }
    }
    let answers = answers?;
    plans
        .iter()
        .zip(answers.into_iter().skip(guards))
        .map(|((plan, one), rows)| {
            session.known().written(&one.change);
            commit::read(plan, &rows)?.pop().ok_or_else(|| corrupt("an answer"))
        })
        .collect()
}
