//! What the fuzzers begin with: the examples of the documentation and of the tests, and true records.

use crate::stored_documents::true_records;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};

const PLAN: &str = r#"
[name]
en = "Gift card"
de = "Gutschein"
[description]
en = "For everything in the shop."
[terms]
classification = "gift"
form = "printed"
currency = "GBP"
value = { least = "10.00 GBP", most = "100.00 GBP" }
usage = { shared = 4 }
redeem_by = { date = "2027-05-31" }
spend_by = { after_redemption = "P1Y" }
pool = "toys"
unsold = "paid"
personal = true
fields = { series = "A", year = 2026, share = "0.5", colour = "red", since = "2026-01-01", new = true }
[terms.windows]
start = "2026-01-01"
hours = [{ days = ["mon", "sat"], from = "22:00", to = "02:00" }]
blackout = ["2026-12-25"]
[terms.conditions]
families = ["toys"]
not_skus = ["MUG"]
places = ["Oxford Street"]
minimum = "5.00 GBP"
[code]
prefix = "GIFT"
suffix = "X"
length = 10
check = true
group = 4
[caps]
passes = 1000
value = "5000.00 GBP"
"#;

const SHORT_PLAN: &str = r#"code = { length = 8, alphabet = "numeric" }
name = { en = "Top-up" }
[terms]
classification = "top_up"
form = "electronic"
currency = "JPY"
value = "5000 JPY"
usage = { full = 10 }
redeem_by = { after_activation = "P3Y to end of year" }
"#;

const CODES: &[&str] = &[
    "GIFT-7KQ2-M9XW",
    " ７kq2–m9xo ",
    "𝟘𝟡𝟬٣৯໑᪁",
    "7kq2!",
    "\u{200b}iIlLoO\u{2212}1",
    "㎉２\u{301}",
    "7KQ2\u{feff}\t\u{3000}M9XW",
];

const TEXTS: &[&str] = &[
    "12.50 EUR",
    "-0.001 BHD",
    "GBP",
    "33.3333",
    "2026-03-30T00:00:00.123456+02:00",
    "P1Y2M3W to end of month",
    "P10D",
    "24:00",
    "Europe/London",
    "2026-12-31",
    "0192a0d5-c3f0-7b12-a4c8-d91100000000",
    "+44 (1632) 960-960",
    "Ann@Example.org",
    "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
    "digest d1 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a # old\n\
     digest d2 0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b\n\
     seal s1 0C0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c current\n",
    r#"{"name":"Shop","zone":"Europe/Berlin","currencies":["EUR"],"locales":["de"],"default_locale":"de",
        "channels":[{"name":"sms","active_on":"accepted"}],"pools":[{"name":"toys","conditions":{}}],
        "pass_fields":[{"name":"year","required":true,"type":"integer","least":1,"most":9}]}"#,
    r#"[[{"name":"share","type":"decimal","least":"0","most":"1"},{"name":"since","type":"date"}],
        {"share":"0.25","since":"2026-01-01"}]"#,
    r#"{"name":"Ann","media":[{"email":"ann@example.org"},{"phone":"+441632960960"}],"fields":{"size":3}}"#,
    r#"[{"sku":"MUG","quantity":2,"unit_price":"7.50 GBP","families":["toys"]}]"#,
    r#"{"hours":[{"days":["mon"],"from":"09:00","to":"17:00"}],"blackout":["2026-12-25"]}"#,
    r#"{"skus":["MUG"],"not_families":["wine"],"places":["Here"],"minimum":"5.00 GBP"}"#,
    r#"{"alphabet":"numeric","length":12,"prefix":"G","suffix":"","check":true,"group":4}"#,
    r#"{"prefix":"G1FT","symbols":"2345","length":8,"check":true,"suffix":""}"#,
    r#"{"key":"k1","nonce":"030303030303030303030303030303030303030303030303","ciphertext":"00ff"}"#,
];

/// Inputs to begin with, each with the name of its target.
#[must_use]
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds: Vec<(&'static str, Vec<u8>)> = Vec::new();
    let mut add = |name, texts: &[&str]| {
        seeds.extend(texts.iter().map(|text| (name, text.as_bytes().to_vec())));
    };
    add("plan_file", &[PLAN, SHORT_PLAN]);
    add("passcode_fold", CODES);
    add("texts", TEXTS);
    seeds.extend(true_records().into_iter().map(|record| ("stored_documents", record)));
    for name in ["check_character", "cursors", "exports", "stored_rows", "stored_documents"] {
        for number in 0..8 {
            let mut bytes = vec![0; 192];
            ChaCha12Rng::from_seed([number; 32]).fill_bytes(&mut bytes);
            if name == "stored_documents" {
                bytes[0] = 15 + number % 3;
            }
            seeds.push((name, bytes));
        }
    }
    seeds
}
