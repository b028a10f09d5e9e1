//! The day before: plans, the printed lot, its export, sales, activations and electronic passes.

use crate::families::Families;
use crate::files::{self, Files};
use crate::{Failure, print};
use indicatif::{ProgressBar, ProgressStyle};
use passes_host::business::Settings;
use passes_host::calendar::Instant;
use passes_host::conditions::{Conditions, Pool};
use passes_host::contact::{Medium, Profile};
use passes_host::id::{LotId, PassId, PlanId, RunId};
use passes_host::lot::Outcome;
use passes_host::money::{Currency, Money};
use passes_host::operation::{Actor, By, Right, Rights};
use passes_host::passcode::Passcode;
use passes_host::plan::Spec;
use passes_host::run::RunState;
use passes_host::service::{Deal, Generate, Issue, Over, Recipient, export_csv};
use passes_host::testing::FixedClock;
use passes_host::{Opener, Passes};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write;
use std::sync::Arc;

/// How many gift cards are printed.
const PRINTED: u32 = 10_000;
/// The serial numbers of the cards that a company buys for its people, that the counter sells one by one, and
/// that are activated without a sale, for a promotion.
const COMPANY: (u32, u32) = (1, 500);
const COUNTER: (u32, u32) = (501, 520);
const PROMOTION: (u32, u32) = (9_901, 10_000);
/// Rows of a page of the export.
const PAGE: u32 = 2_500;

/// How a customer uses passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// Redeemed into the wallet, which then pays.
    Wallet,
    /// Gift cards spent directly at the till.
    Card,
}

/// Where a customer has a printed card from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    Company,
    Counter,
    Promotion,
}

