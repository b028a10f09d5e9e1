//! Redemptions that callers ask for at the same moment share their round trips. One goes ahead by itself; those who come
//! meanwhile wait, and what waits when it ends goes together: one load, and one transaction with the statement of each.
//!
//! Nobody fares worse for it than alone. A group in which one meets a guard, or a row that somebody holds, lands nothing,
//! and each of it goes alone. Who waits for a moment without being taken along goes ahead, with all that wait.

use crate::batch::{self, Told};
use crate::pool::Pool;
use crate::run::freely;
use crate::runtime::serves;
use passes_core::store::{Answer, Command, StoreError};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// So many go together at most.
const MOST: usize = 30;

/// How long one waits to be taken along.
const PATIENCE: Duration = Duration::from_millis(2);

/// How long one waits for those who were told just now: who calls again and again comes back at once. Without it the first
/// to be back would go alone, while all others wait for him.
const LINGER: Duration = Duration::from_micros(250);

/// What waits, and how many are under way.
#[derive(Debug)]
pub(crate) struct Groups {
    queue: Mutex<Queue>,
    /// Sessions that share nothing: behind a pooler, and on distributed tables.
    off: AtomicBool,
}

#[derive(Debug, Default)]
struct Queue {
    /// How many groups are under way, one command alone among them.
    under_way: usize,
    /// How many were told when the last one ended, and may come back at once.
    returning: usize,
    ended: Option<Instant>,
    /// Whether those of a group came back at once, when that was seen last.
    prompt: bool,
    waiting: VecDeque<Waiting>,
    /// Tells apart who waits.
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    command: Command,
    tell: Tell,
}

/// How somebody is told. A thread that waits can lead those behind it.
#[derive(Debug)]
enum Tell {
    Thread(mpsc::SyncSender<Word>),
    Task(oneshot::Sender<Word>),
}

/// What one who waits is told.
#[derive(Debug)]
enum Word {
    Told(Told),
    Lead,
}

impl Tell {
    fn tell(self, word: Word) {
        match self {
            Self::Thread(sender) => drop(sender.send(word)),
            Self::Task(sender) => drop(sender.send(word)),
        }
    }
}

impl Groups {
    pub(crate) fn new(on: bool) -> Arc<Self> {
        Arc::new(Self { queue: Mutex::default(), off: AtomicBool::new(!on) })
    }

    pub(crate) fn is_on(&self) -> bool {
        !self.off.load(Ordering::Relaxed)
    }

