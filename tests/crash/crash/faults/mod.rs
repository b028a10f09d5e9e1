//! A disk that is full or fails: in the middle of a group's commit, of a lot, of a checkpoint, of reading.

mod checkpoints;
mod groups;
mod runs;

use crash::Shop;
use crash::shop::{Goods, gbp};
use crash::stock::{Coded, browse};
use passes_core::Error;
use passes_core::service::{Deal, Generate, LotStarted, Receipt, Redeem, Redeemed};
use passes_sqlite::{Options, Sqlite};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;
use std::path::PathBuf;
use tempfile::TempDir;
use test_vfs::{Cut, Vfs};
use tests::Books;
use tests::books::operations;

/// A shop on a disk that the test controls.
struct Disk {
    folder: TempDir,
    vfs: Vfs,
    /// None while it is closed.
    open: Option<Shop>,
    goods: Goods,
    /// Cards of 20.00 each that were sold.
    cards: Vec<Coded>,
    rng: ChaCha8Rng,
    images: u32,
}

/// Never brings its log into the file.
fn no_checkpoints() -> Options {
    Sqlite::options().checkpoint(u32::MAX, u32::MAX)
}

impl Disk {
    fn new(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vfs = Vfs::with_power_cuts().unwrap();
        let shop = Shop::open(&folder.path().join("shop.db"), options.vfs(vfs.name()), 1).unwrap();
        let goods = Shop::set_up(|key, deed| deed.give(&shop, Some(key)));
        let lot = sold_lot(&shop, &goods, 60);
        let cards = browse(&shop, lot.lot, 0, 60);
        Self { folder, vfs, open: Some(shop), goods, cards, rng: ChaCha8Rng::from_seed([3; 32]), images: 0 }
    }

    fn shop(&self) -> &Shop {
        self.open.as_ref().unwrap()
    }

    /// Closes the shop and opens it again.
    fn reopen(&mut self, options: Options) {
        self.open = None;
        let file = self.folder.path().join("shop.db");
        self.open = Some(Shop::open(&file, options.vfs(self.vfs.name()), 2).unwrap());
    }

    /// Puts new cards in the place of the first ones.
    fn sell_anew(&mut self, count: usize) {
        let lot = sold_lot(self.shop(), &self.goods, count as u32);
        let fresh = browse(self.shop(), lot.lot, 0, count as u32);
        self.cards.splice(..count, fresh);
    }

    fn operations(&self) -> usize {
        operations(&**self.shop().passes.store(), self.shop().by.business)
    }

    /// Spends a part of the n-th card.
    fn spend(&self, card: usize, pence: i64) -> Result<Receipt<Redeemed>, Error> {
        self.shop().passes.redeem(&self.shop().by, self.direct(card, pence)).wait()
    }

    fn direct(&self, card: usize, pence: i64) -> Redeem {
        Redeem::direct(self.cards[card].code.as_str(), gbp(pence))
    }

    /// What is left on the n-th card, in pence.
    fn left(&self, card: usize) -> i64 {
        self.shop().passes.pass(&self.shop().by, self.cards[card].pass).wait().unwrap().left.minor()
    }

    /// Looks into what a cut leaves, some images of it: opens each on the platform's own file system, which must
    /// find everything sound, and tells how many operations there are.
    fn images(&mut self, cut: &Cut) -> Vec<usize> {
        (0..8).map(|n| self.image(cut, n)).collect()
    }

    /// The first image has nothing that wasn't synced, the second has everything; the others are random.
    fn image(&mut self, cut: &Cut, n: u32) -> usize {
        self.images += 1;
        let image = self.folder.path().join(format!("image {}", self.images));
        match n {
            0 => cut.lose_all(&image),
            1 => cut.keep_all(&image),
            _ => cut.lose(&mut self.rng, &image),
        }
        .unwrap();
        sound(image.join("shop.db"))
    }
}

/// A complete lot of so many cards, all sold.
pub(crate) fn sold_lot(shop: &Shop, goods: &Goods, count: u32) -> LotStarted {
    let request = Generate { plan: goods.plans[0], count, accept_weak: false };
    let started = shop.passes.generate(&shop.by, request).wait().unwrap();
    shop.passes.finish_run(&shop.by, started.run).wait().unwrap();
    shop.passes.export(&shop.by.clone().reason("test"), started.lot).wait().unwrap();
    let sold = shop.passes.sell(&shop.by, started.lot, Deal::at(gbp(2_000))).wait().unwrap();
    shop.passes.finish_run(&shop.by, sold.run.unwrap()).wait().unwrap();
    started.done
}

/// Opens a file, which must be sound in every respect. How many operations there are.
fn sound(file: PathBuf) -> usize {
    let sql = rusqlite::Connection::open(&file).unwrap();
    let whole: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(whole, "ok");
    drop(sql);
    let shop = Shop::open(&file, Sqlite::options(), 1).unwrap();
    let verified = shop.passes.verify(&shop.by).wait().unwrap();
    assert!(verified.is_good(), "{:?}", verified.drifts);
    Books::of(&**shop.passes.store(), shop.by.business).operations
}
