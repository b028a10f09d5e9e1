//! Passcodes in the hands of a caller, their hashes and digests (C-7, C-13, C-14).

use super::fold::{FOLDING_VERSION, Folded, fold};
use super::{HIDDEN, visible};
use crate::refusal::Refusal;
use crate::secret::{Key, hex, wipe};
use constant_time_eq::constant_time_eq_32;
use std::cmp::Ordering;
use std::fmt;
use std::sync::LazyLock;
use zeroize::{ZeroizeOnDrop, Zeroizing, optimization_barrier};

/// The context of the hash of a passcode. It stands for version 1 of the folding rule
/// ([`FOLDING_VERSION`]) and never changes: every stored digest rests on it.
/// See [`CodeHash`].
pub const CODE_HASH_CONTEXT: &str = "passes 2026 passcode hash, folding 1";

const _: () = assert!(FOLDING_VERSION == 1, "another folding rule needs another context");

/// The context's key: half the work of every hash, done once.
static CONTEXT_KEY: LazyLock<blake3::hazmat::ContextKey> =
    LazyLock::new(|| blake3::hazmat::hash_derive_key_context(CODE_HASH_CONTEXT));

/// A passcode as it was typed, drawn or imported.
///
/// It wipes itself when dropped; `Debug` and `Display` say nothing; equality takes the same time wherever two
/// texts of one length differ. It can't be serialized: a message that has to carry it reveals it itself.
///
/// ```
/// use passes_core::passcode::Passcode;
/// let code = Passcode::new("7kq2-m9xw");
/// assert_eq!(code.to_string(), "••••");
/// assert_eq!(code.mask(), "••••-••xw");
/// assert_eq!(code.hash(&[0; 16])?, Passcode::new("7KQ2M9XW").hash(&[0; 16])?);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone)]
pub struct Passcode(Zeroizing<String>);

impl Passcode {
    /// A passcode from its text, which is judged when it is folded.
    /// See [`Passcode`].
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The plain text. It is the secret.
    ///
    /// ```
    /// let code = passes_core::passcode::Passcode::new("7kq2-m9xw");
    /// assert_eq!((code.reveal(), code.fold()?.reveal()), ("7kq2-m9xw", "7KQ2M9XW"));
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its folded form (C-1).
    /// An example is at [`Passcode::reveal`].
    ///
    /// # Errors
    ///
    /// `MALFORMED`: see [`fold`].
    pub fn fold(&self) -> Result<Folded, Refusal> {
        fold(&self.0)
    }

    /// Its hash in a business.
    /// An example is at [`Passcode`].
    ///
    /// # Errors
    ///
    /// `MALFORMED`: see [`fold`].
    pub fn hash(&self, business: &[u8; 16]) -> Result<CodeHash, Refusal> {
        Ok(CodeHash::of(business, &self.fold()?))
    }

    /// The text with all but its last characters hidden (C-6), where no format is known, so that all of it may be
    /// body. With a format, [`Maker::mask`](super::Maker::mask) tells prefix and body apart.
    /// See [`Passcode`].
    #[must_use]
    pub fn mask(&self) -> String {
        let counts = |c: char| c.is_alphanumeric();
        let all = self.0.chars().filter(|c| counts(*c)).count();
        let hidden = all - visible(all);
        let mut seen = 0;
        let mask = |c: char| {
            seen += usize::from(counts(c));
            match c {
                '-' | ' ' => c,
                c if counts(c) && seen > hidden => c,
                _ => HIDDEN,
            }
        };
        self.0.chars().map(mask).collect()
    }
}

impl From<String> for Passcode {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Passcode {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl PartialEq for Passcode {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq::constant_time_eq(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for Passcode {}

impl fmt::Debug for Passcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passcode(..)")
    }
}

impl fmt::Display for Passcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••")
    }
}

/// The hash of a passcode in a business: BLAKE3 `derive_key` of [`CODE_HASH_CONTEXT`] over the 16 bytes of the
/// business's id and the folded code. Who has the right may present it instead of the code (C-14), so it is a
/// secret like the code.
///
/// It wipes itself when dropped; `Debug` and `Display` say nothing; equality takes constant time.
///
/// ```
/// use passes_core::passcode::{CodeHash, Passcode};
/// let hash = Passcode::new("7KQ2").hash(&[0; 16])?;
/// assert_eq!(CodeHash::from_hex(&hash.reveal_hex())?, hash);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone)]
pub struct CodeHash([u8; 32]);

