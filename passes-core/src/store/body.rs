//! Documents as a store hands them out, and what they were decoded to.

use super::load::Doc;
use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// What something was decoded to, beside it: who gets the same again needn't decode it again.
#[derive(Default)]
struct Decoded(OnceLock<Box<dyn Any + Send + Sync>>);

impl Decoded {
    fn get<T: Any>(&self) -> Option<&T> {
        self.0.get()?.downcast_ref()
    }

    /// The first that comes is kept.
    fn keep<T: Any + Send + Sync>(&self, value: T) {
        self.0.get_or_init(|| Box::new(value));
    }
}

/// The body of a document: JSON, versioned. A clone is the same body.
///
/// ```
/// use passes_core::store::Body;
/// let body = Body::from(b"{}".as_slice());
/// assert_eq!((&*body, body.clone() == Body::from(vec![b'{', b'}'])), (b"{}".as_slice(), true));
/// ```
#[derive(Clone)]
pub struct Body(Arc<Whole>);

struct Whole {
    decoded: Decoded,
    bytes: Box<[u8]>,
}

impl Body {
    /// What it was decoded to, if somebody kept that.
    pub(crate) fn decoded<T: Any>(&self) -> Option<&T> {
        self.0.decoded.get()
    }

    /// Keeps what it was decoded to.
    pub(crate) fn keep<T: Any + Send + Sync>(&self, value: T) {
        self.0.decoded.keep(value);
    }
}

impl From<Box<[u8]>> for Body {
    fn from(bytes: Box<[u8]>) -> Self {
        Self(Arc::new(Whole { decoded: Decoded::default(), bytes }))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        bytes.into_boxed_slice().into()
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        Box::<[u8]>::from(bytes).into()
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl Deref for Body {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0.bytes
    }
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        // A store in memory hands out the same one again and again.
        Arc::ptr_eq(&self.0, &other.0) || **self == **other
    }
}

impl Eq for Body {}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The documents of a lot in one piece: the lot, its terms, their plan, as a store keeps them at hand.
/// See [`Loaded::chain`](super::Loaded::chain).
pub struct Piece {
    docs: Box<[Doc]>,
    decoded: Decoded,
}

impl Piece {
    /// These documents.
    ///
    /// ```
    /// use passes_core::store::{Doc, DocKey, DocKind, Piece};
    /// let lot = DocKey { kind: DocKind::Lot, id: [7; 16] };
    /// let doc = Doc { key: lot, version: 1, parent: None, body: b"{}".as_slice().into() };
    /// assert_eq!(Piece::new(vec![doc]).docs()[0].key, lot);
    /// ```
    #[must_use]
    pub fn new(docs: Vec<Doc>) -> Self {
        Self { docs: docs.into(), decoded: Decoded::default() }
    }

    /// The documents, that of the lot first.
    /// See [`Piece::new`].
    #[must_use]
    pub fn docs(&self) -> &[Doc] {
        &self.docs
    }

    /// What they were decoded to, if somebody kept that.
    pub(crate) fn decoded<T: Any>(&self) -> Option<&T> {
        self.decoded.get()
    }

    /// Keeps what they were decoded to.
    pub(crate) fn keep<T: Any + Send + Sync>(&self, value: T) {
        self.decoded.keep(value);
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.docs.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D-3: a body is kept decoded with itself, for each of its clones, and for no other that says the same.
    #[test]
    fn a_body_keeps_what_it_says() {
        let body = Body::from(b"7".as_slice());
        let (clone, other) = (body.clone(), Body::from(vec![b'7']));
        body.keep(7_u32);
        clone.keep(8_u32);
        assert_eq!((clone.decoded::<u32>(), clone.decoded::<u64>()), (Some(&7), None));
        assert!(body == other && other.decoded::<u32>().is_none());
        assert_eq!((format!("{body:?}"), Body::default().len()), ("[55]".to_owned(), 0));
    }
}
