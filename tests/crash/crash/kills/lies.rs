//! The judge is judged: histories and files that are false in one thing, each of which it has to find.

use crash::deed::Plan;
use crash::judge::{Verdict, judge};
use crash::line::Line;
use crash::shop::{Goods, read};
use crash::stock::{Coded, browse};
use crash::{Ack, Answer, Deed, Found, History, Shop};
use passes_core::event::Event;
use passes_core::id::PassId;
use passes_core::service::LotStarted;
use passes_sqlite::Sqlite;
use serde_json::json;
use tempfile::TempDir;

/// A till that works without being killed, but for two requests whose answers it never had.
struct Honest {
    folder: TempDir,
    history: History,
    found: Found,
    cards: Vec<Coded>,
}

impl Honest {
    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("shop.db")
    }

    fn open(&self) -> Shop {
        Shop::open(&self.file(), Sqlite::options(), 8).unwrap()
    }

    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shop = Shop::open(&folder.path().join("shop.db"), Sqlite::options(), 7).unwrap();
        let (mut history, mut n) = (History::default(), 0);
        let life = history.born(0);
        let goods = Shop::set_up(|key, deed| history.act(life, &shop, Some(key), &deed));
        let Goods { contacts, plans } = &goods;
        let mut act = |key: bool, deed: Deed| -> Answer {
            n += 1;
            let key = key.then(|| format!("key {n}"));
            history.act(life, &shop, key.as_deref(), &deed)
        };
        let mut done = |key: bool, deed: Deed| match act(key, deed) {
            Answer::Done(ack) => ack,
            other => panic!("{other:?}"),
        };
        let plan = plans[Plan::ALL.iter().position(|plan| *plan == Plan::Booklet).unwrap()];
        let started: LotStarted = read(done(true, Deed::Generate { plan, count: 30 }).done);
        for _ in 0..2 {
            let Answer::Stepped(_) =
                history.act(life, &shop, None, &Deed::Step { run: started.run, bulk: false })
            else {
                panic!("no step")
            };
        }
        let mut done = |key: &str, deed: Deed| match history.act(life, &shop, Some(key), &deed) {
            Answer::Done(ack) => ack,
            other => panic!("{other:?}"),
        };
        done("export", Deed::Export(started.lot));
        let cards = browse(&shop, started.lot, 0, 10);
        done("sell", Deed::Sell(cards.iter().map(|card| card.pass).collect()));
        let run = done("all", Deed::ActivateAll { lot: started.lot, first: 5, last: 30 }).done["run"].clone();
        let Coded { pass, code } = cards[0].clone();
        let wallet = Deed::Wallet { code: code.clone(), pass, to: contacts[0] };
        let taken = done("wallet", wallet);
        done("spend", Deed::Spend { contact: contacts[0], pence: 150 });
        done("direct", Deed::Direct { code: code.clone(), pass, pence: 400 });
        let part = done("part", Deed::Direct { code: code.clone(), pass, pence: 300 });
        done("undo", Deed::Reverse { of: part.operation, pence: Some(120) });
        done("stop", Deed::ReverseKey("late".to_owned()));
        done("issue", Deed::Issue { plan: plans[2], to: contacts[1] });
        assert!(taken.operation < part.operation);
        for deed in
            [Deed::Step { run: read(run), bulk: true }, Deed::Direct { code: code.clone(), pass, pence: 55 }]
        {
            let _ = history.act(life, &shop, None, &deed);
        }
        // One whose answer is lost, and one that was never sent: it only seemed so.
        let lost = Deed::Direct { code: code.clone(), pass, pence: 44 };
        history.tell(life, &Line::Ask { call: 900, key: None, deed: lost.clone() });
        let _ = lost.give(&shop, None);
        let never = Deed::Direct { code, pass, pence: 33 };
        history.tell(life, &Line::Ask { call: 901, key: None, deed: never });
        history.died(life);
        drop(shop);

        let mut honest = Self { folder, history, found: Found::default(), cards };
        let shop = honest.open();
        honest.found.read_on(&shop);
        honest.history.found(honest.found.last());
        honest.found.examine(&shop, &honest.file());
        honest.found.read_rows(&shop);
        honest.found.read_codes(&shop, 1);
        honest
    }

    /// The judge's words on a history and a file that were made false.
    fn lie(&self, lie: &dyn Fn(&mut History, &mut Found)) -> Vec<String> {
        let (mut history, mut found) = (self.history.clone(), self.found.clone());
        lie(&mut history, &mut found);
        judge(&history, &found).wrong
    }

    fn card(&self) -> PassId {
        self.cards[0].pass
    }
}