impl CodeHash {
    /// The hash of a folded code.
    ///
    /// ```
    /// use passes_core::passcode::{CodeHash, Passcode, fold};
    /// let hash = CodeHash::of(&[0; 16], &fold("7KQ2")?);
    /// assert_eq!(hash, Passcode::new("7kq2").hash(&[0; 16])?);
    /// assert_eq!(CodeHash::from_bytes(*hash.reveal()), hash);
    /// assert_ne!(CodeHash::of(&[1; 16], &fold("7KQ2")?), hash); // In another business.
    /// # Ok::<(), passes_core::Refusal>(())
    /// ```
    #[must_use]
    pub fn of(business: &[u8; 16], code: &Folded) -> Self {
        hash_parts(business, [code.reveal_bytes()])
    }

    /// A hash that a caller presents.
    /// See [`CodeHash::of`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A hash that a caller presents as 64 hexadecimal digits, in either case.
    /// See [`CodeHash`].
    ///
    /// # Errors
    ///
    /// `MALFORMED` for anything else; the text is not repeated.
    pub fn from_hex(text: &str) -> Result<Self, Refusal> {
        hex::decode_array(text).map(Self).ok_or(Refusal::Malformed)
    }

    /// The bytes. They are the secret.
    /// See [`CodeHash::of`].
    #[must_use]
    pub fn reveal(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bytes as 64 lower-case hexadecimal digits. They are the secret.
    /// See [`CodeHash`].
    #[must_use]
    pub fn reveal_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(&self.0))
    }

    /// The digest under a key of purpose [`Digest`](crate::secret::Purpose::Digest): what a store holds.
    /// See [`Digest`].
    #[must_use]
    #[inline]
    pub fn digest(&self, key: &Key) -> Digest {
        Digest(*blake3::keyed_hash(key.reveal(), &self.0).as_bytes())
    }
}

/// What nearly every code fits into with the business's id: two blocks of the hash.
const ROOM: usize = 128;

/// Hashes a folded code that comes in parts.
#[inline]
pub(super) fn hash_parts<const N: usize>(business: &[u8; 16], code: [&[u8]; N]) -> CodeHash {
    let parts = || std::iter::once(&business[..]).chain(code);
    let length: usize = parts().map(<[u8]>::len).sum();
    let mut room = [0; ROOM];
    // In one piece, which is quicker than part by part.
    let Some(whole) = room.get_mut(..length) else { return hash_of(parts()) };
    let mut rest = &mut *whole;
    for part in parts() {
        if let Some((here, after)) = std::mem::take(&mut rest).split_at_mut_checked(part.len()) {
            here.copy_from_slice(part);
            rest = after;
        }
    }
    let hash = hash_of(std::iter::once(&*whole));
    wipe(&mut room);
    hash
}

fn hash_of<'a>(parts: impl Iterator<Item = &'a [u8]>) -> CodeHash {
    use blake3::hazmat::HasherExt as _;
    let mut hasher = blake3::Hasher::new_from_context_key(&CONTEXT_KEY);
    for part in parts.filter(|part| !part.is_empty()) {
        hasher.update(part);
    }
    let hash = CodeHash(*hasher.finalize().as_bytes());
    // What was hashed is still in the hasher's block.
    hasher.reset();
    optimization_barrier(&hasher);
    hash
}

impl Drop for CodeHash {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl ZeroizeOnDrop for CodeHash {}

impl PartialEq for CodeHash {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq_32(&self.0, &other.0)
    }
}

impl Eq for CodeHash {}

impl fmt::Debug for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeHash(..)")
    }
}

impl fmt::Display for CodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("••••")
    }
}

/// What a store holds of a passcode: the keyed hash of its [`CodeHash`], or, after a rotation, of the digest
/// before it (C-7). Without the key it tells nothing of the code.
///
/// `Debug` says nothing all the same. Equality takes constant time; the order is that of the bytes, for sorting.
///
/// ```
/// use passes_core::passcode::{Digest, Passcode};
/// use passes_core::secret::Key;
/// let (first, second) = (Key::from_bytes([1; 32]), Key::from_bytes([2; 32]));
/// let digest = Passcode::new("7KQ2").hash(&[0; 16])?.digest(&first);
/// assert_ne!(digest.wrap(&second), digest);
/// assert_eq!(Digest::from_bytes(*digest.as_bytes()), digest);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// A digest that was stored.
    /// See [`Digest`].
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    /// See [`Digest`].
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The bytes as 64 lower-case hexadecimal digits.
    ///
    /// ```
    /// use passes_core::passcode::Digest;
    /// assert_eq!(Digest::from_bytes([0xab; 32]).to_hex(), "ab".repeat(32));
    /// ```
    #[must_use]
    pub fn to_hex(self) -> String {
        hex::encode(&self.0)
    }

    /// The digest after a rotation to a new key: the keyed hash of this one.
    /// See [`Digest`].
    #[must_use]
    #[inline]
    pub fn wrap(&self, key: &Key) -> Self {
        Self(*blake3::keyed_hash(key.reveal(), &self.0).as_bytes())
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        constant_time_eq_32(&self.0, &other.0)
    }
}

