//! Values that come as text, JSON or bytes.

use passes_core::business::Settings;
use passes_core::calendar::{Instant, Period, TimeOfDay, Windows, Zone, parse_date};
use passes_core::conditions::{Basket, Conditions, Line, Pool};
use passes_core::contact::{Medium, Profile};
use passes_core::fields::{self, Definition, Values};
use passes_core::id::{ContactId, LotId, OperationId, PassId};
use passes_core::ledger::Unit;
use passes_core::money::{Currency, Money, Percent};
use passes_core::operation::{Actor, Rights};
use passes_core::passcode::{Alphabet, CodeHash, FoldedFormat, Format, Symbols};
use passes_core::plan::{Spec, Terms};
use passes_core::secret::{KeyId, Keyring, Purpose, Sealed};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::{Debug, Display};
use std::str::FromStr;

/// Any text is refused, or is a value that comes back from its own text, from JSON and from bytes. A keyring that
/// is refused is not repeated.
pub fn texts(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    said::<Money>(&text);
    said::<Currency>(&text);
    said::<Percent>(&text);
    said::<Instant>(&text);
    said::<Period>(&text);
    said::<TimeOfDay>(&text);
    said::<Zone>(&text);
    said::<PassId>(&text);
    said::<LotId>(&text);
    said::<OperationId>(&text);
    said::<ContactId>(&text);
    said::<KeyId>(&text);
    if let Ok(date) = parse_date("date", &text) {
        assert_eq!(date.to_string(), text);
    }
    if let Ok(hash) = CodeHash::from_hex(&text) {
        assert_eq!(*hash.reveal_hex(), text.to_lowercase());
    }
    if let Ok(symbols) = Alphabet::from(&*text).symbols() {
        assert_eq!(Alphabet::from(symbols.to_string().as_str()).symbols(), Ok(symbols));
    }
    for medium in [Medium::Phone, Medium::Email, Medium::Reference] {
        if let Ok(normal) = medium(text.to_string()).normal() {
            assert_eq!(normal.normal().as_ref(), Ok(&normal), "{:?} of {text:?}", normal.parts());
        }
    }
    if let Ok(actor) = Actor::new(&text, Rights::all()) {
        assert_eq!(**actor.id(), *text);
    }
    keyring(&text);

    told::<Settings>(&text).map(|settings| settings.validate());
    told::<Spec>(&text);
    told::<Terms>(&text).map(|terms| (terms.range(), terms.usage.total(terms.range().1)));
    told::<Format>(&text).map(|format| format.folded());
    told::<FoldedFormat>(&text);
    told::<Symbols>(&text);
    told::<Windows>(&text).map(|windows| windows.validate());
    told::<Conditions>(&text).map(|conditions| conditions.validate());
    told::<Pool>(&text).map(|pool| pool.validate());
    told::<Sealed>(&text).map(|sealed| sealed.open(&Keyring::from_master("k1", &[7; 32]).unwrap(), b""));
    if let Some(profile) = told::<Profile>(&text)
        && let Ok(normal) = profile.normal()
    {
        assert_eq!(normal.clone().normal(), Ok(normal));
    }
    if let Some((definitions, values)) = told::<(Vec<Definition>, Values)>(&text)
        && Definition::validate_all("fields", &definitions).is_ok()
    {
        let complete = fields::check(&definitions, &values, true);
        assert!(complete.is_err() || fields::check(&definitions, &values, false).is_ok());
    }
    if let Some(lines) = told::<Vec<Line>>(&text)
        && let Some(first) = lines.first()
        && let Ok(basket) = Basket::new(first.unit_price.currency(), lines.clone())
    {
        let sum: i128 = basket.totals().iter().map(|total| i128::from(*total)).sum();
        assert_eq!(i128::from(basket.total().minor()), sum);
    }
    if let [high, low, ..] = data {
        let number = u16::from_be_bytes([*high, *low]);
        assert!(Unit::from_number(number).is_none_or(|unit| unit.number() == number));
    }
    packed::<Money>(data);
    packed::<Format>(data);
    packed::<Windows>(data);
    packed::<Sealed>(data);
    packed::<KeyId>(data);
}

/// What is read from a text comes back from the text that it writes.
fn said<T: FromStr + Display + Debug + PartialEq>(text: &str)
where
    T::Err: Display,
{
    match T::from_str(text) {
        Ok(value) => assert_eq!(T::from_str(&value.to_string()).ok(), Some(value), "{text:?}"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// What is read from JSON comes back from the JSON that it writes.
fn told<T: Serialize + DeserializeOwned + Debug + PartialEq>(text: &str) -> Option<T> {
    let value = serde_json::from_str::<T>(text).ok()?;
    let written = serde_json::to_string(&value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&written).unwrap(), value, "{text:?}");
    Some(value)
}

/// What is read from bytes comes back from the bytes that it writes.
fn packed<T: Serialize + DeserializeOwned + Debug + PartialEq>(bytes: &[u8]) {
    if let Ok((value, _)) = postcard::take_from_bytes::<T>(bytes) {
        let written = postcard::to_extend(&value, Vec::new()).unwrap();
        assert_eq!(postcard::from_bytes::<T>(&written).unwrap(), value);
    }
}

fn keyring(text: &str) {
    match Keyring::parse(text) {
        Ok(ring) => {
            let again = Keyring::parse(&ring.reveal_text()).unwrap();
            for purpose in Purpose::ALL {
                assert_eq!(
                    again.current(*purpose).map(|(id, _)| id),
                    ring.current(*purpose).map(|(id, _)| id)
                );
                let ids = ring.ids(*purpose).cloned().collect::<Vec<_>>();
                assert!(again.ids(*purpose).eq(&ids));
                for id in &ids {
                    let check = ring.check_value(*purpose, id).unwrap();
                    assert!(again.verify(*purpose, id, &check).is_ok());
                    let key = ring.get(*purpose, id).unwrap().reveal_hex();
                    assert!(!format!("{ring:?}").contains(&**key));
                }
            }
        }
        Err(error) => {
            let error = error.to_string();
            let secrets = text.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() > 16);
            secrets.for_each(|word| assert!(!error.contains(word), "{error}"));
        }
    }
}
