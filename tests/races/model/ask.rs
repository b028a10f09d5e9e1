//! Commands as the library takes them.

use super::answer::Answer;
use super::plans::{CHANNEL, whole};
use super::script::{Act, Code, Command, Issue, Label, Of, Over, Part, PassRef, PlanAct, Step, Target, To};
use super::script::{Redeem, Reverse, Spend, Until};
use super::stage::Stage;
use super::state::Model;
use passes_core::calendar::Instant;
use passes_core::conditions::{Basket, Line};
use passes_core::contact::{Medium, Profile};
use passes_core::event::Position;
use passes_core::id::{ContactId, Id, LotId, PassId};
use passes_core::passcode::{Passcode, Presented};
use passes_core::plan::{Caps, Spec};
use passes_core::redemption;
use passes_core::service as lib;
use passes_core::{Error, Receipt};

/// A code that was never made, and one that can't be.
const UNKNOWN: &str = "BCDFGHJKMNPQ";
const MALFORMED: &str = "**";

fn medium(number: u32) -> Medium {
    match number % 3 {
        0 => Medium::Reference(format!("customer {number}")),
        1 => Medium::Email(format!("Ann{number}@example.org")),
        _ => Medium::Phone(format!("+44 16329 {:05}", number % 100_000)),
    }
}

pub(crate) fn profile(media: &[u32]) -> Profile {
    let media = media.iter().copied().map(medium).collect();
    Profile { name: Some("Ann".into()), media, ..Profile::default() }
}

fn basket(lines: &[Line]) -> Basket {
    Basket::new(lines[0].unit_price.currency(), lines.to_vec()).unwrap()
}

impl Model {
    fn contact_id(&self, label: Label) -> ContactId {
        self.contacts.get(&label).map_or_else(|| ContactId::from_bytes([9; 16]), |contact| contact.id)
    }

    fn pass_id(&self, at: PassRef) -> PassId {
        self.passes[self.pass_at[&at]].id
    }

    fn lot_id(&self, at: PassRef) -> LotId {
        self.lot_at[&at]
    }

    fn code(&self, stage: &Stage, code: Code) -> Presented {
        let text = |at: PassRef| self.passes[self.pass_at[&at]].code.as_deref().unwrap_or(UNKNOWN);
        match code {
            Code::Of(at) => text(at).into(),
            Code::HashOf(at) => {
                let business = stage.library().1.business;
                Presented::Hash(Passcode::new(text(at)).hash(business.as_bytes()).unwrap())
            }
            Code::Unknown => UNKNOWN.into(),
            Code::Malformed => MALFORMED.into(),
        }
    }

    fn redeem(&self, stage: &Stage, of: &Redeem) -> lib::Redeem {
        lib::Redeem {
            code: self.code(stage, of.code),
            target: match of.target {
                Target::Wallet(to) => redemption::Target::Contact(self.contact_id(to)),
                Target::NewWallet => redemption::Target::NewContact,
                Target::Direct => redemption::Target::Direct,
            },
            amount: of.amount,
            basket: of.basket.as_deref().map(basket),
            partly: of.partly,
        }
    }

    fn spend(&self, of: &Spend) -> lib::Spend {
        let (contact, basket) = (self.contact_id(of.contact), basket(&of.basket));
        lib::Spend { contact, basket, amount: of.amount, partly: of.partly }
    }

    fn reverse(&self, of: &Reverse) -> lib::Reverse {
        lib::Reverse {
            of: match of.of {
                Of::Step(label) => lib::Of::Operation(Position(self.landed[&label].number)),
                Of::Key(key) => lib::Of::Key(format!("key {key}")),
            },
            part: match &of.part {
                Part::All => lib::Part::All,
                Part::Amount(amount) => lib::Part::Amount(*amount),
                Part::Lines(lines) => lib::Part::Lines(lines.clone()),
            },
            allow_loss: of.allow_loss,
            to: of.to.map(|to| self.contact_id(to)),
        }
    }

    fn issue(&self, of: &Issue) -> lib::Issue {
        let deal = of.price.map(|price| lib::Deal {
            buyer: of.buyer.map(|buyer| self.contact_id(buyer)),
            ..lib::Deal::at(price)
        });
        let to = match of.to {
            To::Contact(to) => lib::Recipient::Contact(self.contact_id(to)),
            To::Medium(number) => lib::Recipient::Profile(profile(&[number])),
        };
        let plan = self.plans[&of.plan].id;
        lib::Issue { value: of.value, deal, ..lib::Issue::new(plan, to, CHANNEL) }
    }

    fn over(&self, over: &Over) -> lib::Over {
        match over {
            Over::Pass(at) => lib::Over::Pass(self.pass_id(*at)),
            Over::Passes(all) => lib::Over::Passes(all.iter().map(|at| self.pass_id(*at)).collect()),
            Over::Serials { lot, first, last } => {
                lib::Over::Serials { lot: self.lot_id(*lot), first: *first, last: *last }
            }
            Over::Lot(at) => lib::Over::Lot(self.lot_id(*at)),
            Over::Plan(plan) => lib::Over::Plan(self.plans[plan].id),
        }
    }

    fn edited(&self, plan: Label, act: PlanAct) -> Spec {
        let spec = self.plans[&plan].spec.clone();
        match act {
            PlanAct::Caps { passes, value } => Spec { caps: Caps { passes, value }, ..spec },
            _ => spec,
        }
    }
}

