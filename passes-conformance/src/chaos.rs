//! Lawful trouble: all that a store over a network may do to a command, from a seed.

use crate::executor::poll_once;
use passes_core::store::{
    After, Answer, Change, Chunk, Command, Fut, Load, Loaded, Store, StoreError, delegate,
};
use std::future::Future;
use std::ops::Add;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

/// How often each trouble comes: one time in so many, and never for 0.
///
/// ```
/// use passes_conformance::chaos::Trouble;
/// let lossy = Trouble { lost: 8, ..Trouble::default() };
/// assert!(lossy.conflict > 0 && Trouble::NONE.conflict == 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Commands are loaded, decided and committed one after the other, as over a network, whatever the store
    /// inside can do better: what others commit in between is met at the commit.
    pub apart: bool,
    /// The commit of a command is a conflict, although nobody else changed anything.
    pub conflict: u32,
    /// So is a change that is committed directly, and a chunk.
    pub direct_conflict: u32,
    /// A pause between load and commit.
    pub pause: u32,
    /// The longest such pause.
    pub longest: Duration,
    /// Others come first: before or after any call of the store inside, the future is pending and wakes itself.
    /// Then a pause takes no time, either.
    pub turns: u32,
    /// How many times it is pending at most.
    pub most_turns: u32,
    /// A commit is [`StoreError::InDoubt`]: every other of them landed.
    pub lost: u32,
    /// The future of a commit is dropped when it was polled once, which is [`StoreError::InDoubt`], too: it may
    /// land later.
    pub abandoned: u32,
}

impl Trouble {
    /// Nothing but that commands are loaded and committed apart.
    pub const NONE: Self = Self {
        apart: true,
        conflict: 0,
        direct_conflict: 0,
        pause: 0,
        longest: Duration::ZERO,
        turns: 0,
        most_turns: 0,
        lost: 0,
        abandoned: 0,
    };
}

impl Default for Trouble {
    /// Conflicts and pauses of commands.
    fn default() -> Self {
        Self { conflict: 4, pause: 3, longest: Duration::from_micros(300), ..Self::NONE }
    }
}

/// How often each trouble came.
///
/// ```
/// use passes_conformance::chaos::Met;
/// let (morning, evening) = (Met { lost: 2, ..Met::default() }, Met { lost: 3, delays: 1, ..Met::default() });
/// assert_eq!(morning + evening, Met { lost: 5, delays: 1, ..Met::default() });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Conflicts that nobody else made.
    pub conflicts: u64,
    /// Conflicts that others made.
    pub true_conflicts: u64,
    /// Pauses, and turns of others.
    pub delays: u64,
    /// Answers that were lost: what was asked has landed, unless it was refused.
    pub lost: u64,
    /// Questions that were lost: nothing landed.
    pub unasked: u64,
    /// Commits whose futures were dropped.
    pub abandoned: u64,
}

impl Add for Met {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            conflicts: self.conflicts.saturating_add(more.conflicts),
            true_conflicts: self.true_conflicts.saturating_add(more.true_conflicts),
            delays: self.delays.saturating_add(more.delays),
            lost: self.lost.saturating_add(more.lost),
            unasked: self.unasked.saturating_add(more.unasked),
            abandoned: self.abandoned.saturating_add(more.abandoned),
        }
    }
}

/// A store that makes trouble for commands: time passes between load and commit, commits meet conflicts that
/// nobody else sees, answers are lost. What must hold of a store holds of this one, too.
///
/// ```
/// use passes_conformance::chaos::{Chaos, Trouble};
/// use passes_core::store::memory::Memory;
/// use std::sync::Arc;
///
/// let store = Chaos::new(Arc::new(Memory::new()), 7);
/// let worse = Chaos::new(Arc::new(store), 8).losing_answers();
/// let patient = Trouble { turns: 2, most_turns: 3, ..Trouble::NONE };
/// let seeded = Chaos::new(Arc::new(worse), 9).making(patient);
/// assert_eq!(seeded.met().delays, 0);
/// ```
pub struct Chaos {
    inner: Arc<dyn Store>,
    trouble: Trouble,
    luck: AtomicU64,
    calm: AtomicBool,
    met: Counts,
}

