//! Checkpoints tell a store that was rolled back, rewritten or swapped.

use super::{Seeds, Shop, Time, basket, opened};
use crate::calendar::Instant;
use crate::id::{BusinessId, Id as _};
use crate::operation::{By, Right};
use crate::secret::Keyring;
use crate::service::{Checkpoint, Passes, Redeem, Reverse, Since, Spend};
use crate::store::memory::Memory;
use std::sync::{Arc, Mutex};

/// A shop that has done the first so many of its commands.
fn shop(commands: usize) -> Shop {
    let shop = Shop::open();
    go_on(&shop, 0..commands);
    shop
}

fn go_on(shop: &Shop, commands: std::ops::Range<usize>) {
    let (passes, by) = (&shop.passes, &shop.by);
    for n in commands {
        shop.time.set_to(
            Instant::parse("2026-05-01T12:00:00Z").unwrap().plus_seconds(i64::try_from(n).unwrap()).unwrap(),
        );
        let name = format!("{n}");
        match n % 3 {
            0 => {
                shop.contact(&name);
            }
            1 => {
                let ann = shop.contact(&name);
                let (_, codes) = shop.sold(shop.cards(), 1, "45");
                let by = by.clone().key(&name).place("Mitte");
                passes.redeem(&by, Redeem::into_wallet(codes[0].clone(), ann)).wait().unwrap();
                let by = by.key(&format!("{name} too"));
                let paid = passes.spend(&by, Spend::all(ann, basket("7"))).wait().unwrap().operation;
                let by = by.key(&format!("{name} back"));
                passes.reverse(&by, Reverse::operation(paid)).wait().unwrap();
            }
            _ => {
                shop.cards();
            }
        }
    }
}

impl Shop {
    fn checkpoint(&self) -> Checkpoint {
        self.passes.checkpoint(&self.by).wait().unwrap()
    }

    fn since(&self, kept: &[Checkpoint]) -> Vec<Since> {
        let verified = self.passes.verify_since(&self.by, kept).wait().unwrap();
        assert_eq!((verified.drifted, &verified.drifts[..]), (0, &[][..]));
        assert_eq!(verified.is_good(), verified.since.iter().all(Since::is_kept));
        verified.since
    }
}

/// D-7: what a checkpoint saw is there, and how much came since; one goes on from another, and the same history
/// gives the same one.
#[test]
fn what_was_seen_is_there() {
    let shop = shop(4);
    let first = shop.checkpoint();
    assert_eq!(shop.since(std::slice::from_ref(&first)), [Since::Kept { after: 0 }]);
    go_on(&shop, 4..9);
    let second = shop.passes.checkpoint_after(&shop.by, &first).wait().unwrap();
    assert_eq!(second, shop.checkpoint());
    let after = second.operations() - first.operations();
    assert_eq!(
        shop.since(&[second.clone(), first.clone()]),
        [Since::Kept { after: 0 }, Since::Kept { after }]
    );
    assert!(second.position() > first.position() && second.booked() > first.booked());
    assert_eq!(self::shop(9).checkpoint(), second);
    // Nothing new: the same history at another moment.
    let again = shop.passes.checkpoint_after(&shop.by, &second).wait().unwrap();
    assert_eq!((again.operations(), again.position()), (second.operations(), second.position()));
}

/// D-7: as a line of text a checkpoint comes back, in this form for ever.
#[test]
fn a_line_comes_back() {
    let checkpoint = shop(3).checkpoint();
    let line = checkpoint.to_string();
    assert_eq!(line.parse::<Checkpoint>().unwrap(), checkpoint);
    assert_eq!(format!("  {line}\n").parse::<Checkpoint>().unwrap(), checkpoint);
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[..2], ["passes-checkpoint", "1"]);
    assert_eq!((words.len(), words[9].len(), words[11].len()), (12, 64, 32));
    for at in 0..words.len() {
        let mut cut = words.clone();
        cut.remove(at);
        assert_eq!(cut.join(" ").parse::<Checkpoint>().unwrap_err().code(), "INVALID", "without word {at}");
        let mut other = words.clone();
        other[at] = "?";
        assert_eq!(other.join(" ").parse::<Checkpoint>().unwrap_err().code(), "INVALID", "word {at}");
    }
    let newer = line.replacen(" 1 ", " 2 ", 1).parse::<Checkpoint>().unwrap_err();
    assert_eq!(newer.to_string(), "checkpoint: it has format 2, this library knows formats up to 1");
    assert_eq!("x".repeat(2_000).parse::<Checkpoint>().unwrap_err().code(), "TOO_LARGE");
    assert_eq!("".parse::<Checkpoint>().unwrap_err().code(), "INVALID");
}

/// D-7: books that end before what was seen were rolled back: how much is missing, and since when.
#[test]
fn a_rolled_back_store_is_told() {
    let (old, now) = (shop(5), shop(9));
    let (early, middle, late) = (shop(2).checkpoint(), old.checkpoint(), now.checkpoint());
    let missing = late.operations() - middle.operations();
    let since = old.since(&[early, middle.clone(), late.clone()]);
    assert!(since[0].is_kept() && since[1].is_kept());
    let (last, at) = (middle.position(), Instant::parse("2026-05-01T12:00:04Z").unwrap());
    assert_eq!(since[2], Since::RolledBack { missing, last, since: Some(at) });
    let expected = format!(
        "rolled back: {missing} operations are missing, all after 2026-05-01T12:00:04Z (the last one there is number {})",
        last.0
    );
    assert_eq!(since[2].to_string(), expected);
    assert!(old.passes.checkpoint_after(&old.by, &late).wait().is_err());

    // Nothing at all is there.
    let nothing = opened(Arc::new(Memory::new()), &now.time, &now.seeds);
    let told = nothing.verify_since(&now.by, std::slice::from_ref(&late)).wait().unwrap().since;
    let (missing, last) = (late.operations(), Default::default());
    assert_eq!(told, [Since::RolledBack { missing, last, since: None }]);
    assert_eq!(nothing.checkpoint(&now.by).wait().unwrap_err().code(), "NOT_FOUND");
}