/// The place of the request under a key.
fn at(history: &History, key: &str) -> usize {
    history.asked.iter().position(|asked| asked.key.as_deref() == Some(key)).unwrap()
}

/// The receipt of the request under a key.
fn ack<'a>(history: &'a mut History, key: &str) -> &'a mut Ack {
    let at = at(history, key);
    match &mut history.asked[at].answer {
        Some((_, Answer::Done(ack))) => ack,
        other => panic!("{other:?}"),
    }
}

/// Has the request under a key answered once more.
fn again(history: &mut History, key: &str, answer: impl Fn(&mut Ack) -> Option<Answer>) {
    let mut asked = history.asked[at(history, key)].clone();
    let mut ack = ack(history, key).clone();
    ack.replayed = true;
    let answer = answer(&mut ack).unwrap_or(Answer::Done(ack));
    (asked.line, asked.answer) = (5_000, Some((5_001, answer)));
    history.asked.push(asked);
}

/// The place of the operation of the request under a key.
fn op(history: &mut History, key: &str) -> usize {
    ack(history, key).operation as usize - 1
}

/// The operation once more, as the last one.
fn twice(found: &mut Found, of: usize) {
    let mut op = found.log[of].clone();
    op.number = found.last() + 1;
    found.log.push(op);
}

/// D-3, R-5: the judge of killed processes finds nothing in what is true, and each single thing that is false.
#[test]
fn a_false_history_is_found_out() {
    type Lie<'a> = (&'a str, &'a dyn Fn(&mut History, &mut Found));
    let honest = Honest::new();
    let verdict = Verdict { wrong: Vec::new(), lost: (1, 1) };
    assert_eq!(judge(&honest.history, &honest.found), verdict);
    let pass = honest.card();
    let lies: &[Lie<'_>] = &[
        // What was answered isn't there, or is otherwise.
        ("an answer is lost", &|history, _| ack(history, "issue").operation = 10_000),
        ("an answer is lost", &|_, found| found.log.truncate(found.log.len() / 2)),
        ("another operation is in its place", &|history, found| {
            let at = op(history, "direct");
            found.log[at].at += 1;
        }),
        ("the receipt isn't what", &|history, _| ack(history, "wallet").done["left"] = json!("1.00 GBP")),
        ("the receipt isn't what", &|history, found| {
            let at = op(history, "undo");
            found.log[at].events.clear();
        }),
        ("stands where", &|_, found| drop(found.log.remove(20))),
        // A key answers twice, or not at all any more.
        ("has two receipts", &|history, _| {
            again(history, "direct", |ack| {
                ack.operation -= 1;
                None
            })
        }),
        ("has two receipts", &|history, _| {
            again(history, "wallet", |ack| {
                ack.done["left"] = json!("0.00 GBP");
                None
            })
        }),
        ("was done 2 times", &|history, _| {
            again(history, "spend", |ack| {
                ack.replayed = false;
                None
            })
        }),
        ("and then refused", &|history, _| {
            again(history, "direct", |_| Some(Answer::Refused("PASS_REDEEMED".to_owned())));
        }),
        ("is that of", &|history, _| {
            again(history, "direct", |_| None);
            history.asked.last_mut().unwrap().key = Some("another".to_owned());
        }),
        ("was stopped, and done", &|history, _| {
            again(history, "spend", |_| None);
            history.asked.last_mut().unwrap().key = Some("late".to_owned());
        }),
        ("replayed without a key", &|history, _| {
            again(history, "direct", |_| None);
            history.asked.last_mut().unwrap().key = None;
        }),
        // Something was done that nobody asked for: of a key, or once more than without one.
        ("nobody asked for", &|history, found| twice(found, op(history, "direct"))),
        ("nobody asked for", &|_, found| {
            let lost = found.log.len() - 1;
            twice(found, lost);
        }),
        ("nobody asked for", &|history, _| {
            history.asked.retain(|asked| asked.answer.is_some());
        }),
        ("nobody asked for", &|history, _| history.lives[0].until = Some(20)),
        ("the business was made 2 times", &|_, found| twice(found, 0)),
        // Nothing fails, and nothing is refused for no reason.
        ("TRANSIENT", &|history, _| {
            again(history, "spend", |_| Some(Answer::Failed("TRANSIENT: locked".to_owned())));
        }),
        ("refused", &|history, _| {
            again(history, "spend", |_| Some(Answer::Refused("PASS_DRAFT".to_owned())));
        }),
        // Money and uses.
        ("was told to be gone", &|_, found| found.passes.get_mut(&pass).unwrap().balance.used -= 1),
        ("was told to be gone", &|history, found| {
            let at = op(history, "undo");
            let again = found.log[at].events[0].clone();
            found.log[at].events.push(again);
        }),
        ("beyond its bounds", &|_, found| found.passes.get_mut(&pass).unwrap().uses.used = 6),
        ("passes that aren't there were used", &|_, found| drop(found.passes.remove(&pass))),
        ("more was reversed than was done", &|history, found| {
            let at = op(history, "undo");
            let again = vec![found.log[at].events[0].clone(); 3];
            found.log[at].events.extend(again);
        }),
        ("wallets were told", &|_, found| found.credits.values_mut().next().unwrap().amount.used += 1),
        ("wallets were told", &|_, found| found.credits.clear()),
        // Lots and runs.
        ("passes were made", &|_, found| {
            let last = *found.passes.keys().rfind(|id| id.lot() == pass.lot()).unwrap();
            found.passes.remove(&last);
        }),
        ("were made", &|_, found| {
            let grew = |op: &&mut crash::found::Op| matches!(op.events.first(), Some(Event::LotGrew { .. }));
            let op = found.log.iter_mut().find(grew).unwrap();
            op.events.push(op.events[0].clone());
        }),
        ("whose run is at", &|_, found| found.lots.get_mut(&pass.lot()).unwrap().complete = false),
        ("was seen at", &|_, found| found.runs.values_mut().for_each(|stood| stood.done -= 1)),
        ("was seen at", &|_, found| found.runs.values_mut().for_each(|stood| stood.over = false)),
        ("are active", &|history, found| {
            let at = op(history, "sell");
            let again = found.log[at].events.clone();
            found.log[at].events.extend(again);
        }),
        ("bulk runs activated", &|_, found| {
            let bulk = |event: &Event| matches!(event, Event::PassesActivated { .. });
            let op = found.log.iter_mut().rfind(|op| op.events.iter().any(bulk)).unwrap();
            op.events.clear();
        }),
        ("was issued twice", &|history, found| {
            let at = op(history, "issue");
            let again = found.log[at].events.clone();
            found.log[at].events.extend(again);
        }),
        ("were issued", &|_, found| found.passes.retain(|id, _| id.lot() == pass.lot())),
        // Codes.
        ("is that of", &|_, found| found.codes[1].1 = found.codes[0].1.clone()),
        ("leads to", &|_, found| found.codes[1].2 = Some(pass)),
        ("and is", &|_, found| {
            let of = found.codes.iter_mut().find(|(of, ..)| *of == pass).unwrap();
            of.1 = "another".to_owned();
        }),
        // What the file's own checks found is told as well.
        ("a drift", &|_, found| found.wrong.push("a drift".to_owned())),
    ];
    for (number, (words, lie)) in lies.iter().enumerate() {
        let wrong = honest.lie(*lie);
        assert!(wrong.iter().any(|line| line.contains(words)), "lie {number}, `{words}`: {wrong:#?}");
    }
}

