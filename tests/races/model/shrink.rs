//! From the script of a seed to the few steps that matter.

use super::script::{Act, Command, Over, PassRef, Script, Step, Target, To};

/// How many scripts are tried at most.
const TRIES: usize = 3_000;

/// Makes a script that fails shorter and simpler, for as long as it fails.
pub(crate) fn shrink(script: Script, fails: impl Fn(&Script) -> bool) -> Script {
    let mut shrinking = Shrinking { best: script, fails, tries: 0 };
    loop {
        let before = shrinking.best.clone();
        shrinking.remove();
        shrinking.simplify();
        if shrinking.best == before || shrinking.tries >= TRIES {
            return shrinking.best;
        }
    }
}

struct Shrinking<F> {
    best: Script,
    fails: F,
    tries: usize,
}

impl<F: Fn(&Script) -> bool> Shrinking<F> {
    /// Keeps these steps instead if they fail, too.
    fn try_steps(&mut self, steps: Vec<Step>) -> bool {
        if steps == self.best.steps || self.tries >= TRIES {
            return false;
        }
        self.tries += 1;
        let script = Script { setup: self.best.setup.clone(), steps };
        let better = (self.fails)(&script);
        if better {
            self.best = script;
        }
        better
    }

    /// Takes out stretches of steps, ever shorter ones, the last first.
    fn remove(&mut self) {
        let mut size = self.best.steps.len().div_ceil(2);
        while size > 0 {
            let mut end = self.best.steps.len();
            while end > 0 {
                let start = end.saturating_sub(size);
                let mut steps = self.best.steps.clone();
                drop(steps.drain(start..end));
                self.try_steps(steps);
                end = start;
            }
            size /= 2;
        }
    }

    /// Makes each step plainer.
    fn simplify(&mut self) {
        // Each step by itself, if that will do.
        let mut apart = self.best.steps.clone();
        (1..).zip(&mut apart).for_each(|(round, step)| step.round = round);
        self.try_steps(apart);
        for n in (0..self.best.steps.len()).rev() {
            self.whole_lot(n);
            self.no_run(n);
        }
        for n in 0..self.best.steps.len() {
            let plainer: [fn(&mut Step); 8] = [
                |step| step.luck = 0,
                |step| step.gives_up = None,
                |step| step.together = false,
                |step| step.key = None,
                |step| step.place = None,
                |step| all_there_is(&mut step.command),
                |step| plainer_command(&mut step.command),
                |step| one_contact(&mut step.command),
            ];
            for change in plainer {
                let mut steps = self.best.steps.clone();
                change(&mut steps[n]);
                self.try_steps(steps);
            }
            self.shorter_list(n);
        }
    }

    /// A lot that is made at once, instead of step by step.
    fn whole_lot(&mut self, n: usize) {
        let mut steps = self.best.steps.clone();
        let step = &mut steps[n];
        let (Command::Generate { plan, count }, label) = (&step.command, step.label) else { return };
        step.command = Command::Lot { plan: *plan, count: *count };
        steps.retain(|step| step.command != Command::Step(label));
        self.try_steps(steps);
    }

    /// One pass instead of a range, which takes no run.
    fn no_run(&mut self, n: usize) {
        let mut steps = self.best.steps.clone();
        let Step { command: Command::Passes(over, _), label, .. } = &mut steps[n] else { return };
        let label = *label;
        *over = match over {
            Over::Lot(lot) => Over::Pass(*lot),
            Over::Serials { lot, first, .. } => Over::Pass(PassRef(lot.0, lot.1 + *first - 1)),
            _ => return,
        };
        steps.retain(|step| step.command != Command::Step(label));
        self.try_steps(steps);
    }

    fn shorter_list(&mut self, n: usize) {
        let mut at = 0;
        loop {
            let mut steps = self.best.steps.clone();
            let Command::Passes(Over::Passes(passes), _) = &mut steps[n].command else { return };
            if at >= passes.len() || passes.len() == 1 {
                return;
            }
            passes.remove(at);
            if !self.try_steps(steps) {
                at += 1;
            }
        }
    }
}

/// Whoever it is about, it is the first contact.
fn one_contact(command: &mut Command) {
    match command {
        Command::Redeem(redeem) | Command::Check(redeem) if redeem.target != Target::Direct => {
            redeem.target = Target::Wallet(1);
        }
        Command::Spend(spend) | Command::CheckSpend(spend) => spend.contact = 1,
        Command::Issue(issue) => (issue.to, issue.buyer) = (To::Contact(1), None),
        Command::Passes(_, Act::Sell { buyer, .. }) => *buyer = None,
        Command::Passes(_, Act::Recipient(to)) => *to = 1,
        _ => {}
    }
}

/// A spend takes whatever it can: one credit is enough for it, and two of them are in each other's way.
fn all_there_is(command: &mut Command) {
    if let Command::Spend(spend) | Command::CheckSpend(spend) = command {
        (spend.amount, spend.partly) = (None, true);
    }
}

fn plainer_command(command: &mut Command) {
    match command {
        Command::Generate { count, .. } | Command::Lot { count, .. } => *count = 1,
        Command::Redeem(redeem) | Command::Check(redeem) => redeem.partly = false,
        Command::Spend(spend) | Command::CheckSpend(spend) => spend.basket.truncate(1),
        Command::Reverse(reverse) => (reverse.allow_loss, reverse.to) = (false, None),
        _ => {}
    }
}
