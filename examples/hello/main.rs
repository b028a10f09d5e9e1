//! The shortest way through: open, plan, sell, check, redeem.

use passes_host::business::Settings;
use passes_host::operation::{Actor, By, Rights};
use passes_host::plan::Spec;
use passes_host::service::{Deal, Generate, Redeem};
use passes_host::{HostError, create_keyring_file, keyring_from_file, open};
use std::path::Path;

const GIFT_CARD: &str = r#"
[name]
en-GB = "Gift card"
[terms]
classification = "gift"
form = "printed"
currency = "GBP"
value = "25.00 GBP"
redeem_by = { after_activation = "P3Y to end of year" }
[code]
prefix = "GIFT"
check = true
"#;

fn main() -> Result<(), HostError> {
    // Open: one file for the database, and one for the keys, which never enter it.
    let database = std::env::args().nth(1).unwrap_or_else(|| "target/hello.db".to_owned());
    let keys = format!("{database}.keys");
    let keyring =
        if Path::new(&keys).exists() { keyring_from_file(keys)? } else { create_keyring_file(keys)? };
    let passes = open(&database, keyring).wait()?;

    // Plan: a business, and what its gift cards are worth.
    let owner = Actor::new("owner", Rights::all())?;
    let settings = Settings::new("The Gift Shop", "Europe/London", &["GBP"], "en-GB")?;
    let shop = passes.create_business(&owner, settings.clone()).wait()?;
    let by = By::new(shop, owner);
    let plan = passes.create_plan(&by, Spec::from_toml(GIFT_CARD, &settings)?).wait()?.done;
    passes.activate_plan(&by, plan).wait()?;
    let lot = passes.generate(&by, Generate { plan, count: 100, accept_weak: false }).wait()?;
    passes.finish_run(&by, lot.run).wait()?;

    // Sell: card number 1 becomes active. Its code is printed on it; here we have it revealed.
    let card = lot.lot.pass(1);
    passes.sell(&by.clone().key("receipt-1"), card, Deal::at("25.00 GBP".parse()?)).wait()?;
    let (_, code) = passes.reveal(&by, card).wait()?;
    let Some(code) = code else { return Ok(()) };

    // Check: what would happen, and every reason why not. It writes nothing.
    let request = Redeem::direct(code.clone(), "12.50 GBP".parse()?);
    let check = passes.check(&by, &request).wait()?;
    println!("{}: {}", code.mask(), if check.is_good() { "good for 12.50" } else { "not good" });

    // Redeem: the key makes it safe to ask again when the answer was lost.
    let receipt = passes.redeem(&by.clone().key("receipt-2"), request).wait()?;
    println!("paid {}, left on the card {}", receipt.amount, receipt.left);
    Ok(())
}
