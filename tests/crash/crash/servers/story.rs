//! One database, from its making to its end, with troubles in between.

use super::sums::{Sums, Trouble};
use crate::kills::till::{Stage, Till};
use crash::line::{Line, Voice};
use crash::stock::Orders;
use crash::{Answer, Deed, Shop, Stock, Witness};
use passes_postgres::Postgres;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use test_postgres::{Cut, End, Proxy, Server};
use tests::Dice;
use tests::world::patient;

/// Passes in a database with large lots, about.
const PASSES: u32 = 4_000;

/// Tills that work at once, and the stores they share.
const TILLS: u64 = 6;
const STORES: usize = 2;

/// A trouble comes so many times while the tills work.
const TIMES: u64 = 4;

/// A database, and what is known of it.
pub(super) struct Story<'a> {
    seed: u64,
    dice: Dice,
    sums: &'a mut Sums,
    server: Arc<Server>,
    /// The database, without a proxy.
    url: String,
    folder: TempDir,
    witness: Witness,
    lives: u64,
    /// Whether it came to its end.
    over: bool,
}

/// What the tills of one life share.
struct Work {
    voice: Voice,
    stock: Mutex<Stock>,
    over: AtomicBool,
    answers: AtomicU64,
    seed: u64,
    life: usize,
}

impl<'a> Story<'a> {
    pub(super) fn new(server: &Arc<Server>, seed: u64, sums: &'a mut Sums) -> Self {
        let url = server.database();
        let (dice, witness) = (Dice::new(seed), Witness::new(seed ^ 1, PASSES));
        let (folder, server) = (tempfile::tempdir().unwrap(), Arc::clone(server));
        let mut story = Self { seed, dice, sums, server, url, folder, witness, lives: 0, over: false };
        story.look(false);
        story
    }

    /// Tills work, and a trouble comes.
    pub(super) fn live(&mut self, trouble: Trouble) {
        let proxy = Proxy::start(self.server.address());
        let mut through = self.server.through(&self.url, &[proxy.address()]);
        if trouble == Trouble::Timeouts {
            through += "&options=-c%20statement_timeout%3D40ms";
        }
        self.work(&through, trouble, |story, work| match trouble {
            Trouble::Till => story.kill_tills(work),
            _ => {
                for _ in 0..TIMES {
                    story.wait_for(work, 15);
                    story.trouble(trouble, &proxy);
                    *story.sums.troubles.entry(trouble).or_default() += 1;
                    proxy.fate(|| None);
                    story.wait_for(work, 15);
                }
            }
        });
        for (sum, cuts) in self.sums.cuts.iter_mut().zip(proxy.cuts()) {
            *sum += cuts;
        }
        self.look(false);
    }

    /// Tills work while their primary is killed, and its standby takes its place.
    pub(super) fn fail_over(&mut self, standby: &Arc<Server>) {
        let hosts = [self.server.address(), standby.address()];
        let both = format!("{}&target_session_attrs=read-write", self.server.through(&self.url, &hosts));
        self.work(&both, Trouble::FailOver, |story, work| {
            story.wait_for(work, 60);
            story.server.end(End::Killed);
            story.pause(60);
            standby.promote();
            *story.sums.troubles.entry(Trouble::FailOver).or_default() += 1;
            story.url = standby.same_database(&story.url);
            story.server = Arc::clone(standby);
            story.wait_for(work, 60);
        });
        self.look(false);
    }

    /// The end: everything is looked at.
    pub(super) fn end(mut self) {
        self.look(true);
        self.over = true;
    }

    fn pause(&mut self, most: u64) {
        thread::sleep(Duration::from_millis(self.dice.below(most)));
    }

    /// Waits for so many more answers, and a little while.
    fn wait_for(&mut self, work: &Work, answers: u64) {
        let (until, start) = (work.answers.load(Ordering::Relaxed) + answers, Instant::now());
        while work.answers.load(Ordering::Relaxed) < until {
            assert!(start.elapsed() < Duration::from_secs(120), "the tills hang");
            thread::sleep(Duration::from_millis(1));
        }
        self.pause(30);
    }

