//! Hexadecimal digits.

/// The bytes as lower-case digits, in a text that was made once and never grew.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

fn digit(value: u8) -> char {
    char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 })
}

/// The bytes that digits of either case stand for.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if rest.is_empty() { pairs.iter().map(pair).collect() } else { None }
}

/// The same for a number of bytes that is known.
pub(crate) fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, digits) in bytes.iter_mut().zip(pairs) {
        *byte = pair(digits)?;
    }
    Some(bytes)
}

fn pair([high, low]: &[u8; 2]) -> Option<u8> {
    Some(value(*high)? << 4 | value(*low)?)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        assert_eq!(decode(&encode(&bytes).to_uppercase()).unwrap(), bytes);
        assert_eq!(encode(&[0, 0x9a, 0xff]), "009aff");
        assert_eq!(decode_array("00ff"), Some([0, 255]));
        for bad in ["0", "0g", "+1", " 1", "é"] {
            assert_eq!(decode(bad), None);
            assert_eq!(decode_array::<1>(bad), None);
        }
        assert_eq!(decode_array::<1>("00ff"), None);
    }
}
