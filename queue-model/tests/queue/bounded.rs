//! A scheduler that tries every order with at most so many interruptions: a thread goes on until it waits or ends,
//! save for a bounded number of times. Most faults need one or two, and all orders are far too many.

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

pub(crate) struct Bounded {
    interruptions: usize,
    /// Who could go on at each step of this order, the first one without interrupting anybody, and which of them
    /// did.
    path: Vec<(Vec<TaskId>, usize)>,
    step: usize,
    spent: usize,
    begun: bool,
}

impl Bounded {
    pub(crate) fn new(interruptions: usize) -> Self {
        Self { interruptions, path: Vec::new(), step: 0, spent: 0, begun: false }
    }
}

impl Scheduler for Bounded {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.begun {
            // The last step at which somebody else could have gone on.
            while self.path.last().is_some_and(|(able, at)| at + 1 == able.len()) {
                self.path.pop();
            }
            self.path.last_mut()?.1 += 1;
        }
        self.begun = true;
        self.step = 0;
        self.spent = 0;
        Some(Schedule::new(0))
    }

    fn next_task(&mut self, able: &[&Task], current: Option<TaskId>, _: bool) -> Option<TaskId> {
        let goes_on = current.filter(|current| able.iter().any(|task| task.id() == *current));
        if self.step == self.path.len() {
            let others = able.iter().map(|task| task.id()).filter(|id| Some(*id) != goes_on);
            let others = others.filter(|_| goes_on.is_none() || self.spent < self.interruptions);
            self.path.push((goes_on.into_iter().chain(others).collect(), 0));
        }
        let (able, at) = &self.path[self.step];
        self.spent += usize::from(goes_on.is_some() && *at > 0);
        self.step += 1;
        able.get(*at).copied()
    }

    fn next_u64(&mut self) -> u64 {
        panic!("nothing here is left to chance")
    }
}
