//! The queue before the embedded store's writer, without the store: a scheduler decides at every lock, every
//! wake-up and every wait who goes on, at random, by priorities, or in every order there is. Nobody may wait for
//! ever, no answer may come before its commit, and nothing may be done twice or not at all. When a model fails,
//! the scheduler prints the order of its steps, which `shuttle::replay` repeats.

// A test is as loud as it can be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bounded;
mod callers;
mod disk;
mod scenes;
mod sync;

use bounded::Bounded;
use disk::{Books, Disk, Outcome, Task};
use passes_core::store::StoreError;
use scenes::Scene;
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};
use std::future::Future;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

/// What was submitted, until it is answered.
type Answers<'a> = Pin<Box<dyn Future<Output = Result<Vec<Outcome>, StoreError>> + Send + 'a>>;

/// The queue, or one with a fault.
trait Queueing: Send + Sync + 'static {
    fn new(disk: Disk) -> Self;
    fn submit(&self, tasks: Vec<Task>) -> Answers<'_>;
    fn work(&self);
    fn close(&self);
    fn end(&self);
    fn groups(&self) -> u64;
}

/// The queue's source, compiled with the model's primitives instead of the standard library's.
macro_rules! queue {
    ($name:ident) => {
        #[allow(warnings, clippy::all)]
        mod $name {
            use crate::disk::{Disk, Outcome, Task};
            use crate::sync;
            use passes_core::store::StoreError;

            mod slot {
                include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "_slot.rs"));
            }
            mod queue {
                include!(concat!(env!("OUT_DIR"), "/", stringify!($name), "_queue.rs"));
            }
            pub(crate) use queue::Queue;

            impl queue::Group for Disk {
                type Task = Task;
                type Done = u32;
                const LARGEST: usize = crate::disk::LARGEST;

                fn is_alone(task: &Task) -> bool {
                    task.alone
                }

                fn group(&mut self, tasks: &mut [Task]) -> Vec<Outcome> {
                    self.write(tasks)
                }
            }

            impl crate::Queueing for Queue<Disk> {
                fn new(disk: Disk) -> Self {
                    Self::new(disk)
                }
                fn submit(&self, tasks: Vec<Task>) -> crate::Answers<'_> {
                    Box::pin(self.submit(tasks))
                }
                fn work(&self) {
                    self.work();
                }
                fn close(&self) {
                    self.close();
                }
                fn end(&self) {
                    self.end();
                }
                fn groups(&self) -> u64 {
                    self.groups()
                }
            }
        }
    };
}

/// Queues with one fault each.
macro_rules! broken {
    ($($name:ident)*) => {
        $(queue!($name);)*

        const BROKEN: &[(&str, fn(bool) -> Option<Scene>)] =
            &[$((stringify!($name), found::<$name::Queue<Disk>>)),*];
    };
}

queue!(whole);
include!(concat!(env!("OUT_DIR"), "/broken.rs"));

type Whole = whole::Queue<Disk>;

/// More than any scene needs: one that takes more goes round and round.
const STEPS: usize = 20_000;

/// Plays a scene in as many orders as the scheduler likes.
fn play<Q: Queueing>(scene: Scene, scheduler: impl Scheduler + 'static, lazy: bool) -> usize {
    let mut config = Config::new();
    config.max_steps = MaxSteps::FailAfter(STEPS);
    // Of atomics that are weaker than they are here: the queue has one, which counts and orders nothing.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(move || scene.play::<Q>(Disk { books: Books::default(), lazy }))
}

/// The scene in which a queue, or its disk, fails.
fn found<Q: Queueing>(lazy: bool) -> Option<Scene> {
    let fails = |scheduler: fn() -> Box<dyn Scheduler + Send>, scene| {
        catch_unwind(AssertUnwindSafe(|| play::<Q>(scene, scheduler(), lazy))).map_err(forget).is_err()
    };
    // The same orders each time, so that what is found once is found again.
    Scene::ALL.into_iter().find(|scene| {
        fails(|| Box::new(RandomScheduler::new_from_seed(1, 1_000)), *scene)
            || fails(|| Box::new(PctScheduler::new_from_seed(1, 3, 1_000)), *scene)
    })
}

/// R-8, D-6: whoever calls, leaves, panics or closes, at whatever moment: each command is done once and answered
/// after its commit, or told to be closed and not done, and nobody waits for ever.
#[test]
fn every_caller_is_answered_after_the_commit() {
    for scene in Scene::ALL {
        println!("{scene:?}");
        play::<Whole>(scene, RandomScheduler::new(4_000), false);
        for depth in 1..=4 {
            play::<Whole>(scene, PctScheduler::new(depth, 1_000), false);
        }
    }
}

/// R-8, D-6: the same in every order in which the threads are interrupted up to three times between them, or once or
/// twice where more of them make more orders.
#[test]
fn every_order_with_few_interruptions() {
    let scenes =
        [(Scene::Two, 3), (Scene::Last, 2), (Scene::Futures, 1), (Scene::Closing, 1), (Scene::Panics, 1)];
    for (scene, interruptions) in scenes {
        let played = play::<Whole>(scene, Bounded::new(interruptions), false);
        println!("{scene:?}: {played} orders");
        assert!(played > 1_000, "{scene:?} ended after {played} orders");
    }
}

/// R-8, D-6: the model finds each wake-up that is lost, each lead that is lost or kept, each answer that is lost or
/// another's, and each panic that reaches somebody else.
#[test]
fn every_broken_queue_is_found() {
    assert_eq!(found::<Whole>(false).map(|scene| format!("{scene:?}")), None);
    for (name, found) in BROKEN {
        let scene = found(false);
        println!("{name}: {scene:?}");
        assert!(scene.is_some(), "nobody noticed: {name}");
    }
}

/// D-3: the model finds an answer that is given before its commit.
#[test]
fn an_answer_before_its_commit_is_found() {
    assert!(found::<Whole>(true).is_some());
}
