//! A host from outside: its keys, opening, and both ways of calling.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[cfg(feature = "sqlite")]
mod bad_files;
mod bad_input;
mod calling;
#[cfg(feature = "sqlite")]
mod files;
mod keys;
mod opening;
mod precedence;
#[cfg(feature = "sqlite")]
mod secrets;
mod shop;
mod typing;

use passes_host::business::Settings;
use passes_host::operation::{Actor, Rights};
use passes_host::plan::Spec;
use passes_host::secret::Keyring;

fn keyring(id: &str, byte: u8) -> Keyring {
    Keyring::from_master(id, &[byte; 32]).unwrap()
}

fn owner() -> Actor {
    Actor::new("owner", Rights::all()).unwrap()
}

fn settings() -> Settings {
    Settings::new("The Gift Shop", "Europe/London", &["GBP"], "en-GB").unwrap()
}

fn gift_card() -> Spec {
    let text = r#"
        [name]
        en-GB = "Gift card"
        [terms]
        classification = "gift"
        form = "printed"
        currency = "GBP"
        value = "25.00 GBP"
        [code]
        length = 12
    "#;
    Spec::from_toml(text, &settings()).unwrap()
}
