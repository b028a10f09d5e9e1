//! The statements that the tests of plans look at: all that a store sends for commands and lists.

use crate::{SHOP, done, operation, pass, settled};
use passes_core::Refusal;
use passes_core::calendar::Instant;
use passes_core::id::{ContactId, CreditId, Id, LotId, PassId};
use passes_core::ledger::{Account, Entry, Mark, Subject, Unit};
use passes_core::money::Currency;
use passes_core::pass::{CreditRow, PassRow, Tally};
use passes_core::passcode::Digest;
use passes_core::store::{
    Add, Change, Chunk, Claim, Command, Decision, Doc, DocKey, DocKind, Expect, Load, Operation,
    OperationKey, PageQuery, PassOrder, PassRange, Put, Record, Store, StoreError, TallyKey, wait,
};
use passes_postgres::Postgres;

/// A wallet, and a document on which others hang.
pub(crate) const CONTACT: [u8; 16] = [0xC0; 16];
pub(crate) const PARENT: [u8; 16] = [0xAA; 16];

type Run = Box<dyn Fn(&Postgres, u64) -> Result<(), StoreError>>;

/// A statement.
pub(crate) struct Hot {
    pub(crate) name: &'static str,
    /// Indexes that it enters by so many of their columns, because it asks for all rows with those.
    pub(crate) partial: &'static [(&'static str, usize)],
    /// Whether it changes what must be there.
    pub(crate) landing: bool,
    /// Sends it; the number is another each time.
    pub(crate) run: Run,
}

pub(crate) fn digest(number: u64) -> Digest {
    let mut bytes = [7; 32];
    // Spread as digests are.
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    Digest::from_bytes(bytes)
}

fn id(kind: u8, number: u64) -> [u8; 16] {
    let mut bytes = [kind; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn contact() -> ContactId {
    ContactId::from_bytes(CONTACT)
}

fn credit(number: u64) -> (ContactId, CreditId) {
    (contact(), CreditId::from_bytes(id(0xC1, number)))
}

fn doc(kind: DocKind, number: u64) -> DocKey {
    DocKey { kind, id: id(0xD0, number) }
}

fn parent() -> DocKey {
    DocKey { kind: DocKind::Terms, id: PARENT }
}

fn load(store: &Postgres, load: Load) -> Result<(), StoreError> {
    wait(store.load(&load)).map(drop)
}

fn commit(store: &Postgres, changes: &[Change]) -> Result<(), StoreError> {
    wait(store.commit(changes))?.into_iter().try_for_each(|after| after.map(drop))
}

fn page(store: &Postgres, query: &PageQuery) -> Result<(), StoreError> {
    wait(store.page(query)).map(drop)
}

fn put(record: Record, expect: Expect) -> Put {
    Put { record, expect }
}

fn new_doc(key: DocKey, parent: Option<DocKey>) -> Put {
    put(Record::Doc(Doc { key, version: 1, parent, body: b"{}"[..].into() }), Expect::Absent)
}

fn new_credit((contact, id): (ContactId, CreditId)) -> Put {
    let row = CreditRow {
        contact,
        id,
        version: 1,
        pass: pass(1),
        mark: Mark::Paid,
        spend_by: None,
        created: Instant::EPOCH,
        amount: Tally::new(1_000_000),
        last: 0,
    };
    put(Record::Credit(Box::new(row)), Expect::Absent)
}

fn into_wallet(from: PassId, (contact, id): (ContactId, CreditId), amount: i64) -> Entry {
    Entry {
        from: (Account::Outstanding, Subject::Pass(from)),
        to: (Account::Outstanding, Subject::Credit(contact, id)),
        unit: Unit::Money(Currency::EUR),
        amount,
        mark: Mark::Paid,
        line: None,
    }
}

fn keyed(number: u64) -> Change {
    let operation = Operation { key: Some((id(0x4B, number), [9; 16])), ..operation() };
    Change { operation: Some(operation), ..done() }
}

/// A redemption that takes money from a pass.
fn spending(number: u64, id: PassId) -> Change {
    Change {
        expect: vec![(parent(), Expect::Version(1))],
        seen: vec![(doc(DocKind::Business, 1), 1)],
        tally: vec![Add::used(TallyKey::Balance(id), 1)],
        entries: vec![settled(id, 1)],
        ..keyed(number)
    }
}

/// What the statements need to be there.
pub(crate) fn begin(store: &Postgres) {
    let put = vec![
        new_doc(doc(DocKind::Business, 1), None),
        new_doc(parent(), None),
        new_doc(DocKey { kind: DocKind::Lot, id: [3; 16] }, Some(parent())),
        new_credit(credit(1)),
        new_credit(credit(2)),
    ];
    let claim = vec![Claim { digest: digest(0), pass: pass(1) }];
    commit(store, &[Change { put, claim, ..done() }]).unwrap();
}

fn hot(
    name: &'static str,
    partial: &'static [(&'static str, usize)],
    run: impl Fn(&Postgres, u64) -> Result<(), StoreError> + 'static,
) -> Hot {
    Hot { name, partial, landing: false, run: Box::new(run) }
}