#[derive(Default)]
struct Counts {
    conflicts: AtomicU64,
    true_conflicts: AtomicU64,
    delays: AtomicU64,
    lost: AtomicU64,
    unasked: AtomicU64,
    abandoned: AtomicU64,
}

impl Chaos {
    /// The usual [`Trouble`] for this store, from this seed. Threads make the order in which it comes their own.
    #[must_use]
    pub fn new(inner: Arc<dyn Store>, seed: u64) -> Self {
        Self {
            inner,
            trouble: Trouble::default(),
            luck: AtomicU64::new(seed),
            calm: AtomicBool::new(false),
            met: Counts::default(),
        }
    }

    /// This trouble instead.
    #[must_use]
    pub fn making(self, trouble: Trouble) -> Self {
        Self { trouble, ..self }
    }

    /// Also, one commit in eight is [`StoreError::InDoubt`]: every other of them landed. This goes for
    /// commands, direct commits and chunks.
    #[must_use]
    pub fn losing_answers(self) -> Self {
        let trouble = Trouble { lost: 8, ..self.trouble };
        self.making(trouble)
    }

    /// Where the seed's dice stand; none while there is no trouble.
    ///
    /// Whoever polls several callers in turns on one thread keeps for each what this tells after the poll, and
    /// gives it to [`Chaos::set_luck`] before the next: then what a caller meets doesn't depend on the others.
    #[must_use]
    pub fn luck(&self) -> Option<u64> {
        let calm = self.calm.load(Ordering::Relaxed);
        (!calm).then(|| self.luck.load(Ordering::Relaxed))
    }

    /// From now on trouble comes from this seed, or there is none but that commands are loaded and committed
    /// apart.
    pub fn set_luck(&self, luck: Option<u64>) {
        self.calm.store(luck.is_none(), Ordering::Relaxed);
        self.luck.store(luck.unwrap_or_default(), Ordering::Relaxed);
    }

    /// How often each trouble came so far.
    #[must_use]
    pub fn met(&self) -> Met {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Met {
            conflicts: of(&self.met.conflicts),
            true_conflicts: of(&self.met.true_conflicts),
            delays: of(&self.met.delays),
            lost: of(&self.met.lost),
            unasked: of(&self.met.unasked),
            abandoned: of(&self.met.abandoned),
        }
    }

    /// Whether trouble that comes one time in so many comes now.
    fn strikes(&self, one_in: u32) -> bool {
        one_in != 0 && !self.calm.load(Ordering::Relaxed) && self.random().is_multiple_of(one_in.into())
    }

    /// Likewise, and counts it.
    fn comes(&self, one_in: u32, count: &AtomicU64) -> bool {
        let comes = self.strikes(one_in);
        count.fetch_add(comes.into(), Ordering::Relaxed);
        comes
    }

    /// SplitMix64.
    fn random(&self) -> u64 {
        let z = self.luck.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Others come first, or nobody does.
    async fn turns(&self) {
        if self.comes(self.trouble.turns, &self.met.delays) {
            let most = u64::from(self.trouble.most_turns.max(1));
            Turns(1 + self.random() % most).await;
        }
    }

    /// Time that passes between load and commit.
    async fn between(&self) -> Result<(), StoreError> {
        if self.comes(self.trouble.pause, &self.met.delays) {
            let longest = u64::try_from(self.trouble.longest.as_micros()).unwrap_or(u64::MAX).max(1);
            self.inner.pause(Duration::from_micros(self.random() % longest)).await?;
        }
        Ok(())
    }

    /// Commits, and may lose the answer, the question, or the patience.
    async fn lossy<T: Send>(&self, commit: Fut<'_, T>) -> Result<T, StoreError> {
        if self.comes(self.trouble.abandoned, &self.met.abandoned) {
            // On another thread, which is not in `wait`: it is polled as by an executor, and may be queued.
            thread::scope(|scope| scope.spawn(|| poll_once(commit)).join()).expect("a commit panicked");
            return Err(StoreError::InDoubt);
        }
        let lost = self.strikes(self.trouble.lost);
        if lost && self.comes(2, &self.met.unasked) {
            return Err(StoreError::InDoubt);
        }
        let answer = commit.await?;
        if lost {
            self.met.lost.fetch_add(1, Ordering::Relaxed);
            return Err(StoreError::InDoubt);
        }
        Ok(answer)
    }

    /// What is done by the store inside, with others before it and after.
    fn among<'a, T: Send + 'a>(&'a self, done: Fut<'a, T>) -> Fut<'a, T> {
        Box::pin(async move {
            self.turns().await;
            let answer = done.await;
            self.turns().await;
            answer
        })
    }
}

