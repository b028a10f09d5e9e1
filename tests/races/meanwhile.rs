//! What others do at the worst moment: between what a command looked at first and its load, and between its load
//! and its commit, where a store loads and commits apart.

use passes_conformance::chaos::{Chaos, Trouble};
use passes_core::business::Settings;
use passes_core::calendar::Instant;
use passes_core::id::PassId;
use passes_core::lot::Outcome;
use passes_core::operation::By;
use passes_core::pass::State;
use passes_core::passcode::{Passcode, Presented};
use passes_core::plan::Form;
use passes_core::run::RunState;
use passes_core::service::{
    Deal, Expiry, Generate, Home, Issue, Recipient, Redeem, Redeemed, Rest, Reverse, Spend,
};
use passes_core::store::{After, Answer, Change, Command, Fut, Record, Store, StoreError, delegate};
use passes_core::{Passes, Receipt};
use passes_host::testing::SeededEntropy;
use std::sync::{Arc, Mutex};
use tests::world::{START, amount, keyring, one_line};
use tests::{World, code_of};

/// When somebody else comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Before the command is loaded: after all that it looked at to know what to load.
    Running,
    /// Between load and commit.
    Committing,
}

/// A store at which somebody else comes, once.
struct Visited {
    inner: Arc<dyn Store>,
    when: When,
    visit: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Visited {
    fn now(&self, when: When) {
        let visit = if self.when == when { self.visit.lock().unwrap().take() } else { None };
        if let Some(visit) = visit {
            visit();
        }
    }
}

impl Store for Visited {
    fn run(&self, command: Command) -> Fut<'_, Answer> {
        self.now(When::Running);
        self.inner.run(command)
    }
    fn commit<'a>(&'a self, changes: &'a [Change]) -> Fut<'a, Vec<Result<After, StoreError>>> {
        self.now(When::Committing);
        for Change { expect, put, .. } in changes {
            let mut written = put.iter().filter_map(|put| match &put.record {
                Record::Doc(doc) => Some(doc.key),
                _ => None,
            });
            let twice = written.find(|key| expect.iter().any(|(other, _)| other == key));
            assert_eq!(twice, None, "what is written is guarded by itself");
        }
        self.inner.commit(changes)
    }

    delegate!(inner; slots, load, pause, fill, page, events, audit, ledger);
}

/// A world, a pass in it that is sold, and its code.
struct Scene {
    world: World,
    pass: PassId,
    code: String,
}

/// What a visitor knows.
struct Guest {
    passes: Passes,
    by: By,
    pass: PassId,
    code: String,
}

impl Scene {
    fn new() -> Self {
        let world = World::memory();
        let (pass, code) = world.gift("20 EUR");
        Self { world, pass, code }
    }

    /// The library on the same records, where somebody comes in the next command.
    fn visited(&self, when: When, visit: impl FnOnce(&Guest) + Send + 'static) -> Passes {
        let World { passes, by, clock, .. } = &self.world;
        let guest =
            Guest { passes: passes.clone(), by: by.clone(), pass: self.pass, code: self.code.clone() };
        let inner = Arc::clone(passes.store());
        let store = Arc::new(Visited { inner, when, visit: Mutex::default() });
        let apart = Trouble { apart: when == When::Committing, ..Trouble::NONE };
        let chaos = Arc::new(Chaos::new(store.clone(), 1).making(apart));
        let entropy = Arc::new(SeededEntropy::new(77));
        let passes = Passes::open(chaos, keyring(), clock.clone(), entropy).wait().unwrap();
        *store.visit.lock().unwrap() = Some(Box::new(move || visit(&guest)));
        passes
    }

    fn by(&self) -> &By {
        &self.world.by
    }

    fn state(&self, pass: PassId) -> State {
        let _ = self.world.books();
        self.world.passes.pass(self.by(), pass).wait().unwrap().state
    }
}

impl Guest {
    fn redeem(&self) -> Receipt<Redeemed> {
        self.passes.redeem(&self.by, Redeem::into_new_wallet(self.code.as_str())).wait().unwrap()
    }
}

