//! A lot into PostgreSQL, all included, beside COPY by hand into the same tables with their indexes.

use crate::measure::{Measure, Side, all_in_turns, power, ratios};
use crate::run::{Made, Run};
use crate::stock::Stock;
use crate::world::MASTER;
use passes_core::id::{BusinessId, Id, Ids, LotId};
use passes_core::pass::Standing;
use passes_core::passcode::{Format, LotSeed};
use passes_core::secret::{Keyring, Purpose};
use passes_core::store::Store;
use passes_host::{Entropy, OsEntropy};
use passes_postgres::Postgres;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;
use test_postgres::Server;
use tokio_postgres::NoTls;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use uuid::Uuid;

/// Rows that are in the process at once, as in the library's steps.
const PIECE: usize = 10_000;

/// Two measures: beside codes that are copied as they are drawn, and beside codes that are sorted first, as the library
/// sorts them.
pub(crate) fn measures(run: &Run, server: &Server) -> Made<Vec<Measure>> {
    let (count, rounds) = run.or_quick((1_000_000, 5), (50_000, 3));
    let name = format!("lot of {} hashed passes", power(count.into()));
    let mut by_call = |_| {
        let url = crate::postgres_shop::over_tcp(server, &server.database(), "");
        let stock = Stock::open(Arc::new(Postgres::open(&url)?) as Arc<dyn Store>)?;
        let plan = stock.plan(passes_core::conditions::Conditions::default())?;
        let begun = Instant::now();
        stock.lot(plan, count)?;
        let seconds = begun.elapsed().as_secs_f64();
        drop(stock);
        ended(server, &url, count)?;
        Ok(seconds)
    };
    let by_hand = |sorted: bool| {
        let url = crate::postgres_shop::over_tcp(server, &server.database(), "");
        // The tables are the library's.
        drop(Postgres::open(&url)?);
        let begun = Instant::now();
        copy(&url, count, sorted)?;
        let seconds = begun.elapsed().as_secs_f64();
        ended(server, &url, count)?;
        Ok(seconds)
    };
    let (mut plain, mut sorted) = (|_| by_hand(false), |_| by_hand(true));
    let mut sides: [Side<'_>; 3] = [&mut by_call, &mut plain, &mut sorted];
    let took = all_in_turns(run, &name, rounds, &mut sides)?;
    let [ours, plain, sorted] = took.as_slice() else { return Err("a side is missing".into()) };
    let ratio = |theirs: &[f64], what: &str| {
        let name = format!("commit on: {name}, rate ÷ COPY{what}");
        Measure::of_rounds(name, "×", &ratios(theirs, ours))
    };
    Ok(vec![ratio(plain, "").at_least(0.8, 1.0), ratio(sorted, " of what is sorted first")])
}

/// Both sides must have written all rows, and make room for the next.
fn ended(server: &Server, url: &str, count: u32) -> Made<()> {
    let rows =
        server.say(url, "SELECT (SELECT count(*) FROM passes.code),(SELECT count(*) FROM passes.pass)");
    let name = server.say(url, "SELECT current_database()");
    let elsewhere = server.same_database("postgres:///postgres");
    let _ = server.say(&elsewhere, &format!("DROP DATABASE {name} WITH (FORCE)"));
    // Each side begins with what the server has written out.
    let _ = server.say(&elsewhere, "CHECKPOINT");
    if rows == format!("{count}|{count}") { Ok(()) } else { Err(format!("{rows} codes and passes").into()) }
}

/// What one writes who needs only this: codes drawn and hashed like those of the library, and two COPYs in one transaction.
/// `sorted` is for who knows that an index grows faster in its order, and holds all of them in memory for it.
fn copy(url: &str, count: u32, sorted: bool) -> Made<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let maker = Format::default().maker()?;
    let seed = LotSeed::from_bytes(OsEntropy.seed()?);
    let ring = Keyring::from_master("k1", &MASTER)?;
    let (_, key) = ring.require_current(Purpose::Digest)?;
    let business = BusinessId::STORE;
    let lot: LotId = Ids::new(&OsEntropy.seed()?, passes_core::calendar::Instant::EPOCH).draw_lot();
    let mut codes: Vec<([u8; 32], i64)> = Vec::with_capacity(usize::try_from(count)?);
    for (serial, body) in seed.codes(&maker, 1..count + 1) {
        let digest = maker.hash(&body, business.as_bytes()).digest(key);
        codes.push((*digest.as_bytes(), i64::from(serial)));
    }
    if sorted {
        codes.sort_unstable();
    }
    let (business, lot) = (Uuid::from_bytes(business.to_bytes()), Uuid::from_bytes(lot.to_bytes()));
    runtime.block_on(async {
        let (mut client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        let transaction = client.transaction().await?;
        let sink = transaction
            .copy_in(
                "COPY passes.pass(business,lot,serial,version,standing,value,uses_lim,balance_lim) \
                 FROM STDIN (FORMAT binary)",
            )
            .await?;
        let types =
            [Type::UUID, Type::UUID, Type::INT8, Type::INT4, Type::INT2, Type::INT8, Type::INT8, Type::INT8];
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
        let standing = i16::from(Standing::Draft as u8);
        for serial in 1..=i64::from(count) {
            writer
                .as_mut()
                .write(&[&business, &lot, &serial, &1_i32, &standing, &2_500_i64, &1_i64, &2_500_i64])
                .await?;
        }
        writer.finish().await?;
        let sink = transaction
            .copy_in("COPY passes.code(business,digest,lot,serial) FROM STDIN (FORMAT binary)")
            .await?;
        let types = [Type::UUID, Type::BYTEA, Type::UUID, Type::INT8];
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
        for piece in codes.chunks(PIECE) {
            for (digest, serial) in piece {
                writer.as_mut().write(&[&business, &&digest[..], &lot, serial]).await?;
            }
        }
        writer.finish().await?;
        transaction.commit().await?;
        Ok(())
    })
}
