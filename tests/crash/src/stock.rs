//! What a till has at hand, and how it chooses what to do next.

use crate::deed::{KINDS, Plan};
use crate::line::Voice;
use crate::shop::{Goods, Shop, read};
use crate::{Answer, Deed};
use passes_core::id::{ContactId, LotId, PassId, PlanId, RunId};
use passes_core::service::{Changed, Issued, LotStarted};
use passes_sqlite::{Options, Sqlite};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tests::Dice;

/// A pass with its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coded {
    /// The pass.
    pub pass: PassId,
    /// Its code.
    pub code: String,
}

/// A run that is not through, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The run.
    pub run: RunId,
    /// The lot that it makes; none for a bulk command.
    pub makes: Option<(LotId, u32)>,
}

/// What a till is told when it begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Orders {
    /// The file; where there is a server, only what the till's other files are called by.
    pub file: PathBuf,
    /// The URL of a server's database, if that is what it opens.
    pub server: Option<String>,
    /// Its number among all tills, of which its keys are made.
    pub life: usize,
    /// Where its choices come from.
    pub seed: u64,
    /// How many threads work.
    pub threads: u64,
    /// When the log is brought into the file: see [`Options::checkpoint`].
    pub checkpoint: (u32, u32),
    /// Whether it is the only one.
    pub alone: bool,
    /// After how many milliseconds it closes the file and opens it again, if it does.
    pub session: Option<u64>,
    /// What it has at hand.
    pub stock: Stock,
}

impl Orders {
    /// Opens the shop.
    ///
    /// # Errors
    /// None is expected, whatever happened to others.
    pub fn open(&self, session: u64) -> Result<Shop, passes_core::Error> {
        let seed = self.seed.wrapping_add(session);
        match &self.server {
            Some(url) => Shop::on(Arc::new(tests::world::patient().open(url)?), seed),
            None => Shop::open(&self.file, self.options(), seed),
        }
    }

    /// How the file is opened.
    #[must_use]
    pub fn options(&self) -> Options {
        let (step, restart_at) = self.checkpoint;
        Sqlite::options().checkpoint(step, restart_at).single_process(self.alone)
    }
}

/// What a till has at hand.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Stock {
    /// Customers and plans.
    pub goods: Goods,
    /// Passes that may be drafts.
    pub drafts: Vec<Coded>,
    /// Passes that are active, or were.
    pub cards: Vec<Coded>,
    /// Electronic passes that may wait for their delivery.
    pub mails: Vec<PassId>,
    /// Electronic passes that are delivered, and whose code nobody here knows.
    pub delivered: Vec<PassId>,
    /// Runs to be stepped.
    pub runs: Vec<Running>,
    /// Lots that are complete, and how many passes they have.
    pub lots: Vec<(LotId, u32)>,
    /// Operations that can be reversed.
    pub done: Vec<u64>,
    /// Requests that were sent under a key, to be sent again.
    pub recent: Vec<(String, Deed)>,
    /// How many passes may still be made in large lots.
    pub room: u32,
    /// The kind of request that is wanted most.
    pub favour: Option<String>,
}

/// How often each kind is chosen, in the order of [`KINDS`].
const WEIGHTS: [u64; KINDS.len()] = [6, 5, 3, 4, 6, 4, 4, 3, 6, 2, 6, 14, 7, 14, 7, 10, 5, 5, 6, 0];

/// How many passes, at most, are worked on at once: few, so that tills meet on them.
const HOT: usize = 8;

/// The most of anything that is kept at hand.
const MOST: usize = 60;

impl Stock {
    /// Chooses what to do next, under this key if it needs one.
    pub fn next(&mut self, dice: &mut Dice, fresh: &str) -> Option<(Option<String>, Deed)> {
        if dice.once_in(10)
            && let Some((key, deed)) = dice.maybe(&self.recent).cloned()
        {
            // The answer was lost, or somebody is impatient.
            return Some((Some(key), deed));
        }
        let kind = match &self.favour {
            Some(kind) if dice.once_in(3) => kind.clone(),
            _ => weighted(dice).to_owned(),
        };
        let deed = self.think(&kind, dice, fresh)?;
        let keyed =
            !matches!(kind.as_str(), "redeem into wallet" | "redeem directly" | "lot step" | "bulk step");
        if keyed {
            self.recent.push((fresh.to_owned(), deed.clone()));
            if self.recent.len() > MOST {
                self.recent.remove(0);
            }
        }
        Some((keyed.then(|| fresh.to_owned()), deed))
    }

