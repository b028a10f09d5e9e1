//! The day itself: each invoice is a basket, some customers pay with passes, and cancelled lines are brought back.

use crate::purchases::{Invoice, Row};
use crate::setup::{Shop, Way, reference};
use crate::{Failure, sum};
use passes_host::calendar::Instant;
use passes_host::conditions::Basket;
use passes_host::contact::Profile;
use passes_host::event::Position;
use passes_host::id::{ContactId, CreditId};
use passes_host::ledger::Mark;
use passes_host::money::Money;
use passes_host::operation::By;
use passes_host::service::{Home, PaidBy, PaidLine, Redeem, Reverse, Reversed, Spend};
use passes_host::{Clock, Receipt};
use std::collections::HashMap;
use std::fmt;

/// Where the money of a payment was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A credit of the customer's wallet.
    Credit(CreditId),
    /// A gift card, which was spent directly; by its place among the cards that were.
    Card(usize),
}

/// Where a line stands: in which file, and its number there. Lines of the real purchases are shown by the number
/// alone, others with a letter in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At {
    /// The letter of the file.
    pub file: &'static str,
    /// The number.
    pub line: u64,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.file, self.line)
    }
}

/// What one source paid for one line.
#[derive(Clone, Debug)]
pub struct Part {
    /// What paid.
    pub source: Source,
    /// The place of the line in the basket.
    pub place: u32,
    /// The line.
    pub line: At,
    /// How much.
    pub amount: Money,
}

/// An invoice that passes paid, wholly or in part.
#[derive(Clone, Debug)]
pub struct Payment {
    /// The invoice.
    pub invoice: String,
    /// The customer.
    pub customer: String,
    /// The reference on the receipt, by which it can be reversed.
    pub operation: Position,
    /// The idempotency key, by which it can be reversed as well.
    pub key: String,
    /// Whether the wallet paid, or a card at the till.
    pub way: Way,
    /// What all of it cost.
    pub total: Money,
    /// How much was paid by passes.
    pub amount: Money,
    /// What paid for which line.
    pub parts: Vec<Part>,
}

/// A credit or a card, and what it paid for.
#[derive(Clone, Debug)]
pub struct Use {
    /// The customer.
    pub customer: String,
    /// The name of the plan.
    pub plan: String,
    /// Paid for, or given; a card can hold both.
    pub mark: Option<Mark>,
    /// How much it was; for a card, how much was on it.
    pub amount: Money,
    /// The lines that it paid, with the amounts.
    pub paid: Vec<(At, Money)>,
    /// How much of that came back.
    pub returned: Money,
}

/// What became of a cancelled line.
#[derive(Clone, Debug)]
pub struct Cancelled {
    /// The line.
    pub line: At,
    /// The invoice.
    pub invoice: String,
    /// The SKU.
    pub sku: String,
    /// How many pieces came back.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
    /// The line of the sale that it cancels, if it was found.
    pub of: Option<At>,
    /// How much went back to passes; nothing if none had paid.
    pub reversed: Option<Money>,
    /// What was done, or why not.
    pub why: String,
}

/// A sale that was reversed in part at the end of the day.
#[derive(Clone, Debug)]
pub struct Partly {
    /// The invoice.
    pub invoice: String,
    /// How it was asked for.
    pub how: String,
    /// How much came back.
    pub amount: Money,
    /// To how many credits and cards.
    pub homes: usize,
}

/// A line that was sold, as long as a cancellation may look for it.
struct Sold {
    line: At,
    customer: Option<String>,
    sku: String,
    unit_price: Money,
    at: Instant,
    /// How many pieces did not come back.
    left: u32,
    /// The payment, the place in its basket, and what passes paid for the line and did not get back.
    by_pass: Option<(usize, u32, Money)>,
}

/// A walk through purchases.
pub struct Walk<'a> {
    shop: &'a Shop,
    /// The contacts of customers whose passes were redeemed into a wallet.
    pub wallets: HashMap<String, ContactId>,
    /// The invoices that passes paid, in order.
    pub payments: Vec<Payment>,
    /// The credits, in the order in which passes were redeemed.
    pub credits: Vec<(CreditId, Use)>,
    /// The cards that were spent directly.
    pub cards: Vec<Use>,
    /// The cancelled lines.
    pub cancelled: Vec<Cancelled>,
    /// How many purchases there were.
    pub purchases: usize,
    /// What all purchases cost.
    pub turnover: Money,
    /// What was returned to passes and wallets.
    pub returned: Money,
    sold: Vec<Sold>,
    file: &'static str,
}

