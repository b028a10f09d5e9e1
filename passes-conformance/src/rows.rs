//! The cases of a store that a host writes (D-5), spoken to as rows, without the adapter that makes a full store of
//! them: what [`CASES`](crate::CASES) can't see because the adapter asks for it seldom, or never twice.

use crate::check::{Outcome, holds, same};
use passes_core::store::record::{Expected, FORMAT, RecordStore, Row, SCAN, WriteSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// Opens the store under test, again and again on the same rows. A closure `Fn() -> Arc<dyn RecordStore>` is one.
pub trait RowFactory: Send + Sync {
    /// Opens it.
    fn open(&self) -> Arc<dyn RecordStore>;
}

impl<F: Fn() -> Arc<dyn RecordStore> + Send + Sync> RowFactory for F {
    fn open(&self) -> Arc<dyn RecordStore> {
        self()
    }
}

/// One case.
#[derive(Clone, Copy)]
pub struct RowCase {
    /// Its name.
    pub name: &'static str,
    run: fn(&Rows<'_>) -> Outcome,
}

macro_rules! row_cases {
    ($( $name:ident ),+ $(,)?) => {
        /// Every case, in the order in which a store's author will want to make them pass.
        pub const ROW_CASES: &[RowCase] = &[ $( RowCase { name: stringify!($name), run: $name } ),+ ];
    };
}

row_cases! {
    rows_have_a_known_format,
    rows_are_found_by_their_keys,
    rows_hold_any_bytes,
    a_row_is_replaced,
    rows_are_scanned_in_order,
    a_scan_keeps_its_bounds,
    a_scan_keeps_its_limit,
    a_set_needs_what_it_expects,
    a_set_that_fails_leaves_nothing,
    rows_are_seen_by_others,
    rows_stay,
}

/// Runs the case of this name on the rows of a store.
///
/// ```
/// use passes_conformance::{ROW_CASES, run_row_case};
/// assert_eq!(ROW_CASES[0].name, "rows_have_a_known_format");
/// # use passes_core::store::{StoreError, record::{RecordStore, Row, WriteSet}};
/// # struct Never;
/// # impl RecordStore for Never {
/// #     fn get(&self, _: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, StoreError> { Err(StoreError::Closed) }
/// #     fn scan(&self, _: Vec<u8>, _: Vec<u8>, _: u32) -> Result<Vec<Row>, StoreError> { Err(StoreError::Closed) }
/// #     fn commit(&self, _: WriteSet) -> Result<bool, StoreError> { Err(StoreError::Closed) }
/// #     fn format(&self) -> Result<u32, StoreError> { Err(StoreError::Closed) }
/// # }
/// let closed = || std::sync::Arc::new(Never) as std::sync::Arc<dyn RecordStore>;
/// assert!(run_row_case("rows_stay", &closed).is_err());
/// ```
///
/// # Errors
/// What is wrong with the store, in words, or that there is no such case.
pub fn run_row_case(name: &str, factory: &dyn RowFactory) -> Result<(), String> {
    let case = ROW_CASES.iter().find(|case| case.name == name).ok_or_else(|| format!("no case {name}"))?;
    let rows = Rows { factory, store: factory.open(), place: RandomState::new().hash_one(name) };
    (case.run)(&rows).map_err(|failure| format!("{name}: {failure}"))
}

/// What is expected of keys of a place.
type Expects<'a> = &'a [(&'a [u8], Option<&'a [u8]>)];

/// A store, and a place in it where nobody else writes: a store that isn't empty will do.
struct Rows<'a> {
    factory: &'a dyn RowFactory,
    store: Arc<dyn RecordStore>,
    place: u64,
}

impl Rows<'_> {
    /// A key of this place. The library's own begin with 0 and 1.
    fn key(&self, rest: &[u8]) -> Vec<u8> {
        [[2].as_slice(), &self.place.to_be_bytes(), rest].concat()
    }

    fn row(&self, key: &[u8], value: &[u8]) -> Row {
        Row { key: self.key(key), value: value.to_vec() }
    }

    fn expected(&self, key: &[u8], value: Option<&[u8]>) -> Expected {
        Expected { key: self.key(key), value: value.map(<[u8]>::to_vec) }
    }

    fn put(&self, mut put: Vec<Row>) -> Outcome {
        put.sort_unstable();
        holds("a set that expects nothing lands", self.store.commit(WriteSet { expect: Vec::new(), put })?)
    }

    /// Whether a set lands that writes its second row where the first is as expected.
    fn lands(&self, expect: Expects<'_>, put: Vec<Row>) -> Outcome<bool> {
        let expect = expect.iter().map(|(key, value)| self.expected(key, *value)).collect();
        Ok(self.store.commit(WriteSet { expect, put })?)
    }

    fn finds(&self, what: &str, key: &[u8], value: Option<&[u8]>) -> Outcome {
        same(what, &self.store.get(vec![self.key(key)])?, &vec![value.map(<[u8]>::to_vec)])
    }

    /// What a scan between two keys of this place finds, by what is behind the place.
    fn scan(&self, from: &[u8], to: &[u8], limit: u32) -> Outcome<Vec<Vec<u8>>> {
        let rows = self.store.scan(self.key(from), self.key(to), limit)?;
        let start = self.key(&[]).len();
        Ok(rows.into_iter().map(|row| row.key.get(start..).unwrap_or_default().to_vec()).collect())
    }
}