fn landing(name: &'static str, run: impl Fn(&Postgres, u64) -> Result<(), StoreError> + 'static) -> Hot {
    Hot { name, partial: &[], landing: true, run: Box::new(run) }
}

pub(crate) fn all() -> Vec<Hot> {
    let mut all = loads();
    all.extend(commits());
    all.extend(pages());
    all
}

fn loads() -> Vec<Hot> {
    let new = || Load::new(SHOP);
    let range = PassRange { first: pass(1), last: pass(10), limit: 10 };
    vec![
        hot("load of a code", &[], move |store, n| {
            let docs = vec![doc(DocKind::Business, 1)];
            load(store, Load { code: Some(digest(0)), key: Some(id(0x4B, n)), docs, ..new() })
        }),
        // The first ones read all; from then on the documents are known.
        hot("redemptions from a lot that is known", &[], move |store, n| {
            (0..10).try_for_each(|_| {
                let docs = vec![doc(DocKind::Business, 1)];
                let load = Load { code: Some(digest(0)), key: Some(id(0x4C, n)), docs, ..new() };
                let refuse = |_: &_| Decision::Refused(vec![Refusal::UnknownCode], None);
                wait(store.run(Command::new(load, refuse))).map(drop)
            })
        }),
        hot("load of a code into a wallet", &[("credit_pkey", 2)], move |store, n| {
            let (code, key, wallet) = (Some(digest(n % 9)), Some(id(0x4B, n)), Some(contact()));
            load(store, Load { code, key, wallet, ..new() })
        }),
        hot("load of a wallet", &[("credit_pkey", 2)], move |store, _| {
            load(store, Load { wallet: Some(contact()), ..new() })
        }),
        hot("load of passes", &[], move |store, _| {
            load(store, Load { passes: (1..=8).map(pass).collect(), ..new() })
        }),
        hot("load of a range", &[], move |store, _| load(store, Load { range: Some(range), ..new() })),
        hot("load of credits", &[], move |store, _| {
            load(store, Load { credits: vec![credit(1), credit(2)], ..new() })
        }),
        // All slots of a name are read at once.
        hot("load of tallies", &[("tally_pkey", 2)], move |store, n| {
            let (contact, of) = credit(1);
            let named = TallyKey::Named(id(0x7A, n), 0);
            let tallies = vec![named, TallyKey::Uses(pass(1)), TallyKey::Credit(contact, of)];
            load(store, Load { tallies, ..new() })
        }),
        hot("load of codes that may be taken", &[], move |store, n| {
            load(store, Load { taken: (n..n + 50).map(digest).collect(), ..new() })
        }),
        hot("look-up of a key", &[], move |store, n| load(store, Load { key: Some(id(0x4B, n)), ..new() })),
        hot("load of an operation by its key", &[], move |store, n| {
            let operation = Some(OperationKey::Key(id(0x4B, n)));
            load(store, Load { operation, ..new() })
        }),
        hot("load of an operation by its number", &[], move |store, _| {
            load(store, Load { operation: Some(OperationKey::Number(1_600)), ..new() })
        }),
    ]
}

