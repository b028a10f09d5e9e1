//! The lines that tills tell, and what a kill makes of the last one.

use crash::deed::Stood;
use crash::line::Line;
use crash::{Ack, Answer, Deed};
use serde_json::json;

fn both() -> [Line; 2] {
    let deed = Deed::ReverseKey("7-1-3\nand more".to_owned());
    let done = json!({"amount": "12.50 GBP"});
    let ack = Ack { operation: 9, at: -1, replayed: true, done, code: None };
    [
        Line::Ask { call: 3, key: Some("7-1-4".to_owned()), deed },
        Line::Got { call: 3, answer: Answer::Done(ack) },
    ]
}

/// A line is read as it was told, and none holds a newline but at its end.
#[test]
fn lines_are_read_as_they_were_told() {
    let stood = Stood { done: 1, skipped: 2, total: 3, over: true };
    let more = [
        Line::Ready,
        Line::Got { call: 4, answer: Answer::Stepped(stood) },
        Line::Got { call: 5, answer: Answer::Refused("PASS_REDEEMED".to_owned()) },
    ];
    for line in both().into_iter().chain(more) {
        let mut bytes = serde_json::to_vec(&line).unwrap();
        assert!(!bytes.contains(&b'\n'));
        bytes.push(b'\n');
        assert_eq!(Line::read(&bytes), Ok(line));
    }
}

/// However much of a line is left, it isn't taken for a whole one, nor for another.
#[test]
fn a_torn_line_is_none() {
    for line in both() {
        let mut bytes = serde_json::to_vec(&line).unwrap();
        bytes.push(b'\n');
        for length in 0..bytes.len() {
            assert!(Line::read(&bytes[..length]).is_err());
        }
    }
}
