//! Passcodes as they are typed.

use arbitrary::{Result, Unstructured};
use passes_core::passcode::{Alphabet, Format, LONGEST_TEXT, Passcode, Recognised, fold, recognise};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

/// What folding drops, of one to four bytes.
const DROPPED: [&str; 7] = [" ", "-", "\t", "\u{2013}", "\u{2212}", "\u{200d}", "\u{e0001}"];

/// Any text is malformed, or folds into characters that fold into themselves; whatever folds alike is one code.
pub fn passcode_fold(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let code = Passcode::new(text.clone());
    let mask = code.mask();
    let shown = mask.chars().filter(|c| c.is_alphanumeric()).count();
    assert!(shown <= 4 && mask.chars().count() == text.chars().count(), "{text:?} as {mask:?}");

    let folded = match fold(&text) {
        Ok(folded) => folded,
        Err(refusal) => return assert_eq!(refusal.code(), "MALFORMED"),
    };
    let plain = folded.reveal();
    assert!((1..=LONGEST_TEXT).contains(&plain.len()) && plain.len() == folded.length(), "{plain}");
    let kept = |b: u8| matches!(b, b'0'..=b'9' | b'A'..=b'Z') && !b"ILO".contains(&b);
    assert!(plain.bytes().all(kept), "{plain}");
    let again = |text: &str| fold(text).unwrap().reveal().to_owned();
    assert_eq!(again(plain), plain);
    assert_eq!(again(&plain.to_lowercase()), plain);
    assert_eq!(again(&plain.replace('0', "o").replace('1', "L")), plain);
    assert_eq!(again(&plain.replace('1', "i")), plain);

    let hash = code.hash(&[7; 16]).unwrap();
    assert!(hash == Passcode::new(plain).hash(&[7; 16]).unwrap());
    assert!(hash != code.hash(&[8; 16]).unwrap());
    if plain.len() < LONGEST_TEXT {
        assert!(hash != Passcode::new(format!("{plain}2")).hash(&[7; 16]).unwrap());
        // A mark or a blank anywhere makes no difference.
        let at = data.iter().map(|b| usize::from(*b)).sum::<usize>();
        let (before, after) = plain.split_at(at % (plain.len() + 1));
        let dropped = DROPPED[at % DROPPED.len()];
        assert_eq!(again(&format!("{before}{dropped}{after}")), plain);
    }
}

/// A format is refused, or makes codes that it accepts and reads; one wrong character, and two neighbours
/// swapped, are told as a typing error wherever they stand.
pub fn check_character(data: &[u8]) {
    // Where the bytes end, so does the case.
    let _ = mistyped(&mut Unstructured::new(data));
}

fn mistyped(from: &mut Unstructured<'_>) -> Result<()> {
    let known = ["default", "numeric", "alphabetic", "alphanumeric", "01", "ABC"];
    let alphabet = if from.ratio(1, 3)? { from.arbitrary::<&str>()? } else { from.choose(&known)? };
    let affix = |from: &mut Unstructured<'_>| -> Result<String> {
        let length = from.int_in_range(0..=17)?;
        (0..length).map(|_| Ok(char::from(*from.choose(b"023456789GIFTLOXYZabc -")?))).collect()
    };
    let format = Format {
        alphabet: Alphabet::from(alphabet),
        length: from.int_in_range(0..=34)?,
        prefix: affix(from)?,
        suffix: affix(from)?,
        check: from.arbitrary()?,
        group: from.int_in_range(0..=9)?,
    };
    let maker = match format.maker() {
        Ok(maker) => maker,
        Err(refusal) => {
            assert_eq!(refusal.code(), "BAD_FORMAT");
            return Ok(());
        }
    };
    let text = serde_json::to_string(&format).unwrap();
    assert_eq!(serde_json::from_str::<Format>(&text).unwrap().folded(), format.folded());
    let text = serde_json::to_string(maker.folded()).unwrap();
    let in_use = [serde_json::from_str(&text).unwrap()];
    assert_eq!(&in_use[0], maker.folded());

    let body = maker.draw(&mut ChaCha12Rng::from_seed(from.arbitrary()?));
    let code = maker.passcode(&body);
    let folded = code.fold().unwrap();
    let plain = folded.reveal();
    assert_eq!(recognise(&folded, &in_use), Recognised::Accepted);
    assert_eq!(plain.len(), maker.folded().total_length());
    assert_eq!(maker.read(&folded).unwrap().reveal_bytes(), body.reveal_bytes());
    assert!(maker.hash(&body, &[7; 16]) == code.hash(&[7; 16]).unwrap());
    let mask = maker.mask(&body);
    assert_eq!(mask.chars().count(), code.reveal().chars().count(), "{mask}");

    let mut bytes = plain.as_bytes().to_vec();
    let at = from.choose_index(bytes.len())?;
    if from.arbitrary()? {
        bytes[at] = *from.choose(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")?;
    } else {
        bytes.swap(at, (at + 1) % plain.len());
        if at + 1 == plain.len() {
            return Ok(()); // The first and the last are no neighbours.
        }
    }
    let wrong = fold(std::str::from_utf8(&bytes).unwrap()).unwrap();
    let told = recognise(&wrong, &in_use);
    if wrong.reveal() == plain {
        assert_eq!(told, Recognised::Accepted);
    } else if format.check {
        assert_eq!(told, Recognised::TypingError, "{plain} as {}", wrong.reveal());
    } else {
        assert_ne!(told, Recognised::TypingError);
    }
    Ok(())
}
