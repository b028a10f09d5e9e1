//! Plan files.

use passes_core::business::Settings;
use passes_core::calendar::{Instant, Opening};
use passes_core::conditions::{Conditions, Pool};
use passes_core::fields::Definition;
use passes_core::limits;
use passes_core::passcode::Passcode;
use passes_core::plan::Spec;
use passes_core::refusal::Refusal;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;
use std::sync::LazyLock;

/// Settings that leave a plan every choice.
static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let mut settings = Settings::new("Shop", "Europe/London", &["GBP", "EUR", "JPY", "BHD"], "en").unwrap();
    settings.locales.push("de".to_owned());
    settings.pools = vec![Pool { name: "toys".to_owned(), conditions: Conditions::default() }];
    let definitions = r#"[
        {"name": "series", "type": "text", "most": 20},
        {"name": "year", "type": "integer", "least": 2000, "most": 2100},
        {"name": "share", "type": "decimal", "least": "0", "most": "1"},
        {"name": "colour", "type": "choice", "of": ["red", "blue"]},
        {"name": "since", "type": "date"},
        {"name": "new", "type": "yes_no"}
    ]"#;
    settings.pass_fields = serde_json::from_str::<Vec<Definition>>(definitions).unwrap();
    settings.validate().unwrap();
    settings
});

/// Any text is refused with a line and a field, or is a plan: one that is valid, comes back as it was from a file
/// and from a store, and whose windows, periods and code format can be used.
pub fn plan_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Spec::from_toml(&text, &SETTINGS) {
        Ok(plan) => good(&plan),
        Err(Refusal::BadFile { line, field, why }) => {
            let lines = u64::try_from(text.matches('\n').count()).unwrap() + 1;
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
            assert!(!field.is_empty() && !why.is_empty(), "{field}: {why}");
        }
        Err(Refusal::TooLarge { .. }) => assert!(text.len() > limits::PLAN_FILE),
        Err(other) => panic!("{other:?}"),
    }
}

fn good(plan: &Spec) {
    plan.validate(&SETTINGS).unwrap();
    let written = plan.to_toml().unwrap();
    if written.len() <= limits::PLAN_FILE {
        assert_eq!(Spec::from_toml(&written, &SETTINGS).as_ref(), Ok(plan));
    }
    let stored = serde_json::to_string(plan).unwrap();
    assert_eq!(&serde_json::from_str::<Spec>(&stored).unwrap(), plan);
    assert_eq!(plan.frozen_change(plan), None);

    let zone = SETTINGS.zone;
    let summer = Instant::parse("2026-06-06T12:00:00Z").unwrap();
    for now in [Instant::MIN, Instant::EPOCH, summer, Instant::MAX] {
        match plan.terms.windows.opens(now, zone) {
            Opening::NotStarted { from } => assert!(from > now),
            Opening::Closed { next: Some(next) } => {
                assert!(next > now);
                assert_eq!(plan.terms.windows.opens(next, zone), Opening::Open);
            }
            Opening::Closed { next: None } | Opening::Open => {}
        }
        // The end of time is the only thing that can be in the way of a period.
        let until = [
            plan.terms.redeem_by.resolve(now, Some(now), zone),
            plan.terms.redeem_by.resolve(now, None, zone),
            plan.terms.spend_by.resolve(now, zone),
        ];
        until.iter().for_each(|until| assert!(until.is_ok() || now == Instant::MAX, "{until:?}"));
    }
    let maker = plan.code.maker().unwrap();
    let code = maker.passcode(&maker.draw(&mut ChaCha12Rng::from_seed([7; 32])));
    let folded = Passcode::new(code.reveal()).fold().unwrap();
    assert!(maker.folded().accepts(&folded), "{} doesn't fit {:?}", code.reveal(), plan.code);
}