impl Store for Chaos {
    fn run(&self, command: Command) -> Fut<'_, Answer> {
        if self.trouble.apart {
            return Box::pin(async move { Apart { chaos: self }.run(command).await });
        }
        self.among(Box::pin(self.lossy(self.inner.run(command))))
    }

    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        Box::pin(async move {
            if self.comes(self.trouble.direct_conflict, &self.met.conflicts) {
                return Ok(changes.iter().map(|_| Err(StoreError::Conflict)).collect());
            }
            self.among(Box::pin(self.lossy(self.inner.commit(changes)))).await
        })
    }

    fn pause(&self, time: Duration) -> Fut<'_, ()> {
        Box::pin(async move {
            if self.trouble.most_turns == 0 {
                return self.inner.pause(time).await;
            }
            Turns(1).await;
            Ok(())
        })
    }

    fn fill<'a>(&'a self, chunk: &'a Chunk) -> Fut<'a, After> {
        Box::pin(async move {
            if self.comes(self.trouble.direct_conflict, &self.met.conflicts) {
                return Err(StoreError::Conflict);
            }
            self.among(Box::pin(self.lossy(self.inner.fill(chunk)))).await
        })
    }

    delegate!(inner, among; slots, load, page, events, audit, ledger);
}

/// The store as a command sees it that is loaded and committed apart.
struct Apart<'c> {
    chaos: &'c Chaos,
}

impl Store for Apart<'_> {
    fn load<'a>(&'a self, load: &'a Load) -> Fut<'a, Loaded> {
        Box::pin(async move {
            let loaded = self.chaos.load(load).await?;
            self.chaos.between().await?;
            Ok(loaded)
        })
    }

    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        Box::pin(async move {
            let (chaos, met) = (self.chaos, &self.chaos.met);
            if chaos.comes(chaos.trouble.conflict, &met.conflicts) {
                return Ok(changes.iter().map(|_| Err(StoreError::Conflict)).collect());
            }
            let answers = chaos.among(Box::pin(chaos.lossy(chaos.inner.commit(changes)))).await?;
            let conflicts = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Conflict)));
            met.true_conflicts.fetch_add(u64::try_from(conflicts.count()).unwrap_or(0), Ordering::Relaxed);
            Ok(answers)
        })
    }

    delegate!(chaos; slots, pause, fill, page, events, audit, ledger);
}

/// Pending so many times. It wakes itself: any executor lets others come first, and then goes on.
struct Turns(u64);

impl Future for Turns {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turns::{Caller, take_turns};
    use passes_core::id::BusinessId;
    use passes_core::store::memory::Memory;
    use passes_core::store::{Add as Addition, Decision, TallyKey, wait};

    const COUNTED: TallyKey = TallyKey::Named([7; 16], 0);

    fn one_more() -> Change {
        let tally = vec![Addition { limit: Some(i64::MAX), ..Addition::used(COUNTED, 1) }];
        Change { tally, ..Change::new(BusinessId::STORE) }
    }

    fn counted(store: &dyn Store) -> i64 {
        let load = Load { tallies: vec![COUNTED], ..Load::new(BusinessId::STORE) };
        wait(store.load(&load)).unwrap().tallies[0].used
    }

    /// What 400 commits came to that meet one trouble one time in two, and how many landed.
    fn commits(trouble: Trouble) -> (Met, Vec<Result<After, StoreError>>, i64) {
        let memory = Memory::new();
        let store = Chaos::new(Arc::new(memory.clone()), 3).making(trouble);
        let commit = |_| match wait(store.commit(&[one_more()])) {
            Ok(mut answers) => answers.pop().unwrap(),
            Err(error) => Err(error),
        };
        let answers = (0..400).map(commit).collect();
        (store.met(), answers, counted(&memory))
    }

