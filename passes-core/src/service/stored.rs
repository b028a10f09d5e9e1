//! The stored forms: documents as versioned JSON, receipts and events as versioned bytes. A version or a form
//! that this library doesn't know is an error, never a guess (Z-2).

use super::engine::first_half;
use crate::secret::Key;
use crate::store::{Fingerprint, StoreError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

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

/// A receipt or a list of events.
pub(crate) fn pack<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    // The room of nearly all: a list that grows is copied again and again.
    let mut room = [0; 512];
    match postcard::to_slice(value, &mut room) {
        Ok(packed) => Ok([&[BYTES][..], packed].concat()),
        Err(postcard::Error::SerializeBufferFull) => {
            postcard::to_extend(value, vec![BYTES]).map_err(|e| StoreError::Backend(e.to_string()))
        }
        Err(error) => Err(StoreError::Backend(error.to_string())),
    }
}

/// What tells a request from others. It may hold a secret, so what was hashed is wiped.
pub(crate) fn fingerprint<T: Serialize>(key: &Key, request: &T) -> Result<Fingerprint, StoreError> {
    let hash = |bytes: &mut [u8]| {
        let hash = blake3::keyed_hash(key.reveal(), bytes);
        bytes.zeroize();
        first_half(hash.as_bytes())
    };
    let mut room = [0; 128];
    if let Ok(packed) = postcard::to_slice(request, &mut room) {
        return Ok(hash(packed));
    }
    room.zeroize();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, Span};
    use crate::id::{Id, PassId};

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
        let mut bytes = pack(&events).unwrap();
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
        let bytes = pack(&event).unwrap();
        assert_eq!(bytes.get(..3), Some(&[1, 1, 21][..]));
    }
}