impl<'a> Walk<'a> {
    /// Before the first purchase.
    #[must_use]
    pub fn new(shop: &'a Shop) -> Self {
        let zero = Money::zero(shop.currency());
        Self {
            shop,
            wallets: HashMap::new(),
            payments: Vec::new(),
            credits: Vec::new(),
            cards: Vec::new(),
            cancelled: Vec::new(),
            purchases: 0,
            turnover: zero,
            returned: zero,
            sold: Vec::new(),
            file: "",
        }
    }

    /// Walks through the invoices of a file, in their order. Its lines are shown with this letter.
    ///
    /// # Errors
    /// A refusal that is none of the usual ones of a till, or a failing store.
    pub fn through(&mut self, file: &'static str, invoices: &[Invoice]) -> Result<(), Failure> {
        self.file = file;
        for invoice in invoices {
            // The host says what time it is: that of the purchase. A clock doesn't go back.
            self.shop.clock.set(invoice.at.max(self.shop.clock.now()));
            if invoice.cancels {
                for row in &invoice.rows {
                    self.cancel(invoice, row)?;
                }
            } else {
                self.sell(invoice)?;
            }
        }
        Ok(())
    }

    /// All that passes paid for.
    ///
    /// # Errors
    /// `OVERFLOW`.
    pub fn paid(&self) -> Result<Money, Failure> {
        Ok(sum(self.payments.iter().map(|payment| payment.amount), self.shop.currency())?)
    }

    fn at(&self, row: &Row) -> At {
        At { file: self.file, line: row.line }
    }

    /// Where a line of the basket stands in the file.
    fn line_of(&self, invoice: &Invoice, place: u32) -> Option<At> {
        invoice.rows.get(usize::try_from(place).ok()?).map(|row| self.at(row))
    }

    fn credit(&mut self, id: CreditId) -> Option<&mut Use> {
        self.credits.iter_mut().find(|(credit, _)| *credit == id).map(|(_, used)| used)
    }

    fn key(&self, key: &str) -> By {
        self.shop.till.clone().key(key)
    }

    /// A purchase: its basket is paid by the customer's passes as far as they go, and otherwise by other means.
    fn sell(&mut self, invoice: &Invoice) -> Result<(), Failure> {
        let line = |row: &Row| self.shop.families.line(&row.sku, row.quantity, row.unit_price);
        let basket = Basket::new(self.shop.currency(), invoice.rows.iter().map(line).collect())?;
        self.turnover = self.turnover.plus(basket.total())?;
        self.purchases += 1;
        let way = invoice.customer.as_ref().and_then(|id| self.shop.holders.get(id)).map(|holder| holder.way);
        let first = self.payments.len();
        match (way, &invoice.customer) {
            (Some(Way::Wallet), Some(customer)) => self.pay_by_wallet(invoice, customer, basket)?,
            (Some(Way::Card), Some(customer)) => self.pay_by_card(invoice, customer, basket)?,
            _ => {}
        }
        for (place, row) in (0..).zip(&invoice.rows) {
            let paid =
                |(_, payment): &(usize, &Payment)| payment.parts.iter().any(|part| part.place == place);
            let payment = self.payments.iter().enumerate().skip(first).find(paid);
            let by_pass = payment.map(|(n, payment)| {
                let parts = payment.parts.iter().filter(|part| part.place == place);
                sum(parts.map(|part| part.amount), self.shop.currency()).map(|paid| (n, place, paid))
            });
            self.sold.push(Sold {
                line: self.at(row),
                customer: invoice.customer.clone(),
                sku: row.sku.clone(),
                unit_price: row.unit_price,
                at: invoice.at,
                left: row.quantity,
                by_pass: by_pass.transpose()?,
            });
        }
        Ok(())
    }

