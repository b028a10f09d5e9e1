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
use crate::run::{Gates, run};
use crate::sql::FEW;
use crate::{TOGETHER, commit_group};
use passes_core::id::PassId;
use passes_core::store::{After, Answer, Change, Command, DocKey, Landed, Load, StoreError, Verdict};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// From so many on commands of a list are committed by one statement for all.
const MANY: usize = 40;

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
    let Some(business) = commands.first().map(|command| command.load().business) else {
        return Batch::Alone(1);
    };
    let loads: Vec<&Load> =
        commands.iter().map(Command::load).take_while(|load| load.business == business).collect();
    let Ok(read) = session.read_all(&loads).await else { return Batch::Alone(1) };
    let mut read = read.into_iter();
    let mut decided = Together::default();
    let mut changes: Vec<Change> = Vec::new();
    let mut rests: Vec<Vec<(DocKey, u32)>> = Vec::new();
    let mut waiting: Vec<Waiting> = Vec::new();
    for (at, command) in commands.iter().enumerate() {
        let Some(next) = read.next() else { break };
        let mut fate = decide(&mut decided, command, next);
        if matches!(fate, Fate::Unsure) {
            // It may be the same with those behind it.
            let behind = loads.get(at..).unwrap_or_default();
            let Ok(whole) = session.load_all(behind).await else { break };
            read = whole.into_iter().map(Read::Whole).collect::<Vec<_>>().into_iter();
            let Some(next) = read.next() else { break };
            fate = decide(&mut decided, command, next);
        }
        waiting.push(match fate {
            Fate::Apart | Fate::Unsure => break,
            Fate::Over(answer) => Waiting::Over(answer),
            Fate::Write(writes) => {
                changes.push(*writes.change);
                rests.push(writes.rests);
                Waiting::For(writes.landed)
            }
        });
    }
    if waiting.is_empty() {
        return Batch::Alone(1);
    }
    // A statement for all of them would be planned for so many each time, which pays only where there are many.
    let few = changes.len() < MANY && session.is_plain();
    let each = || changes.iter().zip(&rests).map(|(change, rests)| Small::of(change, rests));
    let landed = match if few { each().collect::<Option<Vec<_>>>() } else { None } {
        Some(small) => land(&mut session, small).await,
        None => {
            let mut all = rests.concat();
            all.sort_unstable();
            all.dedup();
            commit_group(&mut session, &changes, &all).await
        }
    };
    match landed {
        Ok(after) => {
            let mut after = after.into_iter();
            Batch::Over(told(waiting, || after.next().ok_or_else(|| corrupt("an answer"))))
        }
        Err(error @ (StoreError::InDoubt | StoreError::Full(_))) => {
            Batch::Over(told(waiting, || Err(error.clone())))
        }
        // One of them met a guard, or a row that somebody holds, or the connection was lost; and nothing landed. Those
        // behind it may have to see what it does then.
        Err(_) => Batch::Alone(waiting.len()),
    }
}

/// A command of a list while its batch is committed.
enum Waiting {
    Over(Result<Answer, StoreError>),
    For(Landed),
}

fn told(waiting: Vec<Waiting>, mut after: impl FnMut() -> Result<After, StoreError>) -> Answers {
    let one = |waiting| match waiting {
        Waiting::Over(answer) => answer,
        Waiting::For(landed) => after().map(|after| landed.answer(after)),
    };
    waiting.into_iter().map(one).collect()
}

/// What became of one of several commands that went at once.
#[derive(Debug)]
pub(crate) enum Told {
    Answer(Result<Answer, StoreError>),
    /// Nothing: it is to go alone.
    Alone,
}

/// What a command writes, what it rests on besides, and what it is answered with then.
struct Writes {
    change: Box<Change>,
    rests: Vec<(DocKey, u32)>,
    landed: Landed,
}

/// What one of several commands comes to that are decided before any of them has landed.
enum Fate {
    Over(Result<Answer, StoreError>),
    Write(Writes),
    /// It has to do with one before it.
    Apart,
    /// Not enough was read: by what was known nothing is refused.
    Unsure,
}