/// D-3: operations that were there and are gone, or are others, are found when the file is read again.
#[test]
fn a_file_that_forgets_is_found_out() {
    let honest = Honest::new();
    let shop = honest.open();
    let mut found = honest.found.clone();
    found.read_on(&shop);
    found.read_again(&shop);
    found.read_rows(&shop);
    assert_eq!((&found.wrong, &found.log), (&Vec::new(), &honest.found.log));

    for lie in
        [&(|found: &mut Found| found.log.last_mut().unwrap().at += 1) as &dyn Fn(&mut Found), &|found| {
            twice(found, 20)
        }]
    {
        let mut found = honest.found.clone();
        lie(&mut found);
        found.read_on(&shop);
        assert_eq!(found.wrong.len(), 1, "{:?}", found.wrong);
    }
    let mut found = honest.found.clone();
    found.log[3].events.clear();
    found.read_again(&shop);
    assert_eq!(found.wrong.len(), 1, "{:?}", found.wrong);
}

/// W-1, D-7: a balance, or a chain of entries, that was changed in the file is found.
#[test]
fn a_file_that_was_changed_is_found_out() {
    let honest = Honest::new();
    drop(honest.open());
    let sql = rusqlite::Connection::open(honest.file()).unwrap();
    sql.execute("UPDATE entry SET before_from=before_from+1 WHERE before_from>0", []).unwrap();
    let mut found = Found::default();
    found.read_rows(&honest.open());
    assert!(found.wrong.iter().any(|line| line.contains("follows")), "{:?}", found.wrong);
}
