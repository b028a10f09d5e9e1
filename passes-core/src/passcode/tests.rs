//! What the tests of this folder share, and those that concern all of it.

use super::*;
use crate::secret::{Key, Keyring, Purpose, seal};
use rand_core::{Rng, SeedableRng};

pub(crate) const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cases/folding.json");

pub(crate) fn rng(seed: u64) -> rand_chacha::ChaCha8Rng {
    rand_chacha::ChaCha8Rng::seed_from_u64(seed)
}

/// C-13: nothing that a type prints or writes shows a code, its hash, a seed or a key.
#[test]
fn nothing_shows_a_secret() {
    let mut rng = rng(13);
    let format = Format { prefix: "AB".into(), ..Format::default() };
    let maker = format.maker().unwrap();
    let body = maker.draw(&mut rng);
    let code = maker.passcode(&body);
    let folded = code.fold().unwrap();
    let hash = code.hash(&[7; 16]).unwrap();
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    let key = Key::from_bytes(bytes);
    let digest = hash.digest(&key);
    let seed = LotSeed::from_bytes(bytes);
    let keyring =
        Keyring::builder().key(Purpose::Digest, "d1", bytes).key(Purpose::Seal, "s1", bytes).build();
    let keyring = keyring.unwrap();
    let sealed = seal(&keyring, [9; 24], b"lot", code.reveal().as_bytes()).unwrap();

    let shown = [
        format!("{body:?} {code:?} {code} {folded:?} {hash:?} {hash} {digest:?}"),
        format!("{:?} {:?}", Presented::Code(code.clone()), Presented::Hash(hash.clone())),
        format!("{key:?} {seed:?} {:?} {keyring:?} {keyring:#?}", seed.stream(Derived::Pin, 1, 0)),
        format!("{sealed:?} {}", serde_json::to_string(&sealed).unwrap()),
        format!("{maker:?} {}", maker.mask(&body)),
        format!("{:?}", CodeHash::from_hex(&format!("{}0", *hash.reveal_hex())).unwrap_err()),
        format!("{:?}", Keyring::parse(&format!("digest d1 {}x", *key.reveal_hex())).unwrap_err()),
        format!("{}", Keyring::parse(&format!("digest {} d1", *key.reveal_hex())).unwrap_err()),
        format!("{}", Keyring::parse(&format!("{} digest d1", *key.reveal_hex())).unwrap_err()),
    ];
    let secrets = [
        code.reveal().to_owned(),
        folded.reveal().to_owned(),
        folded.reveal()[2..].to_owned(),
        hash.reveal_hex().as_str().to_owned(),
        key.reveal_hex().as_str().to_owned(),
        digest.to_hex(),
        format!("{:?}", folded.reveal_bytes()),
        format!("{bytes:?}"),
    ];
    for text in &shown {
        for secret in &secrets {
            let (text, secret) = (text.to_lowercase(), secret.to_lowercase());
            let inner = secret.trim_matches(['[', ']']);
            assert!(!text.contains(inner), "{text} shows {secret}");
        }
    }
    // A key is named by its id and nothing else.
    assert!(shown[2].contains("d1") && shown[2].contains("s1"));
}

/// C-6: a mask shows at most four characters and a quarter of the body.
#[test]
fn masks() {
    let mut rng = rng(6);
    for length in 4..=32 {
        for check in [false, true] {
            let format = Format { prefix: "GIFT".into(), length, check, ..Format::default() };
            let maker = format.maker().unwrap();
            let body = maker.draw(&mut rng);
            let (code, mask) = (maker.passcode(&body), maker.mask(&body));
            let (code, mask): (Vec<char>, Vec<char>) =
                (code.reveal().chars().collect(), mask.chars().collect());
            assert_eq!(code.len(), mask.len());
            assert!(code.iter().zip(&mask).all(|(c, m)| *m == HIDDEN || c == m));
            let shown = mask[5..].iter().filter(|c| !matches!(**c, HIDDEN | '-')).count();
            assert!(shown <= 4 && shown * 4 <= usize::from(length) && shown > 0, "{mask:?}");
        }
    }
    assert_eq!(Passcode::new("7kq2-m9xw").mask(), "••••-••xw");
    assert_eq!(Passcode::new("abc").mask(), "•••");
    assert_eq!(Passcode::new("A".repeat(40)).mask(), format!("{}AAAA", "•".repeat(36)));
}
