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
//! # Sell, check and redeem
//!
//! A printed plan makes lots. A lot is a run: each [`step`](Passes::step) commits some thousands of passes, and one
//! that stopped goes on where it was. Its codes leave by an [export](Passes::export) for the printer.
//!
//! ```
//! use passes_host::conditions::{Basket, Line};
//! use passes_host::contact::{Medium, Profile};
//! use passes_host::money::{Currency, Money};
//! use passes_host::service::{Deal, Generate, Over, Redeem, Spend};
//! # use passes_host::business::Settings;
//! # use passes_host::operation::{Actor, By, Rights};
//! # use passes_host::passcode::Format;
//! # use passes_host::plan::{Classification, Form, Spec, Terms};
//! # let passes = passes_host::open("memory:", passes_host::secret::Keyring::from_master("m1", &[7; 32])?).wait()?;
//! # let owner = Actor::new("owner", Rights::all())?;
//! # let shop = passes.create_business(&owner, Settings::new("Shop", "Europe/London", &["GBP"], "en")?).wait()?;
//! # let by = By::new(shop, owner);
//! # let gbp = Currency::parse("GBP")?;
//! # let spec = Spec {
//! #     name: [("en".to_owned(), "Gift card".to_owned())].into(),
//! #     description: Default::default(),
//! #     terms: Terms::fixed(Classification::Gift, Form::Printed, Money::parse("25", gbp)?),
//! #     code: Format::default(),
//! #     caps: Default::default(),
//! # };
//! # let plan = passes.create_plan(&by, spec).wait()?.done;
//! # passes.activate_plan(&by, plan).wait()?;
//! let started = passes.generate(&by, Generate { plan, count: 1_000, accept_weak: false }).wait()?;
//! let progress = passes.finish_run(&by, started.run).wait()?;
//! assert_eq!(progress.done, 1_000);
//!
//! passes.export(&by, started.lot).wait()?;
//! let printed = passes.export_page(&by, started.lot, 0, 2).wait()?;
//! let codes: Vec<&str> = printed.iter().map(|row| row.code.reveal()).collect();
//!
//! // At the counter: the value is booked, and the cards are active.
//! let cards: Over = printed.iter().map(|row| row.pass).collect::<Vec<_>>().into();
//! passes.sell(&by.clone().key("receipt-1"), cards, Deal::at(Money::parse("25", gbp)?)).wait()?;
//!
//! // A gift card is spent directly, in parts. A check tells what a redemption would do, or all that is wrong.
//! let coffee = Redeem::direct(codes[0], Money::parse("4.80", gbp)?);
//! assert!(passes.check(&by, &coffee).wait()?.is_good());
//! let paid = passes.redeem(&by.clone().key("receipt-2"), coffee).wait()?;
//! assert_eq!(paid.left.to_string(), "20.20 GBP");
//!
//! // Or it is redeemed into a wallet, which pays baskets.
//! let ann = Profile::named("Ann", Medium::Email("ann@example.org".into()));
//! let ann = passes.create_contact(&by, ann).wait()?.done;
//! passes.redeem(&by.clone().key("app-1"), Redeem::into_wallet(codes[1], ann)).wait()?;
//! let basket = Basket::new(gbp, vec![Line::new("MUG", 2, Money::parse("7.50", gbp)?)])?;
//! let spent = passes.spend(&by.clone().key("receipt-3"), Spend::all(ann, basket)).wait()?;
//! assert_eq!(spent.amount.to_string(), "15.00 GBP");
//!
//! // One of the mugs comes back; and the books are right.
//! use passes_host::service::Reverse;
//! passes.reverse(&by, Reverse::operation(spent.operation).lines(vec![(0, Money::parse("7.50", gbp)?)])).wait()?;
//! assert_eq!(passes.wallet(&by, ann).wait()?.balance(gbp)?.to_string(), "17.50 GBP");
//! assert!(passes.verify(&by).wait()?.is_good());
//! # Ok::<(), passes_host::HostError>(())
//! ```
//!
//! An electronic pass is [issued](Passes::issue) to one recipient. An event asks for its delivery; the host has the
//! code [revealed](Passes::reveal), sends it, and says [what became of it](Passes::delivered), by which the pass
//! becomes active.
//!
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
//! [`Opener::open_on`]. Four methods over rows are enough: see [`records`].
//!
//! # Features
//!
//! - `sqlite` (on by default): files of SQLite.
//! - `postgres`: PostgreSQL, for many processes and machines.
//!
//! Without either an address is `memory:`, or the store is your own.

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

/// The store in a PostgreSQL database, for a host that opens it with options of its own; see [`Opener::open_on`].
#[cfg(feature = "postgres")]
pub use passes_postgres as postgres;

pub use clock::SystemClock;
pub use entropy::OsEntropy;
pub use error::HostError;
pub use keys::{KEYRING_TEXT, create_keyring_file, keyring_from_env, keyring_from_file};
pub use open::{Opener, Opening, open, records};
