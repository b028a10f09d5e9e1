//! The library for other languages.

#[cfg(any(feature = "uniffi", feature = "python"))]
mod convert;