fn commits() -> Vec<Hot> {
    vec![
        landing("a redemption", |store, n| commit(store, &[spending(n, pass(1))])),
        landing("a redemption that saw three documents", |store, n| {
            let lot = DocKey { kind: DocKind::Lot, id: [3; 16] };
            let seen = vec![(doc(DocKind::Business, 1), 1), (lot, 1), (parent(), 1)];
            commit(store, &[Change { expect: Vec::new(), seen, ..spending(n, pass(1)) }])
        }),
        landing("a redemption into a wallet", |store, n| {
            let (new, old) = (credit(n + 100), credit(1));
            let change = Change {
                put: vec![new_credit(new)],
                tally: vec![
                    Add { from: None, ..Add::used(TallyKey::Balance(pass(2)), 2) },
                    Add::used(TallyKey::Credit(old.0, old.1), 1),
                ],
                entries: vec![into_wallet(pass(2), new, 1), into_wallet(pass(2), old, 1)],
                ..keyed(n)
            };
            commit(store, &[change])
        }),
        landing("many passes in a redemption", |store, n| {
            let tally = (1..=9).map(|n| Add::used(TallyKey::Balance(pass(n)), 1)).collect();
            let entries = (1..=9).map(|n| settled(pass(n), 1)).collect();
            commit(store, &[Change { tally, entries, ..keyed(n) }])
        }),
        landing("many redemptions at once", |store, n| {
            let all: Vec<Change> = (1..=20).map(|at| spending(n * 1_000 + u64::from(at), pass(at))).collect();
            commit(store, &all)
        }),
        landing("an entry of a range", |store, n| {
            let lot = LotId::from_bytes(id(0x10, n));
            let range = Subject::Passes { first: lot.pass(1), count: 3 };
            let row = |serial| put(Record::Pass(Box::new(PassRow::draft(lot.pass(serial)))), Expect::Absent);
            commit(store, &[Change { put: (1..=3).map(row).collect(), ..keyed(n) }])?;
            let issued = Entry {
                from: (Account::Outstanding, Subject::None),
                to: (Account::Outstanding, range),
                ..settled(pass(1), 1)
            };
            commit(store, &[Change { entries: vec![issued], ..keyed(n + (1 << 40)) }])
        }),
        landing("named tallies", |store, n| {
            let add = |id, used| Add { limit: Some(1 << 40), ..Add::used(TallyKey::Named(id, 0), used) };
            let tally = vec![add([1; 16], 1), add(id(2, n), 1), add([2; 16], 0)];
            commit(store, &[Change { tally, ..keyed(n) }])
        }),
        landing("a put of a pass and of documents", |store, n| {
            let key = doc(DocKind::Run, n);
            let absent = (doc(DocKind::Medium, n), Expect::Absent);
            let first = Change { put: vec![new_doc(key, Some(parent()))], expect: vec![absent], ..keyed(n) };
            commit(store, &[first])?;
            let over = put(
                Record::Doc(Doc { key, version: 1, parent: Some(parent()), body: b"{1}"[..].into() }),
                Expect::Version(1),
            );
            commit(store, &[Change { put: vec![over], ..keyed(n + (1 << 40)) }])
        }),
        landing("a chunk of a lot", |store, n| {
            let lot = LotId::from_bytes(id(0x20, n));
            let mut codes: Vec<Claim> = (1..=50)
                .map(|s| Claim { digest: digest((n << 32) + u64::from(s)), pass: lot.pass(s) })
                .collect();
            codes.sort_unstable_by_key(|claim| claim.digest);
            let passes = (1..=50).map(|serial| PassRow::draft(lot.pass(serial))).collect();
            let put = vec![new_doc(doc(DocKind::Sale, n), Some(parent()))];
            wait(store.fill(&Chunk { change: Change { put, ..keyed(n) }, codes, passes })).map(drop)
        }),
    ]
}

fn pages() -> Vec<Hot> {
    let (business, limit) = (SHOP, 100);
    let docs = move |kind, parent, after| PageQuery::Docs { business, kind, parent, after, limit };
    let passes = move |order, after| {
        let range = PassRange { first: pass(1), last: pass(u32::MAX), limit };
        PageQuery::Passes { business, range, order, after }
    };
    let history = move |subject, before| PageQuery::History { business, subject, before, limit };
    vec![
        hot("documents of a kind", &[("doc_pkey", 2)], move |store, _| {
            page(store, &docs(DocKind::Lot, None, None))
        }),
        hot("documents of a kind, the next", &[], move |store, _| {
            page(store, &docs(DocKind::Lot, None, Some([3; 16])))
        }),
        hot("documents of a parent", &[("doc_parent", 4)], move |store, _| {
            page(store, &docs(DocKind::Lot, Some(parent()), None))
        }),
        hot("documents of a parent, the next", &[], move |store, _| {
            page(store, &docs(DocKind::Lot, Some(parent()), Some([3; 16])))
        }),
        hot("passes of a lot", &[], move |store, _| page(store, &passes(PassOrder::Serial, None))),
        hot("passes of a lot, the next", &[], move |store, _| {
            page(store, &passes(PassOrder::Serial, Some((None, pass(5)))))
        }),
        hot("passes of a lot by their expiry", &[], move |store, _| {
            page(store, &passes(PassOrder::Expiry, Some((None, pass(5)))))
        }),
        hot("credits of a contact", &[("credit_pkey", 2)], move |store, _| {
            page(store, &PageQuery::Credits { business, contact: contact(), after: None, limit })
        }),
        hot("credits of a contact, the next", &[], move |store, _| {
            page(store, &PageQuery::Credits { business, contact: contact(), after: Some([0xC1; 16]), limit })
        }),
        hot("operations", &[], move |store, _| {
            page(store, &PageQuery::Operations { business, after: 800_000, limit })
        }),
        hot("history of a pass", &[], move |store, _| page(store, &history(Subject::Pass(pass(1)), None))),
        hot("history of a pass, the next", &[], move |store, _| {
            page(store, &history(Subject::Pass(pass(1)), Some(1 << 60)))
        }),
        hot("history of a credit", &[], move |store, _| {
            let (contact, id) = credit(1);
            page(store, &history(Subject::Credit(contact, id), None))
        }),
        hot("ledger from a number", &[], move |store, _| {
            wait(store.ledger(business, 40_000_000, Box::new(drop)))
        }),
        hot("events", &[], move |store, _| wait(store.events(business, 800_000, limit)).map(drop)),
    ]
}
