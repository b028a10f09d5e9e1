//! What is counted stays within its bounds.

use crate::check::{Outcome, same};
use crate::world::{World, add, credit_row, new, over, pass_row};
use passes_core::pass::{PassRow, Tally, flag};
use passes_core::store::{Add, Change, TallyKey};

fn adding(world: &World<'_>, add: Add) -> Change {
    Change { tally: vec![add], ..world.change() }
}

/// R-8, D-2: used and held never fall below zero, and together never exceed the limit of the row. A store that
/// adds without bounds fails here.
pub(super) fn a_tally_keeps_its_bounds(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(5, 5)?;
    let mut change = world.change();
    let credit = credit_row(world.id(), world.id(), pass, 5);
    change.put.push(new(credit.clone()));
    let full = pass_row(pass.lot().pass(2));
    change.put.push(new(PassRow { granted: Tally::new(5), ..full.clone() }));
    world.lands(change)?;
    for key in [
        TallyKey::Uses(pass),
        TallyKey::Balance(pass),
        TallyKey::Granted(full.id),
        TallyKey::Credit(credit.contact, credit.id),
    ] {
        let mut now = Tally::new(5);
        // Used, held, and whether it lands.
        let steps = [
            (6, 0, false),
            (0, 6, false),
            (3, 3, false),
            (-1, 0, false),
            (0, -1, false),
            (-1, 1, false),
            (3, 2, true),
            (1, 0, false),
            (0, 1, false),
            (2, -2, true),
            (0, -1, false),
            (-6, 0, false),
            (-2, 2, true),
            (-3, 0, true),
            (3, 0, true),
            (-3, -2, true),
            (5, 0, true),
        ];
        for (used, held, lands) in steps {
            let change = adding(world, Add { held, ..add(key, used) });
            let what = format!("{key:?}: {used} used and {held} held upon {now:?}");
            if lands {
                now = Tally { used: now.used + used, held: now.held + held, ..now };
                same(&what, &world.lands(change)?.tallies, &vec![now])?;
            } else {
                world.meets_a_guard(&what, change)?;
            }
            same(&what, &world.tally(key)?, &now)?;
        }
    }
    Ok(())
}

/// R-8, C-11: an addition may bring a bound of its own. It judges this addition only: a row keeps its own
/// limit.
pub(super) fn an_addition_has_its_own_bound(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(5, 0)?;
    let key = TallyKey::Uses(pass);
    let bounded = |used: i64, limit: i64| Add { limit: Some(limit), ..add(key, used) };
    world.meets_a_guard("above its own bound", adding(world, bounded(1, 0)))?;
    world.lands(adding(world, bounded(2, 2)))?;
    world.meets_a_guard("above its own bound", adding(world, bounded(1, 2)))?;
    same("the limit of the row", &world.tally(key)?, &Tally { used: 2, held: 0, limit: 5 })?;
    world.lands(adding(world, add(key, 3)))?;
    world.meets_a_guard("above the limit of the row", adding(world, add(key, 1)))?;
    same("the uses", &world.tally(key)?, &Tally { used: 5, held: 0, limit: 5 })?;
    let named = TallyKey::Named(world.bytes(), 0);
    let bounded = |used: i64, limit: i64| Add { limit: Some(limit), ..add(named, used) };
    world.meets_a_guard("a named tally begins at zero", adding(world, bounded(3, 2)))?;
    world.lands(adding(world, bounded(2, 2)))?;
    world.meets_a_guard("above the bound", adding(world, bounded(1, 2)))?;
    world.lands(adding(world, bounded(1, 3)))?;
    let used = world.tally(named)?.used;
    same("the named tally", &used, &3)
}

