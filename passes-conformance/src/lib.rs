//! The suite that every store runs, a foreign one too (D-2).
//!
//! A store's tests name a [`Factory`] and get one test per case:
//!
//! ```
//! use passes_core::store::{Store, memory::Memory};
//! use std::sync::Arc;
//!
//! passes_conformance::conformance_suite!({
//!     let memory = Memory::new();
//!     move || Arc::new(memory.clone()) as Arc<dyn Store>
//! });
//! ```
//!
//! A program that isn't Rust runs the cases by name: [`CASES`] lists them, [`run_case`] runs one.
//!
//! The cases speak to the store alone, without a service: raw loads and changes. Each runs twice, as a thread
//! would that may block, and through an executor that never blocks; each makes a business of its own, so that
//! a store that is not empty will do.
//!
//! A store that a host writes as rows, a [`RecordStore`](passes_core::store::record::RecordStore), has cases of its own
//! beside them: [`ROW_CASES`] and [`run_row_case`].
//!
//! [`broken`] has stores with one fault each, which the suite must find; [`chaos`] a wrapper that makes
//! lawful trouble, under which everything must hold; [`turns`] drives many callers on one thread, from a seed.

// This is a test suite: a fault in it should be as loud as one in the store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

pub mod broken;
mod cases;
pub mod chaos;
mod check;
mod executor;
mod rows;
pub mod turns;
mod world;

pub use cases::{CASES, Case};
pub use check::{Failure, Outcome};
pub use executor::Face;
pub use rows::{ROW_CASES, RowCase, RowFactory, run_row_case};
pub use world::{Client, World};

use passes_core::store::Store;
use std::sync::Arc;

/// Opens the store under test.
///
/// Opening again gives the same data: a case that proves durability drops the store and opens it once more.
/// A closure `Fn() -> Arc<dyn Store>` is one.
pub trait Factory: Send + Sync {
    /// Opens it.
    fn open(&self) -> Arc<dyn Store>;
}

impl<F: Fn() -> Arc<dyn Store> + Send + Sync> Factory for F {
    fn open(&self) -> Arc<dyn Store> {
        self()
    }
}

/// Runs the case of this name on both faces.
///
/// # Errors
/// What is wrong with the store, in words, or that there is no such case.
pub fn run_case(name: &str, factory: &dyn Factory) -> Result<(), String> {
    let case = CASES.iter().find(|case| case.name == name).ok_or_else(|| format!("no case {name}"))?;
    for face in [Face::Blocking, Face::Async] {
        let mut world = World::new(factory, face);
        let seed = world.seed();
        (case.run)(&mut world).map_err(|failure| format!("{name} ({face:?}, seed {seed:x}): {failure}"))?;
    }
    Ok(())
}
