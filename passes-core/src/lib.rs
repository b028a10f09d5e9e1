//! The domain of passes: gift cards and top-up vouchers that are sold, handed out, checked and redeemed. Pure: no
//! I/O, no clock, no randomness of its own, no async runtime. An application depends on `passes-host`, which
//! brings all of that; its front page is the guide's first chapter.
//!
//! | to learn | read |
//! |---|---|
//! | what can be asked for | [`Passes`], whose methods are the use cases, and [`service`] for their requests |
//! | what is offered | [`business`], [`plan`], [`conditions`], [`fields`], [`passcode`], [`secret`] |
//! | what is held | [`contact`], [`lot`], [`pass`], [`wallet`] |
//! | what is done with it | [`redemption`], [`run`], [`operation`], [`event`] |
//! | the books | [`ledger`] |
//! | numbers and time | [`money`], [`calendar`], [`id`] |
//! | why something was refused | [`Refusal`], and [`limits`] for every maximum |
//! | how to keep it elsewhere | [`store`] |

pub mod business;
pub mod calendar;
pub mod conditions;
pub mod contact;
pub mod event;
pub mod fields;
mod hash;
pub mod id;
pub mod ledger;
pub mod limits;
pub mod lot;
pub mod money;
pub mod operation;
pub mod pass;
pub mod passcode;
pub mod plan;
pub mod redemption;
pub mod refusal;
pub mod run;
pub mod secret;
pub mod service;
pub mod store;
pub mod wallet;

pub use refusal::Refusal;
pub use service::{Call, Clock, Entropy, Error, Passes, Receipt};
