//! Files of SQLite that can't be used, keys that don't fit, and a disk that is full, as a host meets them.

use crate::keyring;
use crate::shop::{Shop, basket, card, checked, code, eur, opener, spec};
use passes_host::contact::{Medium, Profile};
use passes_host::operation::By;
use passes_host::service::{Generate, Redeem, Spend};
use passes_host::sqlite::Sqlite;
use passes_host::{HostError, Passes};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// The size of a page of a file.
const PAGE: u64 = 4_096;
/// Where the header of a file of SQLite holds the version of its format, as four bytes.
const USER_VERSION: std::ops::Range<usize> = 60..64;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    (folder, path)
}

fn shop_in(path: &Path) -> Shop {
    Shop::on(Arc::new(Sqlite::open(path).unwrap()), |_| {})
}

fn open(path: &Path, keyring: passes_host::secret::Keyring) -> Result<Passes, HostError> {
    opener(3).open(path.to_str().unwrap(), keyring).wait()
}

fn error(path: &Path, keyring: passes_host::secret::Keyring) -> HostError {
    open(path, keyring).err().expect("the file was taken")
}

/// The file's shop again, with a limit of so many pages, if any.
fn again(path: &Path, by: &By, pages: Option<u32>, seed: u64) -> Shop {
    let options = pages.map_or_else(Sqlite::options, |pages| Sqlite::options().max_pages(pages));
    let store = Arc::new(options.open(path).unwrap());
    let passes = opener(seed).open_on(store, keyring("m1", 0x5c)).wait().unwrap();
    Shop { passes, by: by.clone() }
}

/// C-14, D-4, Z-1: a file whose key is missing or another one, one of a newer version, a damaged one and one that
/// is no database are refused with their codes. Not a byte of the file changes, and with the right key and the
/// right bytes all is there.
#[test]
fn a_file_that_cannot_be_used_is_refused_and_left_alone() {
    let (_folder, path) = place();
    let (by, sold, before) = {
        let shop = shop_in(&path);
        let sold = shop.sold(card(), checked(), 50);
        (shop.by.clone(), sold, shop.traces())
    };
    let whole = fs::read(&path).unwrap();
    let refused = |bytes: &[u8], keys: passes_host::secret::Keyring| {
        fs::write(&path, bytes).unwrap();
        let error = error(&path, keys);
        assert!(fs::read(&path).unwrap() == bytes, "{error}: the file has changed");
        assert!(!error.is_retryable());
        (error.code(), error.to_string())
    };
    let good = || keyring("m1", 0x5c);

    let (code, text) = refused(&whole, keyring("m2", 0x5c));
    assert_eq!((code, text.as_str()), ("KEY_MISSING", "the digest key m1 is not in the keyring"));
    let (code, text) = refused(&whole, keyring("m1", 0x5d));
    assert!(code == "KEY_WRONG" && text.contains("m1"), "{code}: {text}");

    let mut newer = whole.clone();
    newer[USER_VERSION].copy_from_slice(&1_000_000_u32.to_be_bytes());
    let (code, text) = refused(&newer, good());
    assert!(code == "STORE_NEWER" && text.contains("1000000"), "{code}: {text}");

    assert_eq!(refused(&whole[..whole.len() / 3], good()).0, "STORE_CORRUPT");
    assert_eq!(refused("Dear shop, ".repeat(2_000).as_bytes(), good()).0, "STORE_CORRUPT");
    let mut headless = whole.clone();
    headless[..16].fill(b'?');
    assert_eq!(refused(&headless, good()).0, "STORE_CORRUPT");

    fs::write(&path, &whole).unwrap();
    let shop = again(&path, &by, None, 4);
    assert_eq!(shop.traces(), before);
    shop.passes.redeem(&shop.by, Redeem::direct(sold[0].1.reveal(), eur("1"))).wait().unwrap();
}

/// Z-1, D-3: rubbish in the middle of a file is found when it is read, as damage: nothing panics, and no command
/// makes something of it.
#[test]
fn rubbish_in_a_file_is_told_as_damage() {
    let (_folder, path) = place();
    let (by, sold) = {
        let shop = shop_in(&path);
        (shop.by.clone(), shop.sold(card(), checked(), 400))
    };
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / usize::try_from(PAGE).unwrap();
    let mut told = 0;
    for page in 1..pages {
        let mut damaged = whole.clone();
        let at = page * usize::try_from(PAGE).unwrap();
        damaged[at..at + usize::try_from(PAGE).unwrap()].fill(0xA5);
        fs::write(&path, damaged).unwrap();
        let work = || -> Result<(), HostError> {
            let passes = open(&path, keyring("m1", 0x5c))?;
            for (_, code) in sold.iter().step_by(40) {
                passes.check(&by, &Redeem::direct(code.reveal(), eur("1"))).wait()?;
            }
            let verified = passes.verify(&by).wait()?;
            assert!(verified.is_good(), "page {page}: {:?}", verified.drifts);
            Ok(())
        };
        if let Err(error) = work() {
            assert_eq!(error.code(), "STORE_CORRUPT", "page {page}: {error}");
            told += 1;
        }
        for side in ["shop.db-wal", "shop.db-shm"] {
            // What a damaged file left behind doesn't belong to the next one.
            drop(fs::remove_file(path.with_file_name(side)));
        }
    }
    assert!(told > pages / 2, "{told} of {pages}");
}