    fn plan(&self, plan: Plan) -> PlanId {
        self.goods.plans[Plan::ALL.iter().position(|p| *p == plan).unwrap()]
    }

    fn customer(&self, dice: &mut Dice) -> ContactId {
        *dice.pick(&self.goods.contacts)
    }

    fn card(&self, dice: &mut Dice) -> Option<Coded> {
        dice.maybe(&self.cards[..self.cards.len().min(HOT)]).cloned()
    }

    fn take(&mut self, dice: &mut Dice) -> Option<Vec<PassId>> {
        let count = self.drafts.len().min(dice.between(1, 12) as usize);
        (count > 0).then(|| self.drafts[..count].iter().map(|coded| coded.pass).collect())
    }

    /// A request of a kind, if there is anything for it.
    fn think(&mut self, kind: &str, dice: &mut Dice, fresh: &str) -> Option<Deed> {
        let running = |bulk: bool| -> Vec<Running> {
            self.runs.iter().filter(|run| run.makes.is_none() == bulk).copied().collect()
        };
        Some(match kind {
            "issue" => Deed::Issue { plan: self.plan(Plan::Mail), to: self.customer(dice) },
            "deliver" => Deed::Deliver(*dice.maybe(&self.mails)?),
            "reveal" => Deed::Reveal(*dice.maybe(&self.delivered)?),
            "generate" => {
                let large = self.room > 0 && dice.once_in(3);
                let count = if large { dice.between(4_100, 9_000) } else { dice.between(1, 40) } as u32;
                self.room = if large { self.room.saturating_sub(count) } else { self.room };
                if running(false).len() >= 4 {
                    return None;
                }
                Deed::Generate { plan: self.plan(*dice.pick(&[Plan::Card, Plan::Booklet])), count }
            }
            "lot step" => Deed::Step { run: dice.maybe(&running(false))?.run, bulk: false },
            "bulk step" => Deed::Step { run: dice.maybe(&running(true))?.run, bulk: true },
            "export" => Deed::Export(dice.maybe(&self.lots)?.0),
            "activate some" => Deed::Activate(self.take(dice)?),
            "sell some" => Deed::Sell(self.take(dice)?),
            "activate all" | "sell all" if running(true).len() >= 4 => return None,
            "activate all" => {
                let (lot, count) = *dice.maybe(&self.lots)?;
                let first = dice.between(1, count.into()) as u32;
                Deed::ActivateAll { lot, first, last: dice.between(first.into(), count.into()) as u32 }
            }
            "sell all" => Deed::SellAll(dice.maybe(&self.lots)?.0),
            "redeem into wallet, keyed" | "redeem into wallet" => {
                let Coded { pass, code } = self.card(dice)?;
                Deed::Wallet { code, pass, to: self.customer(dice) }
            }
            "redeem directly, keyed" | "redeem directly" => {
                let Coded { pass, code } = self.card(dice)?;
                Deed::Direct { code, pass, pence: dice.between(30, 300) }
            }
            "spend wallet" => Deed::Spend { contact: self.customer(dice), pence: dice.between(50, 900) },
            "reverse" => Deed::Reverse { of: *dice.maybe(&self.done)?, pence: None },
            "reverse a part" => {
                Deed::Reverse { of: *dice.maybe(&self.done)?, pence: Some(dice.between(1, 200)) }
            }
            "reverse by key" => {
                let sent = self.recent.iter().filter(|(_, deed)| deed.is_reversible());
                let sent: Vec<&String> = sent.map(|(key, _)| key).collect();
                if let (Some(key), false) = (dice.maybe(&sent), dice.once_in(4)) {
                    return Some(Deed::ReverseKey((*key).clone()));
                }
                // Of a request that comes later, or never.
                let (late, contact) = (format!("{fresh} late"), self.customer(dice));
                self.recent.push((late.clone(), Deed::Spend { contact, pence: 100 }));
                Deed::ReverseKey(late)
            }
            _ => return None,
        })
    }