    /// The wallet pays what it can. At the first purchase the customer's passes are redeemed into it.
    fn pay_by_wallet(&mut self, invoice: &Invoice, customer: &str, basket: Basket) -> Result<(), Failure> {
        let contact = match self.wallets.get(customer) {
            Some(contact) => *contact,
            None => self.redeem_all(invoice, customer)?,
        };
        let total = basket.total();
        let request = Spend::all(contact, basket).partly();
        // What a till shows before the customer says yes: it writes nothing.
        if !self.shop.passes.check_spend(&self.shop.till, &request).wait()?.is_good() {
            return Ok(());
        }
        let by = self.key(&invoice.number);
        let spent = self.shop.passes.spend(&by, request.clone()).wait()?;
        // A till that lost the answer asks again under the same key, and nothing moves.
        let again = self.shop.passes.spend(&by, request).wait()?;
        if !again.replayed || again.done != spent.done {
            return Err(format!("invoice {} was paid twice", invoice.number).into());
        }
        let part = |paid: &PaidBy| {
            let source = Source::Credit(paid.credit);
            Some(Part {
                source,
                place: paid.line,
                line: self.line_of(invoice, paid.line)?,
                amount: paid.amount,
            })
        };
        let parts: Vec<Part> = spent.paid.iter().filter_map(part).collect();
        for (part, paid) in parts.iter().zip(&spent.paid) {
            let credit = self.credit(paid.credit).ok_or("a credit that no redemption made")?;
            credit.paid.push((part.line, part.amount));
        }
        self.payments.push(Payment {
            invoice: invoice.number.clone(),
            customer: customer.to_owned(),
            operation: spent.operation,
            key: invoice.number.clone(),
            way: Way::Wallet,
            total,
            amount: spent.amount,
            parts,
        });
        Ok(())
    }

    /// Redeems all passes of a customer into their wallet.
    fn redeem_all(&mut self, invoice: &Invoice, customer: &str) -> Result<ContactId, Failure> {
        let shop = self.shop;
        // Who was sent an electronic pass is known; the others are registered now.
        let contact = match shop.passes.find_contact(&shop.till, reference(customer)).wait()? {
            Some(contact) => contact.id,
            None => {
                let by = self.key(&format!("new customer {customer}"));
                shop.passes.create_contact(&by, Profile::of(reference(customer))).wait()?.done
            }
        };
        self.wallets.insert(customer.to_owned(), contact);
        for (n, held) in shop.holders.get(customer).into_iter().flat_map(|holder| &holder.held).enumerate() {
            let by = self.key(&format!("{} redeem {n}", invoice.number));
            let redeemed = shop.passes.redeem(&by, Redeem::into_wallet(held.code.clone(), contact)).wait()?;
            for credit in &redeemed.credits {
                let (amount, mark) = (credit.amount, Some(credit.mark));
                self.credits.push((credit.credit, unused(customer, &held.plan, mark, amount)));
            }
            // One after the other: money that came first is spent first.
            shop.clock.advance(1)?;
        }
        Ok(contact)
    }

    /// The first of the customer's cards that can pay anything of the basket is spent directly.
    fn pay_by_card(&mut self, invoice: &Invoice, customer: &str, basket: Basket) -> Result<(), Failure> {
        let shop = self.shop;
        for held in shop.holders.get(customer).into_iter().flat_map(|holder| &holder.held) {
            let request = Redeem::pay(held.code.clone(), basket.clone()).partly();
            let Some(would) = shop.passes.check(&shop.till, &request).wait()?.would else { continue };
            let by = self.key(&invoice.number);
            let redeemed = shop.passes.redeem(&by, request.clone()).wait()?;
            let again = shop.passes.redeem(&by, request).wait()?;
            if !again.replayed || again.done != redeemed.done {
                return Err(format!("invoice {} was paid twice", invoice.number).into());
            }
            let source = Source::Card(self.cards.len());
            let part = |paid: &PaidLine| {
                let place = paid.line?;
                Some(Part { source, place, line: self.line_of(invoice, place)?, amount: paid.amount })
            };
            let parts: Vec<Part> = redeemed.paid.iter().filter_map(part).collect();
            let mut used = unused(customer, &held.plan, None, would.amount.plus(would.left)?);
            used.paid = parts.iter().map(|part| (part.line, part.amount)).collect();
            self.cards.push(used);
            self.payments.push(Payment {
                invoice: invoice.number.clone(),
                customer: customer.to_owned(),
                operation: redeemed.operation,
                key: invoice.number.clone(),
                way: Way::Card,
                total: basket.total(),
                amount: redeemed.amount,
                parts,
            });
            break;
        }
        Ok(())
    }