/// D-7: a store that was rolled back and then worked with is told, and up to when it is as it was.
#[test]
fn a_store_that_went_another_way_is_told() {
    let (early, middle, late) = (shop(2).checkpoint(), shop(5).checkpoint(), shop(9).checkpoint());
    let restored = shop(4);
    go_on(&restored, 6..20);
    let since = restored.since(&[late.clone(), early.clone(), middle.clone()]);
    assert!(since[1].is_kept());
    let kept = Some((early.position(), early.taken()));
    let saw = late.operations();
    assert!(
        matches!(&since[0], Since::Diverged { saw: s, kept: k, .. } if (*s, *k) == (saw, kept)),
        "{since:?}"
    );
    assert!(matches!(&since[2], Since::Diverged { kept: k, .. } if *k == kept), "{since:?}");
    assert!(since[0].to_string().ends_with(&format!(
        "up to operation {}, at the checkpoint of {}, all is as it was",
        early.position().0,
        early.taken()
    )));
    let alone = restored.since(std::slice::from_ref(&late));
    assert!(alone[0].to_string().ends_with("no older checkpoint given holds"));
}

/// D-7: another business, another database, other keys, a line that somebody changed.
#[test]
fn what_is_not_of_these_books_is_told() {
    let shop = shop(5);
    let kept = shop.checkpoint();
    let other = Shop::with(|settings| settings.grace_days = 3);
    let theirs = other.checkpoint();
    // The same business in another database: it has the same id, but began anew.
    let time = Arc::new(Time(Mutex::new(Instant::parse("2026-06-01T12:00:00Z").unwrap())));
    let seeds = Arc::new(Seeds::default());
    let elsewhere = opened(Arc::new(Memory::new()), &time, &seeds);
    let settings = shop.passes.settings(&shop.by).wait().unwrap();
    let actor = shop.by.actor.clone();
    let id = elsewhere.create_business_once(&actor, "one", settings.clone()).wait().unwrap();
    let here = shop.passes.create_business_once(&actor, "one", settings).wait().unwrap();
    assert_eq!(id, here);
    let by = By::new(id, actor);
    let first = shop.passes.checkpoint(&by).wait().unwrap();
    let verified = elsewhere.verify_since(&by, &[first]).wait().unwrap();
    assert_eq!(verified.since, [Since::AnotherDatabase]);

    // The ids of businesses repeat here with the seeds: a foreign one is another's.
    let stranger = By::new(BusinessId::from_bytes([9; 16]), shop.by.actor.clone());
    let told = shop.passes.verify_since(&stranger, &[theirs]).wait().unwrap().since;
    assert_eq!(told, [Since::AnotherBusiness(other.by.business)]);
    assert!(told[0].to_string().contains(&other.by.business.to_string()));
    let error = shop.passes.checkpoint_after(&stranger, &kept).wait().unwrap_err();
    assert_eq!(error.to_string(), "checkpoint: it is of another business");

    // Each word of a line is under the tag.
    let line = kept.to_string();
    let words: Vec<&str> = line.split(' ').collect();
    let changed = |at: usize, word: &str| {
        let mut words = words.clone();
        words[at] = word;
        words.join(" ").parse::<Checkpoint>().unwrap()
    };
    let id = "0192a0d5-c3f0-7b12-a4c8-d91100000000";
    let moment = "2020-01-01T00:00:00Z";
    let digits = "0".repeat(64);
    let forged = [
        changed(2, id),
        changed(3, moment),
        changed(4, "1"),
        changed(5, "1"),
        changed(6, moment),
        changed(7, id),
        changed(8, id),
        changed(9, &digits[..]),
        changed(11, &digits[..32]),
    ];
    assert_eq!(shop.since(&forged), vec![Since::Forged; forged.len()]);
    let error = shop.passes.checkpoint_after(&shop.by, &forged[2]).wait().unwrap_err();
    assert_eq!(error.code(), "INVALID");

    let ring = Keyring::from_master("k2", &[7; 32]).unwrap();
    let passes = Passes::open(
        Arc::new(Memory::new()),
        ring,
        Arc::clone(&shop.time) as _,
        Arc::clone(&shop.seeds) as _,
    );
    let error =
        passes.wait().unwrap().verify_since(&shop.by, std::slice::from_ref(&kept)).wait().unwrap_err();
    assert_eq!(error.code(), "KEY_MISSING");
    let many = vec![kept; 10_001];
    assert_eq!(shop.passes.verify_since(&shop.by, &many).wait().unwrap_err().code(), "TOO_LARGE");
    let by = shop.with_rights(&[Right::Redeem]);
    assert_eq!(shop.passes.checkpoint(&by).wait().unwrap_err().code(), "FORBIDDEN");
}