    fn trouble(&mut self, trouble: Trouble, proxy: &Proxy) {
        match trouble {
            Trouble::Restart => {
                let end = *self.dice.pick(&[End::Killed, End::AtOnce, End::Fast]);
                self.server.end(end);
                self.pause(120);
                self.server.start_again();
            }
            Trouble::Backend => {
                assert!(self.server.kill_one_backend(&self.url), "no process serves a till");
                thread::sleep(Duration::from_millis(100));
                self.server.wait_until_ready();
            }
            Trouble::SentAway => {
                let all = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                           WHERE application_name='passes'";
                for _ in 0..6 {
                    let _ = self.server.say(&self.url, all);
                    self.pause(40);
                }
            }
            Trouble::CutLines => {
                let mut dice = Dice::new(self.dice.below(u64::MAX));
                proxy.fate(move || {
                    dice.once_in(4).then(|| *dice.pick(&[Cut::Before, Cut::Sent, Cut::Answered]))
                });
                for _ in 0..10 {
                    self.pause(80);
                    if self.dice.once_in(4) {
                        proxy.cut_all();
                    }
                }
            }
            Trouble::Timeouts => {
                // Somebody else locks passes and wallets for longer than a statement may take.
                let hold =
                    "BEGIN; LOCK passes.pass,passes.credit IN EXCLUSIVE MODE; SELECT pg_sleep(0.3); COMMIT";
                let _ = self.server.say(&self.url, hold);
            }
            Trouble::Till | Trouble::FailOver => {}
        }
    }

    /// Tills of their own processes are killed, which are in the middle of something mostly.
    fn kill_tills(&mut self, work: &Work) {
        for _ in 0..TIMES {
            let mut stock = self.witness.stock.clone();
            stock.recent.extend(self.witness.history.open());
            let orders = Orders {
                file: self.folder.path().join("till"),
                server: Some(self.url.clone()),
                life: self.witness.history.born(self.witness.found.last()),
                seed: self.dice.below(u64::MAX),
                threads: self.dice.between(1, 6) as u64,
                checkpoint: (0, 0),
                alone: false,
                session: None,
                stock,
            };
            let mut till = Till::start(&orders);
            let enough = self.dice.below(40);
            till.listen(&mut self.witness.history, |till| {
                till.stage == Stage::Working && till.answers >= enough
            });
            self.pause(40);
            let _ = till.kill(&mut self.witness.history);
            *self.sums.troubles.entry(Trouble::Till).or_default() += 1;
            self.wait_for(work, 5);
        }
    }