impl Eq for Digest {}

impl PartialOrd for Digest {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Digest {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl std::hash::Hash for Digest {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(..)")
    }
}

/// What a command takes for a passcode: the code, or its hash (C-14).
///
/// ```
/// use passes_core::passcode::{Passcode, Presented};
/// let typed = Presented::from("7kq2-m9xw");
/// let hashed = Presented::Hash(Passcode::new("7KQ2 M9XW").hash(&[0; 16])?);
/// assert_eq!(typed.hash(&[0; 16])?, hashed.hash(&[0; 16])?);
/// # Ok::<(), passes_core::Refusal>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The code itself.
    Code(Passcode),
    /// Its hash, if the business allows that and the actor has the right.
    Hash(CodeHash),
}

impl Presented {
    /// The hash of what was presented.
    /// See [`Presented`].
    ///
    /// # Errors
    ///
    /// `MALFORMED` if a code was, and can't be folded.
    pub fn hash(&self, business: &[u8; 16]) -> Result<CodeHash, Refusal> {
        match self {
            Self::Code(code) => code.hash(business),
            Self::Hash(hash) => Ok(hash.clone()),
        }
    }
}

impl From<Passcode> for Presented {
    fn from(code: Passcode) -> Self {
        Self::Code(code)
    }
}

impl From<&str> for Presented {
    fn from(text: &str) -> Self {
        Self::Code(Passcode::new(text))
    }
}

impl From<CodeHash> for Presented {
    fn from(hash: CodeHash) -> Self {
        Self::Hash(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn business() -> [u8; 16] {
        std::array::from_fn(|n| u8::try_from(n).unwrap())
    }

    /// C-1, C-7: bytes that never change. If this fails, every stored digest is worthless.
    #[test]
    fn golden_hashes() {
        let hash = Passcode::new("gift-7kq2-m9xw").hash(&business()).unwrap();
        assert_eq!(*hash.reveal_hex(), "4766072d13da2c295347077547634523ee67d068dca87caf09a0d422cf2574fc");
        let digest = hash.digest(&Key::from_bytes([42; 32]));
        assert_eq!(digest.to_hex(), "4d3cd6cbee2d02693ecd3d89cb5bfcc62fb4ea626bceec1f3121356444ac574b");
        assert_eq!(
            digest.wrap(&Key::from_bytes([43; 32])).to_hex(),
            "72fcf2f45f0cbf6a95e8935b5d6e32e94999e2631714ad5acf8795ff3fa8ae16"
        );
    }

    /// C-7: the hash is what the design says it is, whatever the length.
    #[test]
    fn as_documented() {
        for code in ["7KQ2", &"7KQ2M9XW".repeat(6), &"7KQ2M9XW".repeat(32)] {
            let mut input = business().to_vec();
            input.extend(code.bytes());
            let expected = blake3::derive_key(CODE_HASH_CONTEXT, &input);
            let folded = fold(code).unwrap();
            assert_eq!(CodeHash::of(&business(), &folded), CodeHash::from_bytes(expected));
            let (start, end) = code.as_bytes().split_at(3);
            assert_eq!(hash_parts(&business(), [start, end]), CodeHash::from_bytes(expected));
        }
    }

    /// C-1, B-1: one code however it is typed, another in another business.
    #[test]
    fn identity() {
        let hash = |text: &str, business| Passcode::new(text).hash(&business).unwrap();
        assert_eq!(hash("gift-lOiL", business()), hash("ＧＩＦＴ 1011", business()));
        assert_ne!(hash("GIFT1011", business()), hash("GIFT1011", [0; 16]));
        assert_ne!(hash("GIFT1011", business()), hash("GIFT1010", business()));
    }

    /// C-14: a hash is presented as bytes or hexadecimal digits, and nothing else.
    #[test]
    fn hex_hashes() {
        let hash = Passcode::new("7KQ2").hash(&business()).unwrap();
        let text = hash.reveal_hex();
        assert_eq!(CodeHash::from_hex(&text.to_uppercase()).unwrap(), hash);
        for bad in ["", "00", &text[1..], &format!("{}g", &text[1..]), &format!("{}é", &text[2..])] {
            assert_eq!(CodeHash::from_hex(bad).unwrap_err(), Refusal::Malformed);
        }
        assert_eq!(Presented::from("!").hash(&business()).unwrap_err(), Refusal::Malformed);
    }
}