    /// Learns from an answer. Tells a lot whose codes are worth a look, and how many passes it has.
    pub fn learn(&mut self, deed: &Deed, answer: &Answer) -> Option<(LotId, u32)> {
        match (deed, answer) {
            (Deed::Issue { .. }, Answer::Done(ack)) => {
                keep(&mut self.mails, read::<Issued>(ack.done.clone()).pass);
            }
            (Deed::Deliver(pass), Answer::Done(_) | Answer::Refused(_)) => {
                self.mails.retain(|mail| mail != pass);
                keep(&mut self.delivered, *pass);
            }
            (Deed::Reveal(pass), Answer::Done(ack)) => {
                self.delivered.retain(|mail| mail != pass);
                if let Some(code) = &ack.code {
                    keep(&mut self.cards, Coded { pass: *pass, code: code.clone() });
                }
            }
            (Deed::Generate { .. }, Answer::Done(ack)) => {
                let started: LotStarted = read(ack.done.clone());
                let makes = Some((started.lot, started.count));
                if !self.lots.iter().any(|(lot, _)| *lot == started.lot) {
                    keep(&mut self.runs, Running { run: started.run, makes });
                }
            }
            (Deed::ActivateAll { .. } | Deed::SellAll(_), Answer::Done(ack)) => {
                let run = read::<Changed>(ack.done.clone()).run.unwrap();
                keep(&mut self.runs, Running { run, makes: None });
            }
            (Deed::Step { run, .. }, Answer::Stepped(stood)) if stood.over => {
                if let Some(at) = self.runs.iter().position(|running| running.run == *run) {
                    let running = self.runs.remove(at);
                    self.lots.extend(running.makes);
                }
            }
            (Deed::Export(lot), Answer::Done(_)) => {
                return self.lots.iter().find(|(known, _)| known == lot).copied();
            }
            (Deed::Activate(some) | Deed::Sell(some), Answer::Done(_)) => {
                let (sold, left) = self.drafts.drain(..).partition(|coded| some.contains(&coded.pass));
                self.drafts = left;
                let sold: Vec<Coded> = sold;
                sold.into_iter().for_each(|coded| keep(&mut self.cards, coded));
            }
            (deed, Answer::Done(ack)) if deed.is_reversible() => keep(&mut self.done, ack.operation),
            (Deed::Wallet { pass, .. } | Deed::Direct { pass, .. }, Answer::Refused(code))
                if code != "BALANCE_TOO_SMALL" || self.cards.len() > HOT =>
            {
                self.cards.retain(|card| card.pass != *pass);
            }
            (Deed::Reverse { of, .. }, Answer::Refused(_)) => self.done.retain(|done| done != of),
            _ => {}
        }
        None
    }

    /// Takes passes to be activated or sold.
    pub fn fill(&mut self, drafts: Vec<Coded>) {
        drafts.into_iter().for_each(|coded| keep(&mut self.drafts, coded));
    }
}

/// One request, from the choice of it to what is learned from its answer.
///
/// # Panics
/// When somebody else panicked who has the same stock.
pub fn one(voice: &Voice, shop: &Shop, stock: &Mutex<Stock>, dice: &mut Dice, fresh: &str) {
    let Some((key, deed)) = stock.lock().unwrap().next(dice, fresh) else { return };
    let call = voice.ask(key.as_deref(), &deed);
    let answer = deed.give(shop, key.as_deref());
    voice.got(call, &answer);
    let learned = stock.lock().unwrap().learn(&deed, &answer);
    if let Some((lot, count)) = learned {
        let after = dice.below(u64::from(count).div_ceil(2)) as u32;
        let found = browse(shop, lot, after, 12);
        stock.lock().unwrap().fill(found);
    }
}

/// Some passes of a lot, which is complete and exported, with their codes.
///
/// # Panics
/// When they can't be read.
#[must_use]
pub fn browse(shop: &Shop, lot: LotId, after: u32, count: u32) -> Vec<Coded> {
    let page = shop.passes.export_page(&shop.by, lot, after, count).wait().unwrap();
    page.iter().map(|row| Coded { pass: row.pass, code: row.code.reveal().to_owned() }).collect()
}

fn keep<T: PartialEq>(list: &mut Vec<T>, new: T) {
    if !list.contains(&new) {
        list.push(new);
    }
    if list.len() > MOST {
        list.remove(0);
    }
}

fn weighted(dice: &mut Dice) -> &'static str {
    let mut at = dice.below(WEIGHTS.iter().sum());
    for (kind, weight) in KINDS.iter().zip(WEIGHTS) {
        if at < weight {
            return kind;
        }
        at -= weight;
    }
    KINDS[0]
}