/// Decides a command of those of a business, unless it has to do with what others of them touch.
fn decide(others: &mut Together, command: &Command, read: Read) -> Fate {
    let (loaded, rests) = match read {
        Read::Whole(loaded) => (loaded, Vec::new()),
        Read::Known(loaded, rests) => (loaded, rests),
        Read::Lacking => return Fate::Unsure,
    };
    if reads(command.load(), &loaded).is_none_or(|read| !others.knows_nothing_of(&read)) {
        return Fate::Apart;
    }
    match command.decide(&loaded).verdict(&loaded) {
        Ok(Verdict::Write(change, _)) if !others.take(&change) => Fate::Apart,
        Ok(Verdict::Write(change, landed)) => Fate::Write(Writes { change, rests, landed }),
        _ if !rests.is_empty() => Fate::Unsure,
        Ok(Verdict::Over(answer)) => Fate::Over(Ok(answer)),
        Err(error) => Fate::Over(Err(error)),
    }
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
    let mut decided = Together::default();
    let mut writes: Vec<(Writes, &mut Told)> = Vec::with_capacity(commands.len());
    for ((command, read), told) in commands.iter().zip(read).zip(&mut told) {
        // A panic is its caller's fault, and must not become the others'.
        match catch_unwind(AssertUnwindSafe(|| decide(&mut decided, command, read))).map_err(std::mem::forget)
        {
            Err(()) => {
                *told = Told::Answer(Err(StoreError::Backend("the decision panicked".to_owned())));
            }
            Ok(Fate::Over(answer)) => *told = Told::Answer(answer),
            Ok(Fate::Write(write)) => writes.push((write, told)),
            Ok(Fate::Apart | Fate::Unsure) => {}
        }
    }
    let small = writes.iter_mut().filter_map(|(one, told)| {
        let one: &Writes = one;
        Some((Small::of(&one.change, &one.rests)?, (&one.landed, told)))
    });
    let (small, goes): (Vec<_>, Vec<_>) = small.unzip();
    let afters: Vec<Result<After, StoreError>> = match land(&mut session, small).await {
        Ok(afters) => afters.into_iter().map(Ok).collect(),
        Err(StoreError::InDoubt) => vec![Err(StoreError::InDoubt); goes.len()],
        // One of them met a guard, or a row that somebody holds.
        Err(_) => Vec::new(),
    };
    for ((landed, told), after) in goes.into_iter().zip(afters) {
        **told = Told::Answer(after.map(|after| landed.clone().answer(after)));
    }
    Some(told)
}

/// A change that touches few rows, and what else it rests on.
struct Small<'a> {
    plan: Plan<'a>,
    change: &'a Change,
    rests: &'a [(DocKey, u32)],
}

impl<'a> Small<'a> {
    fn of(change: &'a Change, rests: &'a [(DocKey, u32)]) -> Option<Self> {
        let mut plan = Plan::new(change.business);
        plan.add(change, Fresh::default()).ok().filter(|_| plan.is_small())?;
        plan.rest_on(rests);
        Some(Self { plan, change, rests })
    }

    /// All lock in the order of this.
    fn first_pass(&self) -> Option<PassId> {
        self.plan.passes.iter().map(|touch| touch.id).min()
    }
}

/// What several changes have seen, taken out of them to be judged once; nothing if that is too much for a statement.
fn take_seen(all: &mut [Small<'_>]) -> Vec<(DocKey, u32)> {
    let mut seen: Vec<(DocKey, u32)> = all.iter().flat_map(|one| one.plan.seen.iter().copied()).collect();
    seen.sort_unstable();
    seen.dedup();
    if all.len() < 2 || seen.len() > FEW {
        return Vec::new();
    }
    all.iter_mut().for_each(|one| one.plan.seen.clear());
    seen
}

/// Commits changes as one transaction, if what they have seen still stands: each with a statement of its own, and the
/// numbers behind those of the one before it. The answers are in the order of the changes.
async fn land(session: &mut Session, mut all: Vec<Small<'_>>) -> Result<Vec<After>, StoreError> {
    let Base::Added(added) = session.base else { return Err(StoreError::Conflict) };
    let Some(business) = all.first().map(|one| one.plan.business) else { return Ok(Vec::new()) };
    let seen = take_seen(&mut all);
    let mut order: Vec<(usize, &Small<'_>)> = all.iter().enumerate().collect();
    order.sort_by_cached_key(|(_, one)| one.first_pass());
    let mut statements = Vec::with_capacity(all.len() + 1);
    if !seen.is_empty() {
        statements.push(session.ready(commit::GUARD, |sql| commit::write_guard(sql, business, &seen)).await?);
    }
    let guards = statements.len();
    let mut numbers = 0_i64;
    for (_, one) in &order {
        let base = Base::Added(added.saturating_add(numbers));
        numbers = numbers.saturating_add(one.plan.numbers());
        statements.push(session.ready(commit::TAG, |sql| commit::write(sql, &one.plan, base)).await?);
    }
    let answers = session.query_as_one(&statements).await;
    if answers.is_err() {
        all.iter().for_each(|one| session.known().doubt(business, one.rests));
    }
    let mut afters = Vec::with_capacity(all.len());
    for ((at, one), rows) in order.into_iter().zip(answers?.into_iter().skip(guards)) {
        session.known().written(one.change);
        afters.push((at, commit::read(&one.plan, &rows)?.pop().ok_or_else(|| corrupt("an answer"))?));
    }
    afters.sort_unstable_by_key(|(at, _)| *at);
    Ok(afters.into_iter().map(|(_, after)| after).collect())
}