    /// A cancelled line: the latest earlier sale of the SKU to this customer at this price that has enough
    /// pieces left. What passes paid for them goes back to the passes.
    fn cancel(&mut self, invoice: &Invoice, row: &Row) -> Result<(), Failure> {
        let line = self.at(row);
        let same = |sold: &Sold| {
            sold.customer.is_some()
                && sold.customer == invoice.customer
                && sold.sku == row.sku
                && sold.unit_price == row.unit_price
                && sold.at <= invoice.at
        };
        let bought = self.sold.iter().any(same);
        let found = self.sold.iter_mut().rev().find(|sold| same(sold) && sold.left >= row.quantity);
        let mut told = Cancelled {
            line,
            invoice: invoice.number.clone(),
            sku: row.sku.clone(),
            quantity: row.quantity,
            unit_price: row.unit_price,
            of: None,
            reversed: None,
            why: String::new(),
        };
        let customer = invoice.customer.as_deref().unwrap_or("without an id");
        match found {
            None if bought => told.why = format!("customer {customer} did not buy as many in one line"),
            None => told.why = format!("customer {customer} bought none at this price before"),
            Some(sold) => {
                told.of = Some(sold.line);
                sold.left -= row.quantity;
                match &mut sold.by_pass {
                    Some((payment, place, paid)) if paid.is_positive() => {
                        // At most what passes paid for the line; the rest was paid by other means.
                        let back = if paid.minor() < row.total.minor() { *paid } else { row.total };
                        *paid = paid.minus(back)?;
                        let (payment, place) = (*payment, *place);
                        let payment = self.payments.get(payment).ok_or("a payment that is not there")?;
                        let request = Reverse::operation(payment.operation).lines(vec![(place, back)]);
                        let by = self.key(&format!("{} line {}", invoice.number, row.line));
                        let by = by.reason("goods came back");
                        let reversed = self.shop.passes.reverse(&by, request).wait()?;
                        let homes = self.note(&reversed)?;
                        told.reversed = reversed.amount;
                        told.why = format!("reversed, to {homes} credits");
                    }
                    _ => told.why = format!("line {} was not paid by a pass", sold.line),
                }
            }
        }
        self.cancelled.push(told);
        Ok(())
    }

    /// In the evening three sales are reversed in part: by amount, by line, and by the idempotency key of a till
    /// that lost its receipt.
    ///
    /// # Errors
    /// A day with fewer sales that passes paid; a refusal.
    pub fn reverse_three_in_part(&mut self) -> Result<Vec<Partly>, Failure> {
        self.shop.clock.set(Instant::parse("2010-12-01T17:30:00Z")?);
        let wallets = self.payments.iter().filter(|payment| payment.way == Way::Wallet);
        let (Some(first), Some(second)) = (wallets.clone().next(), wallets.clone().nth(2)) else {
            return Err("fewer than three wallets paid".into());
        };
        let card = self.payments.iter().find(|payment| payment.way == Way::Card).ok_or("no card paid")?;
        let part = second.parts.first().ok_or("a payment of nothing")?.clone();
        let (five, ten): (Money, Money) = ("5.00 GBP".parse()?, "10.00 GBP".parse()?);
        let requests = [
            (first.invoice.clone(), "by amount".to_owned(), Reverse::operation(first.operation).amount(five)),
            (
                second.invoice.clone(),
                format!("by line, {}", part.line),
                Reverse::operation(second.operation).lines(vec![(part.place, part.amount)]),
            ),
            (card.invoice.clone(), format!("by key, {:?}", card.key), Reverse::key(&card.key).amount(ten)),
        ];
        let mut done = Vec::new();
        for (invoice, how, request) in requests {
            let by = self.key(&format!("{invoice} evening")).reason("a wish of the customer");
            let reversed = self.shop.passes.reverse(&by, request).wait()?;
            let homes = self.note(&reversed)?;
            let amount = reversed.amount.ok_or("nothing was reversed")?;
            done.push(Partly { invoice, how, amount, homes });
        }
        Ok(done)
    }

    /// Notes what returned where. Answers to how many credits and cards.
    fn note(&mut self, reversed: &Receipt<Reversed>) -> Result<usize, Failure> {
        let mut homes: Vec<&Home> = Vec::new();
        for part in &reversed.returned {
            self.returned = self.returned.plus(part.amount)?;
            let home = match part.home {
                Home::Credit(_, credit) => self.credit(credit),
                Home::Pass(_) => {
                    let card = self.payments.iter().find(|payment| Some(payment.operation) == reversed.of);
                    match card.and_then(|payment| payment.parts.first()).map(|part| part.source) {
                        Some(Source::Card(card)) => self.cards.get_mut(card),
                        _ => None,
                    }
                }
                Home::NewCredit(..) | Home::Breakage => None,
            };
            let home = home.ok_or("money went where none had been")?;
            home.returned = home.returned.plus(part.amount)?;
            if !homes.contains(&&part.home) {
                homes.push(&part.home);
            }
        }
        Ok(homes.len())
    }
}

fn unused(customer: &str, plan: &str, mark: Option<Mark>, amount: Money) -> Use {
    let (customer, plan) = (customer.to_owned(), plan.to_owned());
    Use { customer, plan, mark, amount, paid: Vec::new(), returned: Money::zero(amount.currency()) }
}
