//! Many commands in one call: all are loaded at once, and those that have nothing to do with each other are committed by
//! one statement.
//!
//! They are run in order all the same. A command that reads what one before it writes begins a new batch, and sees it.

use crate::errors::corrupt;
use crate::judge::{Together, reads};
use crate::pool::{Pool, connection};
use crate::run::{Decided, Gates, answer, decide, run};
use crate::{TOGETHER, commit_group};
use passes_core::store::{After, Answer, Change, Command, Load, StoreError};
use std::collections::VecDeque;

type Answers = Vec<Result<Answer, StoreError>>;

/// What the first commands of a batch came to.
enum Batch {
    /// They are over.
    Over(Answers),
    /// So many are to be run one by one.
    Alone(usize),
}

/// Runs commands in order.
pub(crate) async fn run_all(pool: &Pool, gates: &Gates, commands: Vec<Command>) -> Answers {
    let mut answers = Vec::with_capacity(commands.len());
    let mut rest: VecDeque<Command> = commands.into();
    let mut size = TOGETHER;
    while !rest.is_empty() {
        let count = size.min(rest.len());
        let batch = match rest.make_contiguous().get(..count) {
            Some(batch) if count > 1 => together(pool, batch).await,
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
                    answers.push(run(pool, gates, command).await);
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
    let landed = if changes.is_empty() { Ok(Vec::new()) } else { commit_group(&mut session, &changes).await };
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
            Some((change, after)) => answer(change, refusals, after),
            None => Err(corrupt("an answer")),
        },
    };
    decided.into_iter().map(one).collect()
}