/// L-1, L-5, L-6, B-1, D-3: what is done between the load of a redemption and its commit is judged: to a pass, its lot,
/// its plan, the settings.
#[test]
fn a_redemption_rests_on_all_that_it_read() {
    type Visit = fn(&Guest);
    let visits: [(&str, Visit); 6] = [
        ("PASS_SUSPENDED", |guest| drop(guest.passes.suspend(&guest.by, guest.pass).wait().unwrap())),
        ("PASS_SUSPENDED", |guest| drop(guest.passes.suspend(&guest.by, guest.pass.lot()).wait().unwrap())),
        ("PASS_SUSPENDED", |guest| {
            let plan = guest.passes.pass(&guest.by, guest.pass).wait().unwrap().plan;
            guest.passes.suspend(&guest.by, plan).wait().unwrap();
        }),
        ("PASS_EXPIRED", |guest| {
            let now = Expiry::At(Instant::parse(START).unwrap());
            guest.passes.set_expiry(&guest.by, guest.pass, now).wait().unwrap();
        }),
        ("PASS_DRAFT", |guest| drop(guest.passes.void_sale(&guest.by, guest.pass).wait().unwrap())),
        ("FORBIDDEN", |guest| {
            let settings =
                Settings { accept_hashes: false, ..guest.passes.settings(&guest.by).wait().unwrap() };
            guest.passes.configure(&guest.by, settings).wait().unwrap();
        }),
    ];
    for (code, visit) in visits {
        let scene = Scene::new();
        let (passes, by) = (&scene.world.passes, scene.by());
        let settings = Settings { accept_hashes: true, ..passes.settings(by).wait().unwrap() };
        passes.configure(by, settings).wait().unwrap();
        let hash = Passcode::new(scene.code.as_str()).hash(by.business.as_bytes()).unwrap();
        let visited = scene.visited(When::Committing, visit);
        let answer = visited.redeem(by, Redeem::into_new_wallet(Presented::Hash(hash))).wait();
        assert_eq!(code_of(&answer), code);
        let _ = scene.world.books();
    }
}

/// L-1, L-4, L-6: what is only done to a pass that isn't redeemed isn't done beside its last use.
#[test]
fn a_change_of_a_pass_rests_on_its_being_left() {
    let scene = Scene::new();
    let visited = scene.visited(When::Committing, |guest| drop(guest.redeem()));
    assert_eq!(code_of(&visited.suspend(scene.by(), scene.pass).wait()), "WRONG_STATE");
    assert_eq!(scene.state(scene.pass), State::Redeemed);
    assert!(!scene.world.passes.pass(scene.by(), scene.pass).wait().unwrap().suspended);

    // A use that leaves something is nothing to it.
    let scene = Scene::new();
    let visited = scene.visited(When::Committing, |guest| {
        let part = Redeem::direct(guest.code.as_str(), amount("5 EUR"));
        guest.passes.redeem(&guest.by, part).wait().unwrap();
    });
    visited.suspend(scene.by(), scene.pass).wait().unwrap();
    assert_eq!(scene.state(scene.pass), State::Suspended);
}

/// L-1, C-7: no code is revealed beside the pass's cancellation.
#[test]
fn a_code_is_revealed_of_the_pass_as_it_is() {
    let scene = Scene::new();
    let visited = scene.visited(When::Committing, |guest| {
        guest.passes.cancel(&guest.by, guest.pass, Rest::Refund).wait().unwrap();
    });
    assert_eq!(code_of(&visited.reveal(scene.by(), scene.pass).wait()), "WRONG_STATE");
}

/// L-1, L-6, T-3: nothing is sent again of a pass whose lot or plan is suspended at that moment.
#[test]
fn a_code_is_sent_again_of_the_pass_as_it_is() {
    let visits: [fn(&Guest); 2] = [
        |guest| drop(guest.passes.suspend(&guest.by, guest.pass.lot()).wait().unwrap()),
        |guest| {
            let plan = guest.passes.pass(&guest.by, guest.pass).wait().unwrap().plan;
            guest.passes.suspend(&guest.by, plan).wait().unwrap();
        },
    ];
    for visit in visits {
        let mut scene = Scene::new();
        let (passes, by) = (&scene.world.passes, &scene.world.by);
        let mut spec = World::spec("20 EUR");
        spec.terms.form = Form::Electronic;
        let issue = Issue::new(scene.world.plan(spec), Recipient::Contact(scene.world.contact()), "email");
        let pass = passes.issue(by, issue).wait().unwrap().pass;
        passes.delivered(by, pass, Outcome::Confirmed).wait().unwrap();
        scene.pass = pass;
        let visited = scene.visited(When::Committing, visit);
        assert_eq!(code_of(&visited.resend(scene.by(), pass).wait()), "WRONG_STATE");
        assert_eq!(scene.state(pass), State::Suspended);
    }
}