impl Stage {
    /// Gives a command. All that it refers to is there.
    pub(crate) async fn give(&self, model: &Model, step: &Step) -> Result<Answer, Error> {
        let (passes, by) = (self.library().0, &self.who(step));
        Ok(match &step.command {
            Command::Clock(_) | Command::Reopen | Command::Lot { .. } => Answer::Stepped(None),
            Command::Configure(own) => Answer::Unit(passes.configure(by, whole(model.zone, *own)).await?),
            Command::Generate { plan, count } => {
                let plan = model.plans[plan].id;
                let request = lib::Generate { plan, count: *count, accept_weak: false };
                Answer::Started(passes.generate(by, request).await?)
            }
            Command::Step(run) => Answer::Progress(passes.step(by, model.runs[run].id).await?),
            Command::CancelRun(run) => Answer::Run(passes.cancel_run(by, model.runs[run].id).await?),
            Command::Export { lot, .. } => Answer::Exported(passes.export(by, model.lot_id(*lot)).await?),
            Command::CloseExport(lot) => Answer::Unit(passes.close_export(by, model.lot_id(*lot)).await?),
            Command::Reveal(at) => {
                let (receipt, code) = passes.reveal(by, model.pass_id(*at)).await?;
                Answer::Revealed(receipt, code.map(|code| code.reveal().to_owned()))
            }
            Command::Issue(issue) => Answer::Issued(passes.issue(by, model.issue(issue)).await?),
            Command::Passes(over, act) => {
                Answer::Changed(self.act(model, step, model.over(over), act).await?)
            }
            Command::Redeem(of) => Answer::Redeemed(passes.redeem(by, model.redeem(self, of)).await?),
            Command::Check(of) => Answer::Check(passes.check(by, &model.redeem(self, of)).await?),
            Command::Spend(of) => Answer::Spent(passes.spend(by, model.spend(of)).await?),
            Command::CheckSpend(of) => Answer::CheckSpend(passes.check_spend(by, &model.spend(of)).await?),
            Command::Reverse(of) => Answer::Reversed(passes.reverse(by, model.reverse(of)).await?),
            Command::CreateContact(media) => {
                Answer::Contact(passes.create_contact(by, profile(media)).await?)
            }
            Command::EditContact(contact, media) => {
                let contact = model.contact_id(*contact);
                Answer::Contact(passes.edit_contact(by, contact, profile(media)).await?)
            }
            Command::FindContact(number) => {
                let found = passes.find_contact(by, medium(*number)).await?;
                Answer::Found(found.map(|contact| contact.id))
            }
            Command::Plan(label, act) => {
                let plan = model.plans[label].id;
                Answer::Plan(match act {
                    PlanAct::Archive => passes.archive_plan(by, plan).await?,
                    PlanAct::Activate => passes.activate_plan(by, plan).await?,
                    PlanAct::Copy => passes.copy_plan(by, plan).await?,
                    PlanAct::Delete => passes.delete_plan(by, plan).await?,
                    PlanAct::Caps { .. } => passes.edit_plan(by, plan, model.edited(*label, *act)).await?,
                })
            }
            Command::ViewPass(at) => Answer::View(Box::new(passes.pass(by, model.pass_id(*at)).await?)),
            Command::Wallet(contact) => Answer::Wallet(passes.wallet(by, model.contact_id(*contact)).await?),
        })
    }

    async fn act(
        &self,
        model: &Model,
        step: &Step,
        over: lib::Over,
        act: &Act,
    ) -> Result<Receipt<lib::Changed>, Error> {
        let (passes, by) = (self.library().0, &self.who(step));
        match act {
            Act::Activate => passes.activate(by, over).await,
            Act::Deliver(word) => passes.delivered(by, over, word.clone()).await,
            Act::Resend => passes.resend(by, over).await,
            Act::Suspend => passes.suspend(by, over).await,
            Act::Reactivate => passes.reactivate(by, over).await,
            Act::Cancel(rest) => passes.cancel(by, over, *rest).await,
            Act::Expire(until) => {
                let expiry = match until {
                    Until::Never => lib::Expiry::Never,
                    Until::Day(date) => lib::Expiry::Date(*date),
                    Until::At(at) => lib::Expiry::At(Instant::from_micros(*at).unwrap()),
                };
                passes.set_expiry(by, over, expiry).await
            }
            Act::Value(value) => passes.set_value(by, over, *value).await,
            Act::Note(text) => {
                let note = passes_core::fields::Value::Text(text.clone());
                passes.set_fields(by, over, [("note".to_owned(), note)].into()).await
            }
            Act::Recipient(to) => passes.set_recipient(by, over, model.contact_id(*to)).await,
            Act::Sell { price, value, buyer } => {
                let buyer = buyer.map(|buyer| model.contact_id(buyer));
                let deal = lib::Deal { buyer, value: *value, ..lib::Deal::at(*price) };
                passes.sell(by, over, deal).await
            }
            Act::Void => passes.void_sale(by, over).await,
        }
    }

    /// Gives redemptions by one call.
    pub(crate) async fn give_together(&self, model: &Model, steps: &[&Step]) -> Vec<Result<Answer, Error>> {
        let requests = steps.iter().filter_map(|step| match &step.command {
            Command::Redeem(of) => Some((self.who(step), model.redeem(self, of))),
            _ => None,
        });
        match self.library().0.redeem_all(requests.collect()).await {
            Ok(answers) => answers.into_iter().map(|answer| answer.map(Answer::Redeemed)).collect(),
            Err(error) => steps.iter().map(|_| Err(error.clone())).collect(),
        }
    }
}
