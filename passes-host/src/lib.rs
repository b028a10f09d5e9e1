//! Sell, hand out, check and redeem passes: gift cards and top-up vouchers, from your own application.
//!
//! This crate is what a Rust application depends on. It is the whole library: everything of `passes_core` stands
//! here under the same names, and with it come the stores, the machine's clock, the operating system's
//! randomness, and the keys. This page is the first chapter of the guide; the modules say the rest.
//!
//! # Open
//!
//! ```
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
//! # let (gift_keys, gift_db) = (path("gift.keys"), "memory:");
//! // Once, when the application is installed:
//! passes_host::create_keyring_file(&gift_keys)?;
//!
//! // At each start:
//! let keyring = passes_host::keyring_from_file(&gift_keys)?;
//! let passes = passes_host::open(gift_db, keyring).wait()?;
//! # let _ = passes;
//! # Ok::<(), passes_host::HostError>(())
//! ```
//!
//! An address is a path, `gift.db`, for a file of SQLite, or `memory:` for a store that ends with the program;
//! [`open()`] has the list. What it gives, a [`Passes`], is cheap to clone and works from many threads at once: open it
//! once and share it.
//!
//! # Keys
//!
//! A [`Keyring`](secret::Keyring) holds a key for each [purpose](secret::Purpose), each with an id. It never enters a
//! store: a stolen database alone redeems nothing and tells no code, and neither does a stolen keyring. Both
//! together do, so keep their copies apart. A lost keyring is worse than a stolen one: no code can be redeemed
//! any more.
//!
//! It comes from a file ([`keyring_from_file`], [`create_keyring_file`]), from the environment
//! ([`keyring_from_env`]) or from your own secret manager ([`Keyring::parse`](secret::Keyring::parse),
//! [`Keyring::from_master`](secret::Keyring::from_master), [`Keyring::builder`](secret::Keyring::builder)). A
//! store remembers the ids of the keys it was made with. Opened without one of them, it says which:
//!
//! ```
//! use passes_host::secret::Keyring;
//! use passes_host::store::memory::Memory;
//! use passes_host::Opener;
//! use std::sync::Arc;
//!
//! let store = Arc::new(Memory::new());
//! let opener = Opener::new();
//! opener.open_on(store.clone(), Keyring::from_master("spring", &[1; 32])?).wait()?;
//!
//! let other = Keyring::from_master("autumn", &[2; 32])?;
//! let error = opener.open_on(store, other).wait().err().unwrap();
//! assert_eq!(error.code(), "KEY_MISSING");
//! assert_eq!(error.to_string(), "the digest key spring is not in the keyring");
//! # Ok::<(), passes_host::HostError>(())
//! ```
//!
//! # A business and a plan
//!
//! Every record belongs to a [business]: it has a time zone, currencies and languages. Commands are given
//! [by](operation::By) an [actor](operation::Actor), a person or a till or a program, with the
//! [rights](operation::Right) that your application grants it. A [plan] says what the passes made from it are
//! worth, how long they live and how their codes look; once it is active, it makes passes.
//!
//! ```
//! use passes_host::business::Settings;
//! use passes_host::operation::{Actor, By, Rights};
//! use passes_host::plan::{PlanState, Spec};
//! # let keyring = passes_host::secret::Keyring::from_master("m1", &[7; 32])?;
//! # let passes = passes_host::open("memory:", keyring).wait()?;
//!
//! let owner = Actor::new("owner", Rights::all())?;
//! let settings = Settings::new("The Gift Shop", "Europe/London", &["GBP"], "en-GB")?;
//! let shop = passes.create_business(&owner, settings.clone()).wait()?;
//! let by = By::new(shop, owner);
//!
//! let card = Spec::from_toml(
//!     r#"
//!     [name]
//!     en-GB = "Gift card"
//!     [terms]
//!     classification = "gift"
//!     form = "printed"
//!     currency = "GBP"
//!     value = "25.00 GBP"
//!     redeem_by = { after_activation = "P3Y to end of year" }
//!     [code]
//!     length = 12
//!     "#,
//!     &settings,
//! )?;
//! let plan = passes.create_plan(&by, card).wait()?.done;
//! passes.activate_plan(&by, plan).wait()?;
//! assert_eq!(passes.plan(&by, plan).wait()?.state, PlanState::Active);
//! # Ok::<(), passes_host::HostError>(())
//! ```
//!
//! A plan can also be written in Rust, as a [`Spec`](plan::Spec). Every accepted command answers with a
//! [`Receipt`]. Given again under the same [idempotency key](operation::By::key), it moves nothing and answers
//! with the same receipt: a till that lost the answer simply asks again.
//!
// FILL: "# Sell, check and redeem": generate a lot, export, sell, check, redeem into a wallet, spend.
//! # Sync and async
//!
//! Every use case is a [`Call`], and does nothing before you say how to run it. A script, a till or a command
//! line tool calls [`wait`](Call::wait) and meets no runtime. An async server awaits the same call, in whatever
//! runtime it has, and the store never blocks the executor:
//!
//! ```
//! # use passes_host::{HostError, business::Settings, operation::{Actor, Rights}, secret::Keyring};
//! async fn serve(keyring: Keyring) -> Result<(), HostError> {
//!     let passes = passes_host::open("memory:", keyring).await?;
//!     let owner = Actor::new("owner", Rights::all())?;
//!     let settings = Settings::new("The Gift Shop", "Europe/London", &["GBP"], "en-GB")?;
//!     let shop = passes.create_business(&owner, settings).await?;
//!     # let _ = shop;
//!     Ok(())
//! }
//! # let server = tokio::runtime::Builder::new_current_thread().build().unwrap();
//! # server.block_on(serve(Keyring::from_master("m1", &[7; 32])?))?;
//! # Ok::<(), HostError>(())
//! ```
//!
//! # Errors
//!
//! A use case fails with an [`Error`]: the command was refused, for one or more [reasons](Error::reasons), or the
//! store failed, or a key is missing. Each has a stable [`code`](Error::code) for programs and a text for people;
//! [`is_retryable`](Error::is_retryable) says whether the same command may simply be given again. Opening and
//! keys fail with a [`HostError`], which every other error turns into by `?`.
//!
//! ```
//! use passes_host::{HostError, Refusal, business::Settings};
//! # use passes_host::{operation::{Actor, By, Rights}, plan::{Classification, Form, Terms}, secret::Keyring};
//! # let passes = passes_host::open("memory:", Keyring::from_master("m1", &[7; 32])?).wait()?;
//! # let clerk = Actor::new("clerk", Rights::default())?;
//! let settings = Settings::new("The Gift Shop", "Europe/London", &["GBP"], "en-GB")?;
//! let error = passes.create_business(&clerk, settings).wait().unwrap_err();
//! assert_eq!(error.code(), "FORBIDDEN");
//! assert_eq!(error.to_string(), "this needs the right to configure: the actor lacks it");
//! assert!(matches!(error.reasons(), [Refusal::Forbidden { .. }]));
//! # Ok::<(), HostError>(())
//! ```
//!
//! No error, and no text or `Debug` of anything, shows a passcode or a key.
//!
//! # Tests of your own
//!
//! [`testing`] has a clock that stands still and randomness that repeats; with `memory:` a test needs no file. A
//! host that keeps its records elsewhere implements [`Store`](store::Store), and opens it with
//! [`Opener::open_on`].
//!
//! # Features
//!
//! - `sqlite` (on by default): files of SQLite. Without it an address is `memory:`, or the store is your own.

mod clock;
mod entropy;
mod error;
mod keys;
#[cfg(feature = "sqlite")]
mod offload;
mod open;
pub mod testing;

#[doc(inline)]
pub use passes_core::*;

/// The store in a file of SQLite, for a host that opens it with options of its own; see [`Opener::open_on`].
#[cfg(feature = "sqlite")]
pub use passes_sqlite as sqlite;

pub use clock::SystemClock;
pub use entropy::OsEntropy;
pub use error::HostError;
pub use keys::{KEYRING_TEXT, create_keyring_file, keyring_from_env, keyring_from_file};
pub use open::{Opener, Opening, open};