    /// Lets tills work over this URL while something happens, and notes what they told.
    fn work(&mut self, url: &str, trouble: Trouble, happens: impl FnOnce(&mut Self, &Work)) {
        self.lives += 1;
        let stores: Vec<Arc<Postgres>> =
            (0..STORES).map(|_| Arc::new(Postgres::options().connections(4).open(url).unwrap())).collect();
        let mut stock = self.witness.stock.clone();
        stock.recent.extend(self.witness.history.open());
        let work = Work {
            voice: Voice::kept(),
            stock: Mutex::new(stock),
            over: AtomicBool::new(false),
            answers: AtomicU64::new(0),
            seed: self.dice.below(u64::MAX),
            life: self.witness.history.born(self.witness.found.last()),
        };
        thread::scope(|scope| {
            let tills: Vec<_> = (0..TILLS)
                .map(|till| {
                    let (work, store) = (&work, Arc::clone(&stores[till as usize % STORES]));
                    scope.spawn(move || work.at(till, &store))
                })
                .collect();
            let happened = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| happens(self, &work)));
            work.over.store(true, Ordering::Relaxed);
            tills.into_iter().for_each(|till| till.join().unwrap());
            happened.unwrap_or_else(|why| std::panic::resume_unwind(why));
        });
        drop(stores);
        self.nobody_works();
        self.hear(&work, trouble);
    }

    /// Waits until the server has noticed that all tills are gone: what they sent may be under way.
    fn nobody_works(&self) {
        let start = Instant::now();
        let all = "SELECT count(*) FROM pg_stat_activity WHERE application_name='passes'";
        while self.server.say(&self.url, all) != "0" {
            assert!(start.elapsed() < Duration::from_secs(60), "somebody is still connected");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// What failed for certain is as if nobody had asked; what is in doubt is as if nobody had answered.
    fn hear(&mut self, work: &Work, trouble: Trouble) {
        let lines = work.voice.lines();
        let failed: BTreeMap<u64, String> = lines
            .iter()
            .filter_map(|line| match line {
                Line::Got { call, answer: Answer::Failed(why) } => Some((*call, why.clone())),
                _ => None,
            })
            .collect();
        let told = self.sums.told.entry(trouble).or_default();
        for line in lines {
            let (call, asks, keyed) = match &line {
                Line::Ask { call, key, .. } => (call, true, key.is_some()),
                Line::Got { call, .. } => (call, false, false),
                _ => continue,
            };
            match failed.get(call).map(|why| why.split(':').next().unwrap_or_default()) {
                Some("TRANSIENT") => told[1] += u64::from(asks),
                Some("IN_DOUBT") if asks => {
                    told[if keyed { 2 } else { 3 }] += 1;
                    self.witness.history.tell(work.life, &line);
                }
                Some("IN_DOUBT") => {}
                _ => {
                    told[0] += u64::from(!asks);
                    self.witness.history.tell(work.life, &line);
                }
            }
        }
        self.witness.history.died(work.life);
    }

    /// Judges the database.
    fn look(&mut self, last: bool) {
        let store = Arc::new(patient().open(&self.url).unwrap());
        let shop = Shop::on(store, self.dice.below(u64::MAX)).unwrap();
        let wrong = self.witness.look_at(&shop, last);
        assert!(
            wrong.is_empty(),
            "{} things are wrong, among them:\n{}",
            wrong.len(),
            wrong[..wrong.len().min(20)].join("\n")
        );
        self.sums.seen.add(&std::mem::take(&mut self.witness.seen));
        drop(shop);
        self.nobody_works();
    }
}

impl Work {
    /// A till works until all is over.
    fn at(&self, till: u64, store: &Arc<Postgres>) {
        let store = Arc::clone(store);
        let mut dice = Dice::new(self.seed.wrapping_add(till));
        let shop = (0_u64..).find_map(|_| {
            let shop = Shop::on(store.clone(), self.seed.wrapping_mul(31).wrapping_add(till)).ok();
            if shop.is_none() {
                thread::sleep(Duration::from_millis(5));
            }
            shop
        });
        let shop = shop.unwrap();
        for n in 0_u64.. {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let fresh = format!("{}-{till}-{n}", self.life);
            let next = self.stock.lock().unwrap().next(&mut dice, &fresh);
            let Some((key, deed)) = next else { continue };
            self.ask(&shop, key.as_deref(), &deed, &mut dice);
        }
    }

    fn ask(&self, shop: &Shop, key: Option<&str>, deed: &Deed, dice: &mut Dice) {
        let call = self.voice.ask(key, deed);
        let answer = deed.give(shop, key);
        self.voice.got(call, &answer);
        if let Answer::Failed(_) = answer {
            // Somebody who has no answer asks again in a moment, or gives up.
            thread::sleep(Duration::from_millis(dice.below(12)));
            return;
        }
        self.answers.fetch_add(1, Ordering::Relaxed);
        let learned = self.stock.lock().unwrap().learn(deed, &answer);
        let Some((lot, count)) = learned else { return };
        let after = dice.below(u64::from(count).div_ceil(2)) as u32;
        if let Ok(page) = shop.passes.export_page(&shop.by, lot, after, 12).wait() {
            let coded = page
                .iter()
                .map(|row| crash::stock::Coded { pass: row.pass, code: row.code.reveal().to_owned() });
            self.stock.lock().unwrap().fill(coded.collect());
        }
    }
}

impl Drop for Story<'_> {
    fn drop(&mut self) {
        if thread::panicking() && !self.over {
            eprintln!("in a database of seed {}, in life {}", self.seed, self.lives);
            for asked in self.witness.history.asked.iter().rev().take(12).rev() {
                eprintln!("{asked:?}");
            }
        }
    }
}
