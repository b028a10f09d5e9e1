//! A redemption through the store: what it loads, decides and writes.

use crate::world::{Request, SPENT};
use passes_core::Refusal;
use passes_core::id::{CreditId, Ids};
use passes_core::ledger::{Account, Entry, Mark, Subject, Unit};
use passes_core::money::Currency;
use passes_core::operation::Kind;
use passes_core::pass::{CreditRow, Standing, Tally};
use passes_core::store::{
    Add, Answer, Change, Command, Decision, DocKey, DocKind, Expect, Load, Loaded, Operation, Put, Record,
    StoreError, TallyKey,
};

/// Bytes of a receipt and of an event, as they are with and without a credit.
pub(crate) const WITH_CREDIT: (usize, usize) = (86, 60);
pub(crate) const WITHOUT: (usize, usize) = (52, 28);
/// How long a credit lasts.
pub(crate) const LASTS: i64 = 365 * 86_400;

/// The command of a request.
pub(crate) fn command(request: &Request) -> Command {
    let mut load = Load::new(request.business);
    load.docs.push(DocKey::new(DocKind::Business, request.business));
    load.docs.extend(request.contact.map(|contact| DocKey::new(DocKind::Contact, contact)));
    load.code = Some(request.digest);
    load.key = request.key.map(|(key, _)| key);
    let request = request.clone();
    Command { load, decide: Box::new(move |loaded| decide(&request, loaded)) }
}

/// Whether it was.
pub(crate) fn accepted(answer: &Answer) -> Result<(), StoreError> {
    match answer {
        Answer::Done(_) => Ok(()),
        other => Err(StoreError::Backend(format!("not accepted: {other:?}"))),
    }
}

fn decide(request: &Request, loaded: &Loaded) -> Decision {
    if loaded.replay.is_some() {
        return Decision::Replayed;
    }
    let pass = loaded.code.as_ref().filter(|pass| {
        pass.standing == Standing::Active
            && pass.redeem_by.is_none_or(|by| request.now < by)
            && pass.uses.left() > 0
    });
    let (Some(pass), 4..) = (pass, loaded.docs.len()) else {
        return Decision::Refused(vec![Refusal::UnknownCode], None);
    };
    let mut ids = Ids::new(&request.seed, request.now);
    let mut change = Change::new(request.business);
    let from = (Account::Outstanding, Subject::Pass(pass.id));
    let (uses, amount, to) = match request.contact {
        None => (0, SPENT, (Account::Settled, Subject::None)),
        Some(contact) => {
            let (id, amount) = (ids.draw::<CreditId>(), pass.balance.left());
            change.expect.push((DocKey::new(DocKind::Contact, contact), Expect::Version(1)));
            let row = CreditRow {
                contact,
                id,
                version: 1,
                pass: pass.id,
                mark: Mark::Paid,
                spend_by: request.now.plus_seconds(LASTS).ok(),
                created: request.now,
                amount: Tally::new(amount),
                last: 0,
            };
            change.put.push(Put { record: Record::Credit(Box::new(row)), expect: Expect::Absent });
            (1, amount, (Account::Credit, Subject::Credit(contact, id)))
        }
    };
    change.tally.push(Add::used(TallyKey::Uses(pass.id), uses));
    let from_here = Some(pass.balance.used);
    change.tally.push(Add { from: from_here, ..Add::used(TallyKey::Balance(pass.id), amount) });
    let unit = Unit::Money(Currency::EUR);
    change.entries.push(Entry { from, to, unit, amount, mark: Mark::Paid, line: None });
    let (receipt, events) = if request.contact.is_some() { WITH_CREDIT } else { WITHOUT };
    change.operation = Some(Operation {
        id: ids.draw(),
        kind: if request.contact.is_some() { Kind::Redeem } else { Kind::SpendPass },
        actor: "till-07".into(),
        place: Some("store-012".into()),
        channel: Some("pos".into()),
        reason: None,
        at: request.now,
        booked: request.now,
        key: request.key,
        stops: None,
        receipt: vec![1; receipt],
        events: vec![1; events],
    });
    Decision::Accepted(change)
}