/// R-8, D-2: an addition that rests on what was read lands only upon exactly that.
pub(super) fn an_addition_starts_from_what_was_read(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(1, 100)?;
    let key = TallyKey::Balance(pass);
    let from = |from: i64, used: i64| Add { from: Some(from), ..add(key, used) };
    world.meets_a_guard("from 1 upon 0", adding(world, from(1, 10)))?;
    world.lands(adding(world, from(0, 40)))?;
    world.meets_a_guard("from 0 upon 40", adding(world, from(0, 10)))?;
    world.meets_a_guard("from 39 upon 40", adding(world, from(39, 1)))?;
    world.lands(adding(world, from(40, 60)))?;
    same("the balance", &world.tally(key)?, &Tally { used: 100, held: 0, limit: 100 })?;
    let named = TallyKey::Named(world.bytes(), 3);
    let from = |from: i64| Add { from: Some(from), limit: Some(5), ..add(named, 1) };
    world.meets_a_guard("from 1 upon nothing", adding(world, from(1)))?;
    world.lands(adding(world, from(0)))?;
    world.meets_a_guard("from 0 upon 1", adding(world, from(0)))?;
    world.lands(adding(world, from(1)))?;
    Ok(())
}

/// R-8, D-2: an addition that rests on what its row said lands only while the row says it: a pass that was
/// suspended meanwhile isn't redeemed. What is counted doesn't make it another row.
pub(super) fn an_addition_rests_on_its_row(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(5, 100)?;
    let credit = credit_row(world.id(), world.id(), pass, 10);
    world.lands(Change { put: vec![new(credit.clone())], ..world.change() })?;
    let (of_pass, of_credit) = (TallyKey::Uses(pass), TallyKey::Credit(credit.contact, credit.id));
    let read = |version: u32, key: TallyKey| Add { version: Some(version), ..add(key, 1) };
    for key in [of_pass, of_credit] {
        world.lands(adding(world, read(1, key)))?;
        world.lands(adding(world, read(1, key)))?;
        world.meets_a_guard("a version that isn't there yet", adding(world, read(2, key)))?;
    }
    let suspended = PassRow { flags: flag::SUSPENDED, uses: Tally::new(5), ..pass_row(pass) };
    let put = vec![over(1, suspended), over(1, credit.clone())];
    // Its own put doesn't count: the row is judged as it was read.
    let tally = vec![read(1, of_pass), read(1, of_credit)];
    world.lands(Change { put, tally, ..world.change() })?;
    for key in [of_pass, of_credit] {
        world.meets_a_guard("a row that was written since", adding(world, read(1, key)))?;
        world.lands(adding(world, read(2, key)))?;
    }
    let named = TallyKey::Named(world.bytes(), 0);
    let bounded = Add { limit: Some(9), ..read(1, named) };
    world.meets_a_guard("a named tally, which has no row", adding(world, bounded))?;
    let used = (world.tally(of_pass)?.used, world.tally(of_credit)?.used, world.tally(named)?.used);
    same("what is counted", &used, &(4, 4, 0))
}

/// C-11: adding nothing still judges by the bound: a right PIN is answered only below the maximum of wrong
/// ones.
pub(super) fn adding_nothing_judges(world: &mut World<'_>) -> Outcome {
    let key = TallyKey::Named(world.bytes(), 0);
    let (wrong, right) = (Add { limit: Some(3), ..add(key, 1) }, Add { limit: Some(2), ..add(key, 0) });
    for used in 0..3 {
        let after = world.lands(adding(world, right))?;
        same("the attempts after a right one", &after.tallies[0].used, &used)?;
        world.lands(adding(world, wrong))?;
    }
    world.meets_a_guard("a right one after three wrong", adding(world, right))?;
    world.meets_a_guard("a fourth wrong one", adding(world, wrong))?;
    let found = world.tally(key)?;
    same("the attempts", &(found.used, found.held), &(3, 0))?;
    let pass = world.make_pass(0, 0)?;
    world.lands(adding(world, add(TallyKey::Uses(pass), 0)))?;
    let late = Add { from: Some(1), ..add(TallyKey::Uses(pass), 0) };
    world.meets_a_guard("nothing, from a value it hasn't", adding(world, late))
}