    /// Takes back one that waits, as under way from now on; false when it was taken along already.
    fn leave(&self, number: u64) -> bool {
        let mut queue = self.queue();
        // Nobody who didn't come back is waited for again.
        if queue.under_way == 0 {
            (queue.returning, queue.prompt) = (0, false);
        }
        let place = queue.waiting.iter().position(|waiting| waiting.number == number);
        let left = place.and_then(|at| queue.waiting.remove(at)).is_some();
        if left {
            queue.begin();
        }
        left
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs a redemption, by itself or with others.
pub(crate) async fn run(pool: &Pool, groups: &Arc<Groups>, command: &Command) -> Result<Answer, StoreError> {
    let (waits, patience) = {
        let mut queue = groups.queue();
        queue.came();
        // A task's timers are too coarse for it to linger.
        let lingers = queue.prompt && queue.returning > 0 && serves();
        match queue.under_way {
            0 if lingers => (Some(queue.join(command)), LINGER),
            0 => {
                queue.begin();
                (None, Duration::ZERO)
            }
            _ => (Some(queue.join(command)), PATIENCE),
        }
    };
    let turn = || Turn::new(pool, groups);
    let Some((number, waits)) = waits else {
        let turn = turn();
        if serves() {
            return turn.lead(command).await;
        }
        if turn.is_first() {
            return freely(pool, command).await;
        }
        // Whoever polls this may drop it; those who go with it must not be lost.
        let (sender, receiver) = oneshot::channel();
        turn.lead_apart(command.clone(), sender);
        return match receiver.await {
            Ok(Word::Told(Told::Answer(answer))) => answer,
            _ => Err(StoreError::InDoubt),
        };
    };
    let word = match waits {
        Waits::Thread(receiver) => match receiver.recv_timeout(patience) {
            Err(mpsc::RecvTimeoutError::Timeout) => match groups.leave(number) {
                true => Some(Word::Lead),
                false => receiver.recv().ok(),
            },
            word => word.ok(),
        },
        Waits::Task(mut receiver) => match tokio::time::timeout(patience, &mut receiver).await {
            Ok(word) => word.ok(),
            Err(_) => {
                if groups.leave(number) {
                    let (sender, behind) = oneshot::channel();
                    turn().lead_apart(command.clone(), sender);
                    receiver = behind;
                }
                receiver.await.ok()
            }
        },
    };
    match word {
        Some(Word::Told(Told::Answer(answer))) => answer,
        Some(Word::Told(Told::Alone)) => freely(pool, command).await,
        Some(Word::Lead) => turn().lead(command).await,
        // Whoever led is gone.
        None => Err(StoreError::InDoubt),
    }
}

/// How one waits.
enum Waits {
    Thread(mpsc::Receiver<Word>),
    Task(oneshot::Receiver<Word>),
}

impl Queue {
    /// Somebody comes: one of those who were told, for all that is known.
    fn came(&mut self) {
        if self.returning == 0 {
            return;
        }
        self.returning -= 1;
        if self.ended.is_none_or(|ended| ended.elapsed() > LINGER) {
            (self.returning, self.prompt) = (0, false);
        } else if self.returning == 0 {
            self.prompt = true;
        }
    }

    /// One that had so many ends; whether those who wait go at once.
    fn end(&mut self, members: usize) -> bool {
        self.under_way = self.under_way.saturating_sub(1);
        (self.returning, self.ended) = (members, Some(Instant::now()));
        // Fewer than are about to be back wait for those.
        !self.prompt || self.waiting.len() >= members
    }

    /// One more goes.
    fn begin(&mut self) {
        self.under_way = self.under_way.saturating_add(1);
    }

    fn join(&mut self, command: &Command) -> (u64, Waits) {
        let (tell, waits) = if serves() {
            let (sender, receiver) = mpsc::sync_channel(1);
            (Tell::Thread(sender), Waits::Thread(receiver))
        } else {
            let (sender, receiver) = oneshot::channel();
            (Tell::Task(sender), Waits::Task(receiver))
        };
        let number = self.next;
        self.next = number.wrapping_add(1);
        self.waiting.push_back(Waiting { number, command: command.clone(), tell });
        (number, waits)
    }
}

/// One that is under way, by itself or with others. When it ends the next ones go.
struct Turn {
    pool: Pool,
    groups: Arc<Groups>,
    members: usize,
}

impl Turn {
    fn new(pool: &Pool, groups: &Arc<Groups>) -> Self {
        Self { pool: pool.clone(), groups: Arc::clone(groups), members: 1 }
    }

    /// Those who wait and can go with a command: of its business.
    fn others(&mut self, first: &Command) -> Vec<Waiting> {
        let business = first.load().business;
        let mut queue = self.groups.queue();
        let most = queue.waiting.len().min(MOST - 1);
        let mut others = Vec::with_capacity(most);
        let mut at = 0;
        while others.len() < most {
            match queue.waiting.get(at) {
                None => break,
                Some(waiting) if waiting.command.load().business == business => {
                    others.extend(queue.waiting.remove(at));
                }
                Some(_) => at += 1,
            }
        }
        self.members = others.len() + 1;
        others
    }

    /// Has one who waits lead the next group, if there may be one more.
    fn next(&self, mut queue: MutexGuard<'_, Queue>) {
        while queue.under_way == 0
            && let Some(Waiting { command, tell, .. }) = queue.waiting.pop_front()
        {
            match tell {
                Tell::Thread(sender) => {
                    if sender.send(Word::Lead).is_ok() {
                        return queue.begin();
                    }
                }
                Tell::Task(sender) if sender.is_closed() => {}
                Tell::Task(sender) => {
                    queue.begin();
                    drop(queue);
                    let next = Self::new(&self.pool, &self.groups);
                    return next.lead_apart(command, sender);
                }
            }
        }
    }

    /// Whether nobody waits who could go with it.
    fn is_first(&self) -> bool {
        self.groups.queue().waiting.is_empty()
    }

    /// Goes with those who wait. What becomes of the first one is answered.
    async fn lead(mut self, first: &Command) -> Result<Answer, StoreError> {
        let others = self.others(first);
        if others.is_empty() {
            return freely(&self.pool, first).await;
        }
        let mut commands = Vec::with_capacity(others.len() + 1);
        commands.push(first.clone());
        let mut tells = Vec::with_capacity(others.len());
        for Waiting { command, tell, .. } in others {
            commands.push(command);
            tells.push(tell);
        }
        let told = batch::at_once(&self.pool, &commands).await.unwrap_or_else(|| {
            self.groups.off.store(true, Ordering::Relaxed);
            commands.iter().map(|_| Told::Alone).collect()
        });
        let pool = self.pool.clone();
        // Whoever is told may be back before this goes on.
        drop(self);
        let mut told = told.into_iter();
        let own = told.next().unwrap_or(Told::Alone);
        for (tell, told) in tells.into_iter().zip(told) {
            // Nobody may be there any more.
            tell.tell(Word::Told(told));
        }
        match own {
            Told::Answer(answer) => answer,
            Told::Alone => freely(&pool, first).await,
        }
    }

    /// The same by nobody who could leave in the middle of it.
    fn lead_apart(self, command: Command, sender: oneshot::Sender<Word>) {
        let pool = self.pool.clone();
        pool.manager().serves().spawn(async move {
            let answer = self.lead(&command).await;
            // Nobody may be there any more.
            let _ = sender.send(Word::Told(Told::Answer(answer)));
        });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queue = self.groups.queue();
        if queue.end(self.members) {
            self.next(queue);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-3: those of a group are waited for only where they came back at once before.
    #[test]
    fn who_comes_back_at_once_is_waited_for() {
        let mut queue = Queue::default();
        queue.begin();
        assert!(queue.end(3));
        let come = |queue: &mut Queue| {
            queue.came();
            (queue.returning, queue.prompt)
        };
        assert_eq!([(); 4].map(|()| come(&mut queue)), [(2, false), (1, false), (0, true), (0, true)]);
        queue.begin();
        assert!(!queue.end(3));
        assert_eq!(come(&mut queue), (2, true));
        queue.ended = Instant::now().checked_sub(LINGER * 2);
        assert_eq!(come(&mut queue), (0, false));
    }
}
