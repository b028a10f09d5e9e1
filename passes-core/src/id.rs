//! Identifiers: one type for each kind of thing, all UUIDv7 (RFC 9562), so that they sort by the time they
//! were made. A lot's id leaves its last 32 bits zero: they are the serial number of its passes.

use crate::calendar::Instant;
use crate::refusal::Refusal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// What the id types have in common.
///
/// ```
/// use passes_core::id::{Id, PlanId};
/// let plan: PlanId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
/// assert_eq!((PlanId::WHAT, PlanId::from_bytes(plan.to_bytes())), ("plan", plan));
/// assert_eq!(PlanId::from_uuid(plan.to_uuid()).as_bytes()[0], 0x01);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
pub trait Id: Copy {
    /// The word for the thing, as refusals say it.
    const WHAT: &'static str;
    /// From the sixteen bytes of a UUID.
    fn from_bytes(bytes: [u8; 16]) -> Self;
    /// The sixteen bytes of the UUID.
    fn to_bytes(self) -> [u8; 16];
}

macro_rules! ids {
    ($( $(#[$doc:meta])* $name:ident $what:literal; )+) => { $(
        $(#[$doc])*
        ///
        /// An example is at [`Id`].
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl Id for $name {
            const WHAT: &'static str = $what;
            fn from_bytes(bytes: [u8; 16]) -> Self { Self(bytes) }
            fn to_bytes(self) -> [u8; 16] { self.0 }
        }

        impl $name {
            /// From a UUID.
            /// See [`Id`].
            #[must_use]
            pub fn from_uuid(uuid: Uuid) -> Self { Self(*uuid.as_bytes()) }
            /// As a UUID.
            /// See [`Id`].
            #[must_use]
            pub fn to_uuid(self) -> Uuid { Uuid::from_bytes(self.0) }
            /// The sixteen bytes.
            /// See [`Id`].
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] { &self.0 }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.to_uuid().hyphenated().fmt(f) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = Refusal;
            fn from_str(text: &str) -> Result<Self, Refusal> {
                Uuid::try_parse(text).map(Self::from_uuid).map_err(|_| Refusal::invalid($what, "not a UUID"))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.collect_str(self) } else { self.0.serialize(s) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if d.is_human_readable() {
                    String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
                } else {
                    <[u8; 16]>::deserialize(d).map(Self)
                }
            }
        }
    )+ };
}

ids! {
    /// A business: the tenant. Every record belongs to exactly one.
    BusinessId "business";
    /// A contact: the person a pass is for.
    ContactId "contact";
    /// A pass plan.
    PlanId "plan";
    /// The immutable terms that passes were made with.
    TermsId "terms";
    /// A lot: passes generated together. See [`LotId::pass`].
    LotId "lot";
    /// A pass. It holds its lot and its serial number.
    PassId "pass";
    /// A credit in a wallet.
    CreditId "credit";
    /// A run: long work done in steps.
    RunId "run";
    /// A sale of one or more passes.
    SaleId "sale";
    /// An operation: the record that an accepted command leaves.
    OperationId "operation";
}

impl BusinessId {
    /// The store itself: owner of the records that belong to no business.
    ///
    /// ```
    /// use passes_core::id::{BusinessId, Id};
    /// assert_eq!(BusinessId::STORE.to_bytes(), [0; 16]);
    /// ```
    pub const STORE: Self = Self([0; 16]);
}

impl LotId {
    /// The pass with this serial number (1 and up) in the lot.
    ///
    /// ```
    /// use passes_core::id::LotId;
    /// let lot: LotId = "0192a0d5-c3f0-7b12-a4c8-d91100000000".parse()?;
    /// let pass = lot.pass(42);
    /// assert_eq!((pass.lot(), pass.serial()), (lot, 42));
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn pass(self, serial: u32) -> PassId {
        let [p @ .., _, _, _, _] = self.0;
        let [a, b, c, d] = serial.to_be_bytes();
        let [p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11] = p;
        PassId([p0, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, p11, a, b, c, d])
    }
}

impl PassId {
    /// The lot it was generated in.
    /// See [`LotId::pass`].
    #[must_use]
    pub fn lot(self) -> LotId {
        let PassId(bytes) = LotId(self.0).pass(0);
        LotId(bytes)
    }

    /// Its serial number in the lot, from 1. Not secret, and it tells nothing of the code (T-7).
    /// See [`LotId::pass`].
    #[must_use]
    pub fn serial(self) -> u32 {
        let [.., a, b, c, d] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }
}

/// Expands the ids of one command from its seed, in a fixed order, so that a retry makes the same ones.
///
/// ```
/// use passes_core::calendar::Instant;
/// use passes_core::id::{Ids, PlanId};
/// let now = Instant::parse("2026-05-01T12:00:00Z")?;
/// let (mut first, mut retry) = (Ids::new(&[7; 32], now), Ids::new(&[7; 32], now));
/// let (plan, lot): (PlanId, _) = (first.draw(), first.draw_lot());
/// assert_eq!((retry.draw(), retry.draw_lot()), (plan, lot));
/// assert_eq!(first.bytes::<16>(), retry.bytes());
/// # Ok::<(), passes_core::Refusal>(())
/// ```
pub struct Ids {
    seed: [u8; 32],
    /// How many parts of the stream were drawn.
    drawn: u64,
    millis: [u8; 6],
}

impl Ids {
    /// The ids of the command with this seed at this moment.
    /// See [`Ids`].
    #[must_use]
    pub fn new(seed: &[u8; 32], now: Instant) -> Self {
        Self { seed: *seed, drawn: 0, millis: millis(now) }
    }

    /// The id of the operation that the command leaves. It isn't from the stream, which would have to be begun
    /// for it alone: most commands draw no other id. What it shows of the seed leaves 182 bits of it unknown.
    pub(crate) fn operation(seed: &[u8; 32], now: Instant) -> OperationId {
        let [random @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *seed;
        uuid_v7(millis(now), random)
    }

    /// Random bytes from the same stream: nonces, seeds of lots.
    /// See [`Ids`].
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        // A keyed hash of a counter: most commands draw one id, for which a stream cipher would make eight times as much.
        for part in bytes.chunks_mut(blake3::OUT_LEN) {
            let drawn = blake3::keyed_hash(&self.seed, &self.drawn.to_le_bytes());
            part.iter_mut().zip(drawn.as_bytes()).for_each(|(byte, drawn)| *byte = *drawn);
            self.drawn += 1;
        }
        bytes
    }

    /// The next id.
    /// See [`Ids`].
    pub fn draw<T: Id>(&mut self) -> T {
        uuid_v7(self.millis, self.bytes())
    }

    /// The next id of a lot.
    /// See [`Ids`].
    pub fn draw_lot(&mut self) -> LotId {
        let id: PassId = self.draw();
        id.lot()
    }
}

fn millis(now: Instant) -> [u8; 6] {
    let [_, _, millis @ ..] = (now.micros().max(0) / 1000).to_be_bytes();
    millis
}

fn uuid_v7<T: Id>([a, b, c, d, e, f]: [u8; 6], random: [u8; 10]) -> T {
    let [r0, r1, r2, s0, s1, s2, s3, s4, s5, s6] = random;
    T::from_bytes([a, b, c, d, e, f, r0 & 0x0f | 0x70, r1, r2 & 0x3f | 0x80, s0, s1, s2, s3, s4, s5, s6])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T-7, L-9: a pass id holds its lot and serial number, and the passes of a lot sort by serial.
    #[test]
    fn a_pass_id_holds_lot_and_serial() {
        let mut ids = Ids::new(&[7; 32], Instant::from_micros(1_790_000_000_000_000).unwrap());
        let lot = ids.draw_lot();
        assert_eq!(lot.to_uuid().get_version_num(), 7);
        assert_eq!(lot.pass(u32::MAX).serial(), u32::MAX);
        assert_eq!(lot.pass(9).lot(), lot);
        assert!(lot.pass(9) < lot.pass(10) && lot.pass(255) < lot.pass(256));
        let again = Ids::new(&[7; 32], Instant::from_micros(1_790_000_000_000_000).unwrap()).draw_lot();
        assert_eq!(lot, again);
    }
}
