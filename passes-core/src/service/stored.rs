//! The stored forms: documents as versioned JSON, receipts and events as versioned bytes. A version or a form
//! that this library doesn't know is an error, never a guess (Z-2).

use super::engine::first_half;
use crate::ledger::{StoredEntry, Subject};
use crate::money::MAX_MINOR;
use crate::pass::{PassRow, Tally};
use crate::secret::{Key, wipe};
use crate::store::{Fingerprint, Loaded, StoreError};
use postcard::ser_flavors::Flavor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The version in which documents are written.
const DOCUMENT: u16 = 1;
/// The version in which receipts and events are written.
const BYTES: u8 = 1;

#[derive(Serialize)]
struct Wrote<'a, T> {
    v: u16,
    d: &'a T,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read<T> {
    v: u16,
    d: T,
}

#[derive(Deserialize)]
struct Version {
    v: u16,
}

/// A document's body.
pub(crate) fn write<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(&Wrote { v: DOCUMENT, d: value }).map_err(|e| StoreError::Backend(e.to_string()))
}

/// Reads a document's body.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, StoreError> {
    match serde_json::from_slice::<Read<T>>(body) {
        Ok(read) if read.v == DOCUMENT => Ok(read.d),
        other => Err(match serde_json::from_slice::<Version>(body) {
            Ok(found) if found.v != DOCUMENT => {
                StoreError::Unsupported { found: found.v.into(), known: DOCUMENT.into() }
            }
            _ => StoreError::Corrupt(other.err().map_or_else(String::new, |e| format!("a document: {e}"))),
        }),
    }
}

/// Room on the stack, filled byte by byte: nearly all that is written into it are numbers and single bytes of ids.
struct Room<'a>(std::slice::IterMut<'a, u8>);

impl Flavor for &mut Room<'_> {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        *self.0.next().ok_or(postcard::Error::SerializeBufferFull)? = byte;
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Writes into a room, and gives what was written.
fn written<'a, T: Serialize>(room: &'a mut [u8], value: &T) -> postcard::Result<&'a mut [u8]> {
    let mut free = Room(room.iter_mut());
    postcard::serialize_with_flavor(value, &mut free)?;
    let left = free.0.len();
    let used = room.len() - left;
    Ok(room.get_mut(..used).unwrap_or_default())
}

/// A receipt or a list of events, behind what is in a list already.
pub(crate) fn pack<T: Serialize>(value: &T, into: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    let mut into = into;
    // The room of nearly all: a list that grows is copied again and again.
    match written(&mut [0; 256], &(BYTES, value)) {
        Ok(bytes) => {
            into.reserve_exact(bytes.len());
            into.extend_from_slice(bytes);
            Ok(into)
        }
        Err(postcard::Error::SerializeBufferFull) => {
            std::hint::cold_path();
            into.push(BYTES);
            postcard::to_extend(value, into).map_err(|e| StoreError::Backend(e.to_string()))
        }
        Err(error) => {
            std::hint::cold_path();
            Err(StoreError::Backend(error.to_string()))
        }
    }
}

/// What tells a request from others. It may hold a secret, so what was hashed is wiped.
pub(crate) fn fingerprint<T: Serialize>(key: &Key, request: &T) -> Result<Fingerprint, StoreError> {
    let hash = |bytes: &mut [u8]| {
        let hash = blake3::keyed_hash(key.reveal(), bytes);
        wipe(bytes);
        first_half(hash.as_bytes())
    };
    let mut room = [0; 128];
    if let Ok(bytes) = written(&mut room, request) {
        return Ok(hash(bytes));
    }
    std::hint::cold_path();
    wipe(&mut room);
    // The room is for all of it at once: a list that grows leaves copies behind.
    let packed = postcard::experimental::serialized_size(request)
        .and_then(|size| postcard::to_extend(request, Vec::with_capacity(size)));
    Ok(hash(&mut packed.map_err(|e| StoreError::Backend(e.to_string()))?))
}

/// Reads a receipt or a list of events.
pub(crate) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&BYTES, rest)) => match postcard::take_from_bytes(rest) {
            Ok((value, [])) => Ok(value),
            Ok(_) => Err(StoreError::Corrupt("a record has bytes too many".into())),
            Err(e) => Err(StoreError::Corrupt(format!("a record: {e}"))),
        },
        Some((found, _)) => Err(StoreError::Unsupported { found: (*found).into(), known: BYTES.into() }),
        None => Err(StoreError::Corrupt("an empty record".into())),
    }
}

