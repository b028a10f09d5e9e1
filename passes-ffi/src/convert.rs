//! How values travel between the core and a face. The generated code converts field by field and lets the types
//! say how; what holds others is said here, once.

use passes_host::Refusal;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

/// From the core to a face.
pub(crate) trait Give<T> {
    /// As the face has it.
    fn give(self) -> T;
}

/// From a face to the core.
pub(crate) trait Take<T> {
    /// As the core has it, or why it can't be.
    fn take(self) -> Result<T, Refusal>;
}

/// Types that are the same on both sides.
macro_rules! same {
    ($($ty:ty),+) => { $(
        impl Give<$ty> for $ty {
            fn give(self) -> $ty { self }
        }
        impl Take<$ty> for $ty {
            fn take(self) -> Result<$ty, Refusal> { Ok(self) }
        }
    )+ };
}
pub(crate) use same;

same!(bool, i64, String);

/// Whole numbers: a face has signed ones of 64 bits. What the core counts fits; what a caller gives may not.
macro_rules! whole {
    ($($ty:ty),+) => { $(
        impl Give<i64> for $ty {
            fn give(self) -> i64 { i64::try_from(self).unwrap_or(i64::MAX) }
        }
        impl Take<$ty> for i64 {
            fn take(self) -> Result<$ty, Refusal> {
                Self::try_into(self).map_err(|_| Refusal::invalid("number", format!("{self} is out of range")))
            }
        }
    )+ };
}

whole!(u8, u16, u32, u64, usize);

impl Give<String> for &str {
    fn give(self) -> String {
        self.to_owned()
    }
}

impl Give<String> for Arc<str> {
    fn give(self) -> String {
        (*self).to_owned()
    }
}

impl Take<Arc<str>> for String {
    fn take(self) -> Result<Arc<str>, Refusal> {
        Ok(self.into())
    }
}

impl<A: Give<B>, B> Give<Option<B>> for Option<A> {
    fn give(self) -> Option<B> {
        self.map(Give::give)
    }
}

impl<A: Take<B>, B> Take<Option<B>> for Option<A> {
    fn take(self) -> Result<Option<B>, Refusal> {
        self.map(Take::take).transpose()
    }
}

impl<A: Give<B>, B> Give<Vec<B>> for Vec<A> {
    fn give(self) -> Vec<B> {
        self.into_iter().map(Give::give).collect()
    }
}

impl<A: Take<B>, B> Take<Vec<B>> for Vec<A> {
    fn take(self) -> Result<Vec<B>, Refusal> {
        self.into_iter().map(Take::take).collect()
    }
}

impl<A: Give<B>, B: Hash + Eq> Give<HashSet<B>> for BTreeSet<A> {
    fn give(self) -> HashSet<B> {
        self.into_iter().map(Give::give).collect()
    }
}

impl<A: Take<B>, B: Ord> Take<BTreeSet<B>> for HashSet<A> {
    fn take(self) -> Result<BTreeSet<B>, Refusal> {
        self.into_iter().map(Take::take).collect()
    }
}

impl<K: Give<L>, V: Give<W>, L: Hash + Eq, W> Give<HashMap<L, W>> for BTreeMap<K, V> {
    fn give(self) -> HashMap<L, W> {
        self.into_iter().map(|(key, value)| (key.give(), value.give())).collect()
    }
}

impl<K: Take<L>, V: Take<W>, L: Ord, W> Take<BTreeMap<L, W>> for HashMap<K, V> {
    fn take(self) -> Result<BTreeMap<L, W>, Refusal> {
        self.into_iter().map(|(key, value)| Ok((key.take()?, value.take()?))).collect()
    }
}