    fn failed(answers: &[Result<After, StoreError>], with: &StoreError) -> i64 {
        answers.iter().filter(|answer| answer.as_ref().err() == Some(with)).count().try_into().unwrap()
    }

    /// D-2: a conflict lands nothing, and comes as often as it is told.
    #[test]
    fn conflicts_land_nothing() {
        let (met, answers, landed) = commits(Trouble { direct_conflict: 2, ..Trouble::NONE });
        let conflicts = failed(&answers, &StoreError::Conflict);
        assert!((100..300).contains(&conflicts) && met.conflicts == conflicts.cast_unsigned());
        assert_eq!(landed, 400 - conflicts);
        let (_, answers, landed) = commits(Trouble { conflict: 1, ..Trouble::NONE });
        assert_eq!((failed(&answers, &StoreError::Conflict), landed), (0, 400), "only commands meet these");
    }

    /// R-5, D-3: of the commits that are in doubt some landed and some did not; those that are answered all did.
    #[test]
    fn half_of_what_is_lost_has_landed() {
        let (met, answers, landed) = commits(Trouble { lost: 2, ..Trouble::NONE });
        let lost = failed(&answers, &StoreError::InDoubt);
        assert!((100..300).contains(&lost) && met.lost + met.unasked == lost.cast_unsigned());
        let doubtful = landed - (400 - lost);
        assert!(doubtful > lost / 4 && doubtful < lost * 3 / 4, "{doubtful} of {lost}");
        assert_eq!(met.lost, doubtful.cast_unsigned());
    }

    /// R-5: a commit whose future is dropped was begun: in memory it has landed.
    #[test]
    fn what_is_abandoned_was_begun() {
        let (met, answers, landed) = commits(Trouble { abandoned: 2, ..Trouble::NONE });
        let abandoned = failed(&answers, &StoreError::InDoubt);
        assert!(abandoned > 100 && met.abandoned == abandoned.cast_unsigned());
        assert_eq!(landed, 400);
    }

    /// D-2: commands that are loaded and committed apart meet each other, and try again until each has landed.
    #[test]
    fn others_come_between_load_and_commit() {
        let memory = Memory::new();
        let turns = Trouble { turns: 1, most_turns: 2, ..Trouble::NONE };
        let store = Chaos::new(Arc::new(memory.clone()), 3).making(turns);
        let reads = || Load { tallies: vec![COUNTED], ..Load::new(BusinessId::STORE) };
        let decide = |loaded: &Loaded| {
            let mut change = one_more();
            change.tally[0].from = Some(loaded.tallies[0].used);
            Decision::Refused(Vec::new(), Some(change.into()))
        };
        let add = || Command::new(reads(), decide);
        let callers = (1..9).map(|seed| Caller::new(seed, store.run(add())));
        let ended = take_turns(callers.collect(), || 0);
        assert!(ended.iter().all(|end| matches!(end.answer, Some(Ok(_)))));
        assert_eq!(counted(&memory), 8);
        assert!(store.met().true_conflicts > 0 && store.met().delays > 16);
    }

    /// D-2: the same luck is the same trouble, and without luck there is none.
    #[test]
    fn luck_can_be_kept() {
        let worst = Trouble { direct_conflict: 3, lost: 3, ..Trouble::NONE };
        let store = Chaos::new(Arc::new(Memory::new()), 1).making(worst);
        let play = |luck| {
            store.set_luck(luck);
            let answers: Vec<bool> = (0..50)
                .map(|_| wait(store.commit(&[one_more()])).is_ok_and(|answers| answers[0].is_ok()))
                .collect();
            (answers, store.luck())
        };
        let (first, luck) = play(Some(5));
        assert_eq!(play(Some(5)), (first.clone(), luck));
        assert_ne!(play(luck).0, first);
        assert_eq!(play(None), (vec![true; 50], None));
    }
}