/// Tells rows with numbers that no command writes as damage, before anything is computed with them. A store keeps
/// whatever it is given, so it can't.
pub(crate) fn sound(loaded: &Loaded) -> Result<(), StoreError> {
    let amount = |n: i64| (0..=MAX_MINOR).contains(&n);
    let tally = |t: &Tally| amount(t.used) && amount(t.held) && amount(t.limit);
    let pass = |pass: &PassRow| {
        pass.value.is_none_or(amount) && [pass.uses, pass.balance, pass.granted].iter().all(tally)
    };
    let entry = |stored: &StoredEntry| {
        let (entry, range) = (&stored.entry, |subject| matches!(subject, Subject::Passes { .. }));
        // That of a range is of all its passes together.
        amount(entry.amount) || (entry.amount > 0 && (range(entry.from.1) || range(entry.to.1)))
    };
    let sound = loaded.code.iter().chain(&loaded.passes).all(pass)
        && loaded.credits.iter().all(|credit| tally(&credit.amount))
        && loaded.operation.iter().all(|(_, entries)| entries.iter().all(entry));
    if sound {
        Ok(())
    } else {
        std::hint::cold_path();
        Err(StoreError::Corrupt("a row holds numbers that were never written".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Instant;
    use crate::event::{Event, Span};
    use crate::id::{ContactId, CreditId, Id, PassId};
    use crate::ledger::Mark;
    use crate::pass::CreditRow;

    /// Z-1, Z-2: numbers that no command writes are damage, wherever they stand in what was loaded.
    #[test]
    fn numbers_that_were_never_written_are_damage() {
        let good = Tally::new(MAX_MINOR);
        let row = PassRow::draft(PassId::from_bytes([7; 16]));
        let pass = |change: &dyn Fn(&mut PassRow)| {
            let mut row = PassRow { value: Some(1), uses: good, balance: good, granted: good, ..row.clone() };
            change(&mut row);
            let named = Loaded { passes: vec![row.clone()], ..Loaded::default() };
            let coded = Loaded { code: Some(row), ..Loaded::default() };
            let told = [&named, &coded].map(|loaded| sound(loaded).is_ok());
            assert_eq!(told[0], told[1]);
            told[0]
        };
        assert!(pass(&|_| {}) && pass(&|row| row.value = None));
        for wrong in [-1, MAX_MINOR + 1, i64::MIN, i64::MAX] {
            assert!(!pass(&|row| row.value = Some(wrong)));
            assert!(!pass(&|row| row.uses.used = wrong) && !pass(&|row| row.balance.held = wrong));
            assert!(!pass(&|row| row.granted.limit = wrong));
        }
        let credit = |used: i64| CreditRow {
            contact: ContactId::from_bytes([1; 16]),
            id: CreditId::from_bytes([2; 16]),
            version: 1,
            pass: row.id,
            mark: Mark::Paid,
            spend_by: None,
            created: Instant::EPOCH,
            amount: Tally { used, ..good },
            last: 0,
        };
        let credits = |used| sound(&Loaded { credits: vec![credit(used)], ..Loaded::default() }).is_ok();
        assert!(credits(0) && !credits(-1) && !credits(MAX_MINOR + 1));
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        n: u32,
    }

    /// Z-2: unknown fields, versions and variants, and bytes too many, are clear errors.
    #[test]
    fn what_is_not_known_is_an_error() {
        let body = write(&Thing { n: 7 }).unwrap();
        assert_eq!(read::<Thing>(&body).unwrap(), Thing { n: 7 });
        assert!(matches!(read::<Thing>(br#"{"v":1,"d":{"n":7,"m":8}}"#), Err(StoreError::Corrupt(_))));
        assert!(matches!(
            read::<Thing>(br#"{"v":2,"d":{"k":7}}"#),
            Err(StoreError::Unsupported { found: 2, .. })
        ));
        assert!(matches!(read::<Thing>(b"not json"), Err(StoreError::Corrupt(_))));
        let events = vec![Event::PassesActivated { passes: Span::one(PassId::from_bytes([7; 16])) }];
        let mut bytes = pack(&events, Vec::new()).unwrap();
        assert_eq!(unpack::<Vec<Event>>(&bytes).unwrap(), events);
        bytes.push(0);
        assert!(matches!(unpack::<Vec<Event>>(&bytes), Err(StoreError::Corrupt(_))));
        assert!(matches!(unpack::<Vec<Event>>(&[1, 1, 200]), Err(StoreError::Corrupt(_))));
        assert!(matches!(unpack::<Vec<Event>>(&[9, 0]), Err(StoreError::Unsupported { found: 9, .. })));
    }

    /// Z-2: the bytes of version 1 stay as they are for ever.
    #[test]
    fn version_1_is_pinned() {
        assert_eq!(write(&Thing { n: 7 }).unwrap(), br#"{"v":1,"d":{"n":7}}"#);
        let event = vec![Event::LotExported { lot: crate::id::LotId::from_bytes([0; 16]) }];
        let bytes = pack(&event, Vec::new()).unwrap();
        assert_eq!(bytes.get(..3), Some(&[1, 1, 21][..]));
    }
}