/// An electronic pass in `customers.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    plan: String,
    value: Option<Money>,
    price: Option<Money>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Customer {
    id: String,
    way: Way,
    #[serde(default)]
    cards: Vec<Source>,
    #[serde(default)]
    sent: Vec<Sent>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Customers {
    customer: Vec<Customer>,
}

/// A pass in a customer's hand: the code is on the card, or came by e-mail.
pub struct Held {
    /// The pass.
    pub pass: PassId,
    /// The name of its plan.
    pub plan: String,
    /// Its code.
    pub code: Passcode,
}

/// The passes of one customer.
pub struct Holder {
    /// How they are used.
    pub way: Way,
    /// The passes.
    pub held: Vec<Held>,
}

/// The shop, ready to open its doors.
pub struct Shop {
    /// The library.
    pub passes: Passes,
    /// What the clock on the wall shows.
    pub clock: Arc<FixedClock>,
    /// The owner, who may do everything.
    pub owner: By,
    /// The till, which may sell, redeem, take back and look.
    pub till: By,
    /// Which product is in which family.
    pub families: Families,
    /// The customers who have passes.
    pub holders: HashMap<String, Holder>,
    /// The names of the plans.
    pub plans: BTreeMap<PlanId, String>,
    /// How many cards were printed.
    pub printed: u32,
    /// How many electronic passes were issued.
    pub electronic: usize,
    currency: Currency,
}

/// A plan that was read from a file.
struct Planned {
    id: PlanId,
    name: String,
}

impl Shop {
    /// Opens a fresh shop, with everything done that is done the day before.
    ///
    /// # Errors
    /// A file that can't be read, with the line; any refusal.
    pub fn open(files: &Files, out: &mut dyn Write) -> Result<Self, Failure> {
        let clock = Arc::new(FixedClock::at(Instant::parse("2010-11-30T09:00:00Z")?));
        let keyring = passes_host::create_keyring_file(files.keys())?;
        let passes = Opener::new().clock(clock.clone()).open(&files.database()?, keyring).wait()?;

        let families = Families::read(&files::shop("families.toml"))?;
        let settings = settings()?;
        let currency = settings.currencies.first().copied().ok_or("the shop has no currency")?;
        let owner = Actor::new("owner", Rights::all())?;
        let business = passes.create_business(&owner, settings.clone()).wait()?;
        let owner = By::new(business, owner).channel("office");
        let rights = Rights::of(&[Right::Sell, Right::Redeem, Right::Reverse, Right::Contacts, Right::View]);
        let till = Actor::new("till-1", rights)?.at(&["Oxford Street"]).up_to(&["500 GBP".parse()?]);
        let till = By::new(business, till).place("Oxford Street").channel("till");

        let planned = plans(&passes, &owner, &settings)?;
        let names: Vec<&str> = planned.values().map(|plan| plan.name.as_str()).collect();
        writeln!(out, "  plans      {}", names.join(", "))?;
        let about: Vec<&str> = families.about().map(|(name, _)| name).collect();
        writeln!(out, "  families   {}", about.join(", "))?;

        let plans = planned.values().map(|plan| (plan.id, plan.name.clone())).collect();
        let (holders, printed, electronic) = (HashMap::new(), PRINTED, 0);
        let mut shop =
            Self { passes, clock, owner, till, families, holders, plans, printed, electronic, currency };
        let customers: Customers = toml::from_str(&fs::read_to_string(files::shop("customers.toml"))?)?;
        let card = planned.get("gift_card").ok_or("there is no plan gift_card")?;
        let lot = shop.print(card, out)?;
        let codes = shop.export(lot, files, out)?;
        shop.sell(lot, out)?;
        shop.hand_out(lot, &card.name, &codes, &customers.customer)?;
        for customer in &customers.customer {
            for sent in &customer.sent {
                let plan =
                    planned.get(&sent.plan).ok_or_else(|| format!("there is no plan {}", sent.plan))?;
                shop.send(plan, sent, customer)?;
            }
        }
        writeln!(out, "  sent       {} electronic passes, delivered and active", shop.electronic)?;
        Ok(shop)
    }

    /// The currency of the shop.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Makes the printed lot, with a bar that shows how far it is.
    fn print(&self, card: &Planned, out: &mut dyn Write) -> Result<LotId, Failure> {
        let by = self.owner.clone().key("lot of december 2010");
        let request = Generate { plan: card.id, count: self.printed, accept_weak: false };
        let started = self.passes.generate(&by, request).wait()?;
        self.finish("made", started.run, out)?;
        Ok(started.lot)
    }

    /// Writes the codes to the file for the printer, and closes the export. Answers with the codes of the cards
    /// that customers will hold.
    fn export(
        &self,
        lot: LotId,
        files: &Files,
        out: &mut dyn Write,
    ) -> Result<HashMap<u32, Passcode>, Failure> {
        self.clock.set(Instant::parse("2010-11-30T10:00:00Z")?);
        self.passes.export(&self.owner.clone().key("export for the printer"), lot).wait()?;
        let mut file = files.printer()?;
        let mut codes = HashMap::new();
        let progress = Progress::new("exported", self.printed);
        let mut last = 0;
        loop {
            let rows = self.passes.export_page(&self.owner, lot, last, PAGE).wait()?;
            let Some(end) = rows.last() else { break };
            file.write_all(&export_csv(&rows, last == 0)?)?;
            last = end.serial;
            let handed_out = |serial: u32| serial <= COUNTER.1 || serial >= PROMOTION.0;
            codes.extend(
                rows.into_iter().filter(|row| handed_out(row.serial)).map(|row| (row.serial, row.code)),
            );
            progress.at(last, out)?;
        }
        progress.done();
        file.sync_all()?;
        self.passes.close_export(&self.owner.clone().key("the printer has them"), lot).wait()?;
        Ok(codes)
    }

    /// A company buys five hundred cards with a discount, a promotion activates a hundred without a sale, and the
    /// counter sells a few one by one.
    fn sell(&self, lot: LotId, out: &mut dyn Write) -> Result<(), Failure> {
        self.clock.set(Instant::parse("2010-11-30T14:00:00Z")?);
        let over = |(first, last)| Over::Serials { lot, first, last };
        let company = Profile::named("Albion Printers Ltd", Medium::Email("office@albion.example".into()));
        let company =
            self.passes.create_contact(&self.owner.clone().key("new customer albion"), company).wait()?;
        let deal = Deal::at("22.50 GBP".parse()?).to(company.done).payment("invoice 2010-4711");
        let sold = self.passes.sell(&self.owner.clone().key("sale 2010-4711"), over(COMPANY), deal).wait()?;
        self.finish("sold", sold.run.ok_or("the sale has no run")?, out)?;

        let by = self.owner.clone().key("promotion of december").reason("a promotion in the newspaper");
        let activated = self.passes.activate(&by, over(PROMOTION)).wait()?;
        self.finish("activated", activated.run.ok_or("the activation has no run")?, out)?;

        for serial in COUNTER.0..=COUNTER.1 {
            let by = self.till.clone().key(&format!("counter sale of card {serial}"));
            self.passes.sell(&by, lot.pass(serial), Deal::at("25.00 GBP".parse()?).payment("cash")).wait()?;
        }
        let each = COUNTER.1 - COUNTER.0 + 1;
        writeln!(out, "  sold       {each} cards one by one at the counter")?;
        Ok(())
    }

    /// Gives each customer the printed cards that `customers.toml` says.
    fn hand_out(
        &mut self,
        lot: LotId,
        plan: &str,
        codes: &HashMap<u32, Passcode>,
        customers: &[Customer],
    ) -> Result<(), Failure> {
        let mut next = HashMap::from([
            (Source::Company, COMPANY.0),
            (Source::Counter, COUNTER.0),
            (Source::Promotion, PROMOTION.0),
        ]);
        for customer in customers {
            let mut holder = Holder { way: customer.way, held: Vec::new() };
            for source in &customer.cards {
                let serial = next.entry(*source).or_default();
                let code =
                    codes.get(serial).ok_or_else(|| format!("card {serial} was not exported"))?.clone();
                holder.held.push(Held { pass: lot.pass(*serial), plan: plan.to_owned(), code });
                *serial += 1;
            }
            if self.holders.insert(customer.id.clone(), holder).is_some() {
                return Err(format!("customers.toml: {} is there twice", customer.id).into());
            }
        }
        Ok(())
    }

    /// Issues an electronic pass to a customer, and delivers it: an application would have the code revealed when
    /// it reads the event that asks for the delivery, and send it.
    fn send(&mut self, plan: &Planned, sent: &Sent, customer: &Customer) -> Result<(), Failure> {
        self.clock.set(Instant::parse("2010-11-30T16:00:00Z")?);
        self.electronic += 1;
        let to = Recipient::Profile(Profile::of(reference(&customer.id)));
        let mut issue = Issue::new(plan.id, to, "email").from("The Gift Shop", "Enjoy it!");
        (issue.value, issue.deal) = (sent.value, sent.price.map(|price| Deal::at(price).payment("card")));
        let key = |what: &str| self.owner.clone().key(&format!("{what} {}", self.electronic));
        let pass = self.passes.issue(&key("issue"), issue).wait()?.pass;
        let (_, code) = self.passes.reveal(&key("reveal to send"), pass).wait()?;
        let code = code.ok_or("the code was revealed before")?;
        self.passes.delivered(&key("delivered"), pass, Outcome::Confirmed).wait()?;
        let holder = self.holders.get_mut(&customer.id).ok_or("a customer without an entry")?;
        holder.held.push(Held { pass, plan: plan.name.clone(), code });
        Ok(())
    }

    /// Steps a run to its end. A run that stopped, by a power cut too, would go on just so.
    fn finish(&self, what: &'static str, run: RunId, out: &mut dyn Write) -> Result<(), Failure> {
        let mut at = self.passes.progress(&self.owner, run).wait()?;
        let progress = Progress::new(what, at.total);
        while !at.is_over() {
            at = self.passes.step(&self.owner, run).wait()?;
            progress.at(at.done, out)?;
        }
        progress.done();
        match at.state {
            RunState::Done => Ok(()),
            state => Err(format!("the run ended {state:?}").into()),
        }
    }
}

/// How a customer's id in the purchases is found again.
pub(crate) fn reference(customer: &str) -> Medium {
    Medium::Reference(format!("customer {customer}"))
}

fn settings() -> Result<Settings, Failure> {
    let mut settings = Settings::new("The Gift Shop", "Europe/London", &["GBP"], "en-GB")?;
    settings.printing_house = true;
    let here = Conditions {
        places: ["Oxford Street".into()].into(),
        not_families: ["services".into()].into(),
        ..Conditions::default()
    };
    settings.pools = vec![Pool { name: "Oxford Street".into(), conditions: here }];
    Ok(settings)
}

/// The plans of the folder, activated, by the names of their files.
fn plans(passes: &Passes, by: &By, settings: &Settings) -> Result<BTreeMap<String, Planned>, Failure> {
    let mut plans = BTreeMap::new();
    let mut paths = fs::read_dir(files::shop("plans"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    for path in paths {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a plan file's name is no text")?;
        let spec = Spec::from_toml(&fs::read_to_string(&path)?, settings)
            .map_err(|refusal| format!("{}: {refusal}", path.display()))?;
        let name = spec.name_in("en-GB", &settings.default_locale).to_owned();
        let id = passes.create_plan(&by.clone().key(&format!("plan {stem}")), spec).wait()?.done;
        passes.activate_plan(&by.clone().key(&format!("activate plan {stem}")), id).wait()?;
        plans.insert(stem.to_owned(), Planned { id, name });
    }
    Ok(plans)
}

/// A progress bar on a terminal; lines where there is none.
struct Progress {
    bar: ProgressBar,
    what: &'static str,
    total: u32,
}

impl Progress {
    fn new(what: &'static str, total: u32) -> Self {
        let bar = ProgressBar::new(total.into());
        if let Ok(style) = ProgressStyle::with_template("  {msg:10} {bar:50} {human_pos} of {human_len}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { bar, what, total }
    }

    fn at(&self, done: u32, out: &mut dyn Write) -> std::io::Result<()> {
        self.bar.set_position(done.into());
        // The bar draws itself on the terminal's error stream.
        if self.bar.is_hidden() && done > 0 {
            let (done, total) = (print::count(done), print::count(self.total));
            writeln!(out, "  {:<10} {done} of {total}", self.what)?;
        }
        Ok(())
    }

    fn done(&self) {
        self.bar.finish();
    }
}
