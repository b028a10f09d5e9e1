//! Passcodes as they are typed: mistyped, in other scripts, in other spellings; and formats that are too short.

use crate::shop::{Shop, card, checked, code, eur, on_each_store, spec};
use passes_host::passcode::{Alphabet, Format};
use passes_host::service::Redeem;
use passes_host::{Error, Refusal};

fn typed(shop: &Shop, text: &str) -> Result<(), Error> {
    shop.passes.redeem(&shop.by, Redeem::direct(text, eur("1"))).wait().map(drop)
}

/// C-4: a format that is too short for the lot is refused with the length that would do; it does, and one less
/// doesn't.
#[test]
fn a_short_format_is_told_the_length_that_would_do() {
    on_each_store(|shop| {
        for (alphabet, count, check) in [
            (Alphabet::Numeric, 100, false),
            (Alphabet::Numeric, 1_000, true),
            (Alphabet::Safe, 37, true),
            (Alphabet::from("2346"), 1_000, false),
        ] {
            let lot = |length: u8| {
                let format = Format { alphabet: alphabet.clone(), length, check, ..Format::default() };
                let plan = shop.plan(spec(card(), format));
                let before = shop.traces();
                let lot = shop.generate(plan, count);
                assert!(lot.is_ok() || shop.traces() == before);
                lot
            };
            let error = lot(4).unwrap_err();
            let [Refusal::FormatTooShort { length: 4, needed, .. }] = error.reasons() else {
                panic!("{error:?}")
            };
            assert!(error.reasons()[0].fix().contains(&needed.to_string()), "{error}");
            let needed = u8::try_from(*needed).unwrap();
            assert_eq!(code(lot(needed - 1)), "FORMAT_TOO_SHORT", "{alphabet:?}");
            let made = lot(needed).unwrap();
            assert_eq!(shop.passes.lot(&shop.by, made).wait().unwrap().count, count);
        }
    });
}

/// The symbols that a code of this alphabet can have.
fn symbols(format: &Format) -> Vec<char> {
    format.alphabet.characters().chars().collect()
}

/// C-2: each single wrong character and each swap of two neighbours of a code with a check character is told as
/// a typing error; nothing moves.
#[test]
fn every_typing_error_is_told() {
    on_each_store(|shop| {
        let sold = shop.sold(card(), checked(), 2);
        let before = shop.traces();
        let mut wrong = 0;
        for (_, right) in &sold {
            let folded: Vec<char> = right.fold().unwrap().reveal().chars().collect();
            let mut attempt = |text: Vec<char>| {
                if text == folded {
                    return;
                }
                let text: String = text.into_iter().collect();
                let request = Redeem::direct(text.as_str(), eur("1"));
                let check = shop.passes.check(&shop.by, &request).wait().unwrap();
                assert_eq!(check.reasons, [Refusal::TypingError]);
                assert!(!check.reasons[0].fix().is_empty());
                wrong += 1;
                if wrong % 97 == 0 {
                    assert_eq!(code(shop.passes.redeem(&shop.by, request).wait()), "TYPING_ERROR");
                }
            };
            for at in 0..folded.len() {
                for symbol in symbols(&checked()).into_iter().chain(['A', 'Z']) {
                    let mut text = folded.clone();
                    text[at] = symbol;
                    attempt(text);
                }
                if at > 0 {
                    let mut text = folded.clone();
                    text.swap(at - 1, at);
                    attempt(text);
                }
            }
        }
        assert!(wrong > 2 * 17 * 23, "{wrong}");
        assert_eq!(shop.traces(), before);
        typed(shop, sold[0].1.reveal()).unwrap();
    });
}

/// C-2: without a check character a wrong code is one that nobody knows; and a text that a format without one
/// could have made is no typing error, even where another format has one.
#[test]
fn without_a_check_a_wrong_code_is_unknown() {
    on_each_store(|shop| {
        let plain = Format::default();
        let sold = shop.sold(card(), plain.clone(), 1);
        let right: Vec<char> = sold[0].1.fold().unwrap().reveal().chars().collect();
        let mutate = |at: usize| -> String {
            let mut text = right.clone();
            text[at] = symbols(&plain).into_iter().find(|c| *c != right[at]).unwrap();
            text.into_iter().collect()
        };
        for at in 0..right.len() {
            assert_eq!(code(typed(shop, &mutate(at))), "UNKNOWN_CODE");
        }
        // The same length with a check: eleven characters and the check make twelve.
        shop.sold(card(), Format { length: 11, check: true, ..plain.clone() }, 1);
        assert_eq!(code(typed(shop, &mutate(3))), "UNKNOWN_CODE");
        assert_eq!(code(typed(shop, "7KQ2")), "UNKNOWN_CODE");
        typed(shop, sold[0].1.reveal()).unwrap();
    });
}

/// C-1, C-2: a code with look-alikes of another script is malformed; full-width, lower case, spaces and dashes of
/// all kinds are the same code.
#[test]
fn look_alikes_are_malformed_and_other_spellings_are_the_same_code() {
    on_each_store(|shop| {
        let format = Format { prefix: "CAB".into(), ..checked() };
        let sold = shop.sold(card(), format, 1);
        let right = sold[0].1.reveal();
        let before = shop.traces();
        // Cyrillic С, А and В, Greek Α and Β.
        for (latin, other) in [('C', 'С'), ('A', 'А'), ('B', 'В'), ('A', 'Α'), ('B', 'Β')] {
            let text = right.replacen(latin, &other.to_string(), 1);
            assert_ne!(text, right);
            assert_eq!(code(typed(shop, &text)), "MALFORMED", "{other}");
            let request = Redeem::direct(text.as_str(), eur("1"));
            assert_eq!(shop.passes.check(&shop.by, &request).wait().unwrap().reasons, [Refusal::Malformed]);
        }
        assert_eq!(shop.traces(), before);

        let wide = |c: char| char::from_u32(u32::from(c) + 0xFEE0).unwrap();
        let spellings = [
            right.to_lowercase(),
            right.replace('-', ""),
            right.replace('-', " "),
            right.replace('-', "–"),
            right.replace('-', "\u{2212}"),
            right.chars().map(wide).collect(),
            right.to_lowercase().chars().map(wide).collect(),
            right.chars().flat_map(|c| [c, ' ']).collect(),
            right.chars().flat_map(|c| [c, '\u{200b}', '-']).collect(),
            format!("\t {right}\r\n"),
        ];
        for text in &spellings {
            typed(shop, text).unwrap();
        }
        let left = shop.passes.pass(&shop.by, sold[0].0).wait().unwrap().left;
        assert_eq!(left, eur(&(50 - spellings.len()).to_string()));
    });
}