/// Z-3: sums that a number can't hold are refused.
pub(super) fn sums_do_not_overflow(world: &mut World<'_>) -> Outcome {
    let pass = world.make_pass(i64::MAX, i64::MAX)?;
    let (uses, balance) = (TallyKey::Uses(pass), TallyKey::Balance(pass));
    world.lands(adding(world, add(uses, i64::MAX)))?;
    for (used, held) in [(1, 0), (i64::MAX, 0), (0, 1), (0, i64::MAX)] {
        let over = adding(world, Add { held, ..add(uses, used) });
        world.meets_a_guard("a sum above the largest number", over)?;
    }
    world.lands(adding(world, Add { held: i64::MAX, ..add(balance, 0) }))?;
    for (used, held) in [(1, 0), (i64::MAX, 0), (0, i64::MIN), (i64::MIN, i64::MIN)] {
        let over = adding(world, Add { held, ..add(balance, used) });
        world.meets_a_guard("a sum beyond the numbers", over)?;
    }
    same("the uses", &world.tally(uses)?.used, &i64::MAX)?;
    same("the balance", &world.tally(balance)?.held, &i64::MAX)
}

/// the slots of a named tally are tallies of their own.
pub(super) fn named_tallies_have_slots(world: &mut World<'_>) -> Outcome {
    let (id, other) = (world.bytes(), world.bytes());
    let slot = |slot: u16, used: i64| Add { limit: Some(2), ..add(TallyKey::Named(id, slot), used) };
    let after =
        world.lands(Change { tally: vec![slot(0, 2), slot(1, 1), slot(65_535, 2)], ..world.change() })?;
    same("the values after", &after.tallies.iter().map(|t| t.used).collect(), &vec![2, 1, 2])?;
    world.meets_a_guard("a slot that is full", adding(world, slot(0, 1)))?;
    world.lands(adding(world, slot(1, 1)))?;
    same("another name", &world.tally(TallyKey::Named(other, 0))?, &Tally::default())?;
    world.lands(adding(world, slot(0, -2)))?;
    same("a slot that is empty again", &world.tally(TallyKey::Named(id, 0))?.used, &0)
}

/// D-2: a tally of a row that is not there can't be added to.
pub(super) fn a_tally_needs_its_row(world: &mut World<'_>) -> Outcome {
    let pass = world.lot().pass(1);
    for key in [
        TallyKey::Uses(pass),
        TallyKey::Balance(pass),
        TallyKey::Granted(pass),
        TallyKey::Credit(world.id(), world.id()),
    ] {
        for used in [0, 1] {
            let change = adding(world, Add { limit: Some(9), ..add(key, used) });
            world.meets_a_guard(&format!("{key:?} without a row"), change)?;
        }
    }
    Ok(())
}

/// D-3: several tallies of one change move together or not at all, and are answered in the order given.
pub(super) fn two_tallies_move_together(world: &mut World<'_>) -> Outcome {
    let passes = world.make_passes(2, 2, 10)?;
    let keys = [TallyKey::Uses(passes[1]), TallyKey::Balance(passes[0])];
    let change = |used: [i64; 2]| Change {
        tally: keys.iter().zip(used).map(|(key, used)| add(*key, used)).collect(),
        ..world.change()
    };
    let after = world.lands(change([1, 7]))?;
    let values = vec![Tally { used: 1, held: 0, limit: 2 }, Tally { used: 7, held: 0, limit: 10 }];
    same("the values after", &after.tallies, &values)?;
    world.meets_a_guard("the second too much", change([1, 4]))?;
    world.meets_a_guard("the first too much", change([2, 1]))?;
    same("the first", &world.tally(keys[0])?, &values[0])?;
    same("the second", &world.tally(keys[1])?, &values[1])
}