/// D-3, R-5: on a full disk a command is refused and nothing of it is there; when there is room again, the same
/// command under the same key is done, once.
#[test]
fn on_a_full_disk_nothing_is_lost_and_the_same_command_works_later() {
    let (_folder, path) = place();
    let (by, sold, plan, ann) = {
        let shop = shop_in(&path);
        let sold = shop.sold(card(), checked(), 3);
        let plan = shop.plan(spec(card(), checked()));
        let ann = shop.contact("Ann");
        shop.passes.redeem(&shop.by, Redeem::into_wallet(sold[0].1.reveal(), ann)).wait().unwrap();
        (shop.by.clone(), sold, plan, ann)
    };
    let pages = u32::try_from(fs::metadata(&path).unwrap().len() / PAGE).unwrap();

    let (taken, before) = {
        let shop = again(&path, &by, Some(pages + 2), 5);
        // Contacts, until there is no room for one more.
        let filled = (0..10_000).find_map(|n| {
            let mut profile = Profile::named("Somebody", Medium::Reference(format!("{n}")));
            profile.media.extend((0..19).map(|m| Medium::Reference(format!("{n} {m} {:a<200}", ""))));
            shop.passes.create_contact(&shop.by, profile).wait().err()
        });
        let filled = filled.expect("the disk never was full");
        assert_eq!(filled.code(), "STORE_FULL", "{filled}");
        assert!(filled.is_retryable());

        // Small ones as long as there is room for them, each answered truly; then none.
        let spend = |n: u32| {
            let request = Spend::all(ann, basket("0.01"));
            shop.passes.spend(&shop.key(&format!("till {n}")), request).wait()
        };
        let mut taken = 0;
        let full = loop {
            match spend(taken) {
                Ok(receipt) => assert!(!receipt.replayed),
                Err(error) => break error,
            }
            taken += 1;
        };
        assert_eq!(full.code(), "STORE_FULL", "{full}");
        let before = shop.traces();
        for _ in 0..3 {
            assert_eq!(code(spend(taken)), "STORE_FULL");
        }
        let lot = Generate { plan, count: 2_000, accept_weak: false };
        let begun = shop.passes.generate(&shop.key("lot"), lot).wait();
        if let Ok(started) = &begun {
            assert_eq!(code(shop.passes.finish_run(&shop.by, started.run).wait()), "STORE_FULL");
        }
        // What needs no room works on.
        let request = Redeem::direct(sold[1].1.reveal(), eur("1"));
        assert!(shop.passes.check(&shop.by, &request).wait().unwrap().is_good());
        let after = shop.traces();
        assert!(begun.is_ok() || after == before);
        (taken, after)
    };

    let shop = again(&path, &by, None, 6);
    assert_eq!(shop.traces(), before);
    let key = shop.key(&format!("till {taken}"));
    let spend = || shop.passes.spend(&key, Spend::all(ann, basket("0.01"))).wait().unwrap();
    let (first, second) = (spend(), spend());
    assert_eq!((first.replayed, second.replayed), (false, true));
    assert_eq!((first.operation, &first.done), (second.operation, &second.done));
    if taken > 0 {
        let earlier = shop.passes.spend(&shop.key("till 0"), Spend::all(ann, basket("0.01"))).wait().unwrap();
        assert!(earlier.replayed);
    }
    let left = shop.passes.wallet(&shop.by, ann).wait().unwrap().balance(eur("0").currency()).unwrap();
    assert_eq!(left.minor(), 5_000 - i64::from(taken) - 1);

    // The lot is begun or gone on with, whichever it was.
    let lot = Generate { plan, count: 2_000, accept_weak: false };
    let started = shop.passes.generate(&shop.key("lot"), lot).wait().unwrap();
    assert_eq!(shop.passes.finish_run(&shop.by, started.run).wait().unwrap().done, 2_000);
    assert_eq!(shop.export(started.lot).len(), 2_000);
    assert!(shop.passes.verify(&shop.by).wait().unwrap().is_good());
}