/// P-11: archiving a plan stops the lot that is just being asked for, though not its first.
#[test]
fn a_lot_is_made_of_the_plan_as_it_is() {
    let scene = Scene::new();
    let plan = scene.world.passes.pass(scene.by(), scene.pass).wait().unwrap().plan;
    let visited = scene.visited(When::Committing, move |guest| {
        guest.passes.archive_plan(&guest.by, plan).wait().unwrap();
    });
    let request = Generate { plan, count: 3, accept_weak: false };
    assert_eq!(code_of(&visited.generate(scene.by(), request).wait()), "WRONG_STATE");
}

/// L-3, L-6: what takes the place of a pass is suspended as that is with its lot.
#[test]
fn a_replacement_is_suspended_as_its_lot() {
    let scene = Scene::new();
    let visited = scene.visited(When::Committing, |guest| {
        guest.passes.suspend(&guest.by, guest.pass.lot()).wait().unwrap();
    });
    let cancelled = visited.cancel(scene.by(), scene.pass, Rest::Reissue).wait().unwrap();
    assert_eq!(scene.state(cancelled.replaced[0].1), State::Suspended);
}

/// D-1, L-3: what a change writes isn't also among what it only rests on: not even the lot that is replaced as a whole.
#[test]
fn a_change_rests_on_what_it_does_not_write() {
    let scene = Scene::new();
    let visited = scene.visited(When::Committing, |_| ());
    let run = visited.cancel(scene.by(), scene.pass.lot(), Rest::Reissue).wait().unwrap().run.unwrap();
    while visited.step(scene.by(), run).wait().unwrap().state == RunState::Running {}
    assert!(visited.lot(scene.by(), scene.pass.lot()).wait().unwrap().cancelled);
    assert_eq!(scene.state(scene.pass), State::Cancelled);
}

/// no more is booked as loss than is spent when it lands.
#[test]
fn a_loss_is_what_is_spent() {
    let scene = Scene::new();
    let (passes, by) = (&scene.world.passes, scene.by());
    let request = Redeem::into_new_wallet(scene.code.as_str());
    let redeemed = passes.redeem(by, request).wait().unwrap();
    let spend = Spend::all(redeemed.contact.unwrap(), one_line("15 EUR"));
    let spent = passes.spend(by, spend).wait().unwrap().operation;
    let visited = scene.visited(When::Committing, move |guest| {
        let request = Reverse::operation(spent).amount(amount("10 EUR"));
        guest.passes.reverse(&guest.by, request).wait().unwrap();
    });
    let request = Reverse::operation(redeemed.operation).allow_loss();
    let reversed = visited.reverse(by, request).wait().unwrap();
    assert_eq!((reversed.amount, reversed.loss), (Some(amount("20 EUR")), Some(amount("5 EUR"))));
    assert_eq!(scene.state(scene.pass), State::Active);
}

/// L-8, L-9, D-3: a pass that was sold after it was looked at is voided with its sale, on any store.
#[test]
fn a_sale_is_voided_that_came_after_the_look() {
    let scene = Scene::new();
    let (passes, by) = (&scene.world.passes, scene.by());
    passes.void_sale(by, scene.pass).wait().unwrap();
    let visited = scene.visited(When::Running, |guest| {
        guest.passes.sell(&guest.by, guest.pass, Deal::at(amount("20 EUR"))).wait().unwrap();
    });
    let voided = visited.void_sale(by, vec![scene.pass]).wait().unwrap();
    assert_eq!((voided.changed, voided.skipped.len()), (1, 0));
    assert_eq!(scene.state(scene.pass), State::Draft);
}

/// R-6, L-3: money returns to the pass that took the place of the one it came from, also if that was replaced after it
/// was looked at, on any store.
#[test]
fn money_returns_to_the_pass_that_came_after_the_look() {
    let scene = Scene::new();
    let (passes, by) = (&scene.world.passes, scene.by());
    let part = Redeem::direct(scene.code.as_str(), amount("5 EUR"));
    let spent = passes.redeem(by, part).wait().unwrap().operation;
    let visited = scene.visited(When::Running, |guest| {
        guest.passes.cancel(&guest.by, guest.pass, Rest::Reissue).wait().unwrap();
    });
    let reversed = visited.reverse(by, Reverse::operation(spent)).wait().unwrap();
    let next = passes.pass(by, scene.pass).wait().unwrap().successor.unwrap();
    assert_eq!(reversed.returned[0].home, Home::Pass(next));
    assert_eq!(passes.pass(by, next).wait().unwrap().left, amount("20 EUR"));
    let _ = scene.world.books();
}
