//! Businesses.

use super::Shop;
use crate::business::Settings;

/// R-5, B-1: a business that is created twice under one key is one business.
#[test]
fn a_business_is_created_once_under_a_key() {
    let shop = Shop::open();
    let (passes, owner) = (&shop.passes, shop.by.actor.clone());
    let settings = Settings::new("Shop", "UTC", &["EUR"], "en").unwrap();
    let once = |settings: &Settings| passes.create_business_once(&owner, "install", settings.clone()).wait();
    let id = once(&settings).unwrap();
    assert_eq!(once(&settings), Ok(id));
    let other = Settings { name: "Other".into(), ..settings.clone() };
    assert_eq!(once(&other).unwrap_err().code(), "IDEMPOTENCY_MISMATCH");
    assert_ne!(passes.create_business(&owner, settings).wait().unwrap(), id);
}
