//! Caps that many use up at once, on every store: in one row where commands are written one after the other, in slots
//! where they land side by side.

use crate::threads::at_once;
use passes_core::Passes;
use passes_core::id::PlanId;
use passes_core::plan::{Caps, Form, Spec};
use passes_core::service::{Generate, Issue, Over, Recipient, Rest};
use passes_core::store::{Answer, Command, Fut, Store, delegate};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::world::{keyring, settings};
use tests::{World, amount, code_of, on_every_store_and_pooled};

/// Counts how often commands are decided, and has a number of slots of its own.
struct Slotted {
    inner: Arc<dyn Store>,
    slots: u16,
    decided: Arc<AtomicUsize>,
}

impl Store for Slotted {
    fn slots(&self) -> u16 {
        self.slots
    }

    fn run(&self, command: Command) -> Fut<'_, Answer> {
        let decided = Arc::clone(&self.decided);
        self.inner.run(Command::new(command.load().clone(), move |loaded| {
            decided.fetch_add(1, Ordering::Relaxed);
            command.decide(loaded)
        }))
    }

    delegate!(inner; run_all, load, commit, pause, fill, page, events, audit, ledger);
}

/// The library over a store with a number of slots; the store's own if it is 0. And how often it decided.
fn over(world: &World, slots: u16) -> (Passes, Arc<AtomicUsize>) {
    let inner = Arc::clone(world.passes.store());
    let decided = Arc::new(AtomicUsize::new(0));
    let slots = if slots == 0 { inner.slots() } else { slots };
    let store = Slotted { inner, slots, decided: Arc::clone(&decided) };
    let passes = Passes::open(Arc::new(store), keyring(), world.clock.clone(), world.entropy.clone()).wait();
    (passes.unwrap(), decided)
}

fn capped(passes: u32, value: &str) -> Spec {
    let mut spec = World::spec("25 GBP");
    spec.terms.form = Form::Electronic;
    Spec { caps: Caps { passes: Some(passes), value: Some(amount(value)) }, ..spec }
}

/// Has so many threads issue from a plan until each is refused; how many passes there are then.
fn exhaust(world: &World, passes: &Passes, plan: PlanId, threads: usize) -> usize {
    let recipients: Vec<_> = (0..threads).map(|_| world.contact()).collect();
    let issued = at_once(threads, |n| {
        let issue = || Issue::new(plan, Recipient::Contact(recipients[n]), "email");
        (0..)
            .map(|_| passes.issue(&world.by, issue()).wait())
            .map_while(|answer| {
                let code = code_of(&answer);
                assert!(["ok", "PLAN_CAP"].contains(&code), "{answer:?}");
                (code == "ok").then_some(())
            })
            .count()
    });
    issued.iter().sum()
}

/// P-15, D-3: 32 that issue from one plan at the same moment reach its cap exactly, of passes and of value; nobody is
/// refused before, and nobody has to try more than a few times. A raised cap is reached as exactly.
#[test]
fn many_reach_a_cap_exactly() {
    on_every_store_and_pooled(|world| {
        let (passes, decided) = over(&world, 0);
        let plan = world.plan(capped(200, "100000 GBP"));
        let before = decided.load(Ordering::Relaxed);
        assert_eq!(exhaust(&world, &passes, plan, 32), 200);
        // Each is decided once, and each thread refused once. What is decided again was crossed by one that landed.
        let again = decided.load(Ordering::Relaxed) - before - 232;
        println!("decided again: {again}");
        assert!(again <= 2 * 232, "{again}");

        let edit = |spec| world.passes.edit_plan(&world.by, plan, spec).wait().unwrap();
        edit(capped(207, "100000 GBP"));
        assert_eq!(exhaust(&world, &passes, plan, 8), 7);
        let by_value = world.plan(capped(1_000, "1012.49 GBP"));
        assert_eq!(exhaust(&world, &passes, by_value, 16), 40);
        let _ = world.books();
    });
}

/// P-15, T-2, L-5: what is taken from slots and given back to them adds up, whichever of them it was, whatever the number
/// of slots: lots that no slot alone has room for, and that are cancelled halfway; passes that replace others.
#[test]
fn slots_add_up() {
    for slots in [1, 2, 7, 64] {
        let world = World::memory_with(settings(), u64::from(slots));
        let (passes, _) = over(&world, slots);
        let by = &world.by;
        let mut spec = World::spec("25 GBP");
        spec.caps = Caps { passes: Some(10_000), value: Some(amount("250000 GBP")) };
        let plan = world.plan(spec);
        let generate = |count| passes.generate(by, Generate { plan, count, accept_weak: false }).wait();
        let first = generate(9_000).unwrap();
        assert_eq!(code_of(&generate(1_001)), "PLAN_CAP");
        // First codes are reserved, then passes made.
        let made =
            (0..).map(|_| passes.step(by, first.run).wait().unwrap().done).find(|made| *made > 0).unwrap();
        passes.cancel_run(by, first.run).wait().unwrap();
        assert_eq!(code_of(&generate(10_001 - made)), "PLAN_CAP");
        let rest = generate(10_000 - made).unwrap();
        passes.finish_run(by, rest.run).wait().unwrap();
        assert_eq!(code_of(&generate(1)), "PLAN_CAP");

        // Replaced passes are no new ones; what was made of a plan is not undone by cancelling it.
        let three = || Over::Passes((1..=3).map(|serial| first.lot.pass(serial)).collect());
        passes.activate(by, three()).wait().unwrap();
        let replaced = passes.cancel(&by.clone().reason("lost"), three(), Rest::Reissue).wait().unwrap();
        assert_eq!(replaced.replaced.len(), 3);
        let cancelled = passes.cancel(&by.clone().reason("no"), Over::Lot(first.lot), Rest::Forfeit).wait();
        passes.finish_run(by, cancelled.unwrap().run.unwrap()).wait().unwrap();
        assert_eq!(code_of(&generate(1)), "PLAN_CAP");
        let verified = passes.verify(by).wait().unwrap();
        assert_eq!(verified.drifts, [], "{slots} slots");
        assert!(verified.tallies >= u64::from(slots).min(3));
    }
}

/// R-8, P-15: slots whose sum has room refuse nobody, however it lies in them; the last pieces are put together.
#[test]
fn the_last_room_is_found_wherever_it_is() {
    let mut found = BTreeMap::new();
    for seed in 0..20 {
        let world = World::memory_with(settings(), seed);
        let (passes, _) = over(&world, 8);
        let plan = world.plan(capped(1_000, "101 GBP"));
        // Each value is a quarter of the cap, and twice of what one slot has room for.
        *found.entry(exhaust(&world, &passes, plan, 1)).or_insert(0) += 1;
    }
    assert_eq!(found, [(4, 20)].into());
}