fn rows_have_a_known_format(rows: &Rows<'_>) -> Outcome {
    let format = rows.store.format()?;
    holds(&format!("the format {format} is from 1 to {FORMAT}"), (1..=FORMAT).contains(&format))
}

fn rows_are_found_by_their_keys(rows: &Rows<'_>) -> Outcome {
    rows.finds("a row that isn't there", &[1], None)?;
    rows.put(vec![rows.row(&[1], b"one"), rows.row(&[2], b"two"), rows.row(&[3], b"three")])?;
    let asked: Vec<_> = [3, 9, 1, 3, 2].iter().map(|key| rows.key(&[*key])).collect();
    let expected: Vec<Option<Vec<u8>>> =
        [Some("three"), None, Some("one"), Some("three"), Some("two")].map(|v| v.map(Into::into)).into();
    same("rows in the order of the question", &rows.store.get(asked)?, &expected)?;
    same("no rows", &rows.store.get(Vec::new())?, &Vec::new())
}

fn rows_hold_any_bytes(rows: &Rows<'_>) -> Outcome {
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let long = every.repeat(400);
    let key = [u8::MAX; 64 - 9];
    rows.put(vec![rows.row(&[0], &[]), rows.row(&[0, 0], &every), rows.row(&key, &long)])?;
    rows.finds("a row of no bytes, which is there", &[0], Some(&[]))?;
    rows.finds("a row of every byte", &[0, 0], Some(&every))?;
    rows.finds("a long row under a key of 64 bytes", &key, Some(&long))
}

fn a_row_is_replaced(rows: &Rows<'_>) -> Outcome {
    rows.put(vec![rows.row(&[1], b"a long first value"), rows.row(&[2], b"stays")])?;
    rows.put(vec![rows.row(&[1], b"short")])?;
    rows.finds("a row that was written again", &[1], Some(b"short"))?;
    rows.finds("its neighbour", &[2], Some(b"stays"))?;
    same("both", &rows.scan(&[], &[255], 10)?, &vec![vec![1], vec![2]])
}

fn rows_are_scanned_in_order(rows: &Rows<'_>) -> Outcome {
    // Bytes have no sign, no case and no language, and a key comes before those that it begins.
    let sorted: Vec<Vec<u8>> = [
        [0].as_slice(),
        &[0, 0],
        &[0, 255],
        b"A",
        b"B",
        b"a",
        b"aa",
        &[127],
        &[128],
        &[128, 1],
        &[195, 164],
        &[254],
    ]
    .map(<[u8]>::to_vec)
    .into();
    // Written in another order, and by several sets.
    for (nth, part) in sorted.iter().rev().enumerate() {
        rows.put(vec![rows.row(part, &[u8::try_from(nth).unwrap_or_default()])])?;
    }
    same("keys", &rows.scan(&[], &[255], SCAN)?, &sorted)?;
    let values = rows.store.scan(rows.key(&[]), rows.key(&[255]), SCAN)?;
    let values: Vec<_> = values.into_iter().flat_map(|row| row.value).collect();
    same("their values", &values, &(0..12).rev().collect())
}

fn a_scan_keeps_its_bounds(rows: &Rows<'_>) -> Outcome {
    rows.put((1..6).map(|n| rows.row(&[n], &[n])).collect())?;
    same("the first is in, the last is not", &rows.scan(&[2], &[4], 10)?, &vec![vec![2], vec![3]])?;
    same("between two keys", &rows.scan(&[2, 0], &[4, 0], 10)?, &vec![vec![3], vec![4]])?;
    same("from a key to itself", &rows.scan(&[3], &[3], 10)?, &Vec::new())?;
    same("behind all", &rows.scan(&[6], &[255], 10)?, &Vec::new())?;
    same("all", &rows.scan(&[], &[255], 10)?.len(), &5)
}

fn a_scan_keeps_its_limit(rows: &Rows<'_>) -> Outcome {
    let all: Vec<[u8; 2]> = (0..1_003_u16).map(u16::to_be_bytes).collect();
    rows.put(all.iter().map(|key| rows.row(key, &[])).collect())?;
    for limit in [1, 2, SCAN] {
        let expected: Vec<Vec<u8>> = all.iter().take(limit as usize).map(|key| key.to_vec()).collect();
        same(&format!("a scan of {limit}"), &rows.scan(&[], &[255], limit)?, &expected)?;
    }
    let expected: Vec<Vec<u8>> = all.iter().skip(1_000).map(|key| key.to_vec()).collect();
    same("the rest", &rows.scan(&1_000_u16.to_be_bytes(), &[255], SCAN)?, &expected)
}

fn a_set_needs_what_it_expects(rows: &Rows<'_>) -> Outcome {
    let put = || vec![rows.row(&[9], b"landed")];
    rows.put(vec![rows.row(&[1], b"one"), rows.row(&[2], &[])])?;
    let wrong: [Expects<'_>; 7] = [
        &[(&[1], None)],
        &[(&[1], Some(b"two"))],
        &[(&[1], Some(b"on"))],
        &[(&[1], Some(b"one\0"))],
        &[(&[2], None)],
        &[(&[3], Some(&[]))],
        &[(&[1], Some(b"one")), (&[2], Some(&[])), (&[3], Some(b"three"))],
    ];
    for expect in wrong {
        holds(&format!("a set that expects {expect:?} doesn't land"), !rows.lands(expect, put())?)?;
        rows.finds("what it would have written", &[9], None)?;
    }
    let right: Expects<'_> = &[(&[1], Some(b"one")), (&[2], Some(&[])), (&[3], None)];
    holds("a set lands whose expectations hold", rows.lands(right, put())?)?;
    rows.finds("what it wrote", &[9], Some(b"landed"))
}

fn a_set_that_fails_leaves_nothing(rows: &Rows<'_>) -> Outcome {
    rows.put(vec![rows.row(&[1], b"one"), rows.row(&[5], b"five")])?;
    let put = vec![rows.row(&[0], b"new"), rows.row(&[1], b"other"), rows.row(&[5], b"other")];
    holds("a set doesn't land", !rows.lands(&[(&[1], Some(b"one")), (&[5], Some(b"six"))], put)?)?;
    let found = rows.store.scan(rows.key(&[]), rows.key(&[255]), 10)?;
    same("all rows", &found, &vec![rows.row(&[1], b"one"), rows.row(&[5], b"five")])?;
    // The row that is expected may be the one that is written: so two that count can't both come from one number.
    for (before, after) in [(b"one", b"two"), (b"two", b"six")] {
        let put = vec![rows.row(&[1], after)];
        holds("a count lands", rows.lands(&[(&[1], Some(before))], put.clone())?)?;
        holds("the same count doesn't land again", !rows.lands(&[(&[1], Some(before))], put)?)?;
    }
    Ok(())
}

fn rows_are_seen_by_others(rows: &Rows<'_>) -> Outcome {
    let other = Rows { factory: rows.factory, store: rows.factory.open(), place: rows.place };
    rows.put(vec![rows.row(&[1], b"one")])?;
    other.finds("what another handle wrote", &[1], Some(b"one"))?;
    holds("a set of the other lands", other.lands(&[(&[1], Some(b"one"))], vec![rows.row(&[1], b"two")])?)?;
    let late = rows.lands(&[(&[1], Some(b"one"))], vec![rows.row(&[1], b"too late")])?;
    holds("a set that rests on what is gone doesn't land", !late)?;
    rows.finds("what the other wrote", &[1], Some(b"two"))
}

fn rows_stay(rows: &Rows<'_>) -> Outcome {
    let closed = Rows { factory: rows.factory, store: rows.factory.open(), place: rows.place };
    closed.put(vec![rows.row(&[1], b"one"), rows.row(&[2], b"two")])?;
    drop(closed);
    let again = Rows { factory: rows.factory, store: rows.factory.open(), place: rows.place };
    again.finds("a row of a store that was closed", &[1], Some(b"one"))?;
    same("rows of a store that was closed", &again.scan(&[], &[255], 10)?, &vec![vec![1], vec![2]])
}
