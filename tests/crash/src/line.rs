//! What a till tells, line by line. It tells what it asks for before it asks, and what it was answered after it
//! has the answer, so whoever listens knows at its death what it knew.

use crate::{Answer, Deed};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// One line.
#[allow(missing_docs)] // What their fields are is what they are called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Line {
    /// It opens the file now.
    Opening,
    /// The file is open.
    Opened,
    /// The shop is set up, and all threads work.
    Ready,
    /// It closes the file now.
    Closing,
    /// It asks.
    Ask { call: u64, key: Option<String>, deed: Deed },
    /// It has the answer.
    Got { call: u64, answer: Answer },
}

impl Line {
    /// Reads a line, which ends with the newline that shows that it is whole.
    ///
    /// # Errors
    /// What is left when it was torn, or isn't a line at all.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let Some(whole) = bytes.strip_suffix(b"\n") else {
            return Err(format!("torn after {} bytes", bytes.len()));
        };
        serde_json::from_slice(whole).map_err(|error| error.to_string())
    }
}

/// Tells lines on the standard output, or keeps them.
#[derive(Default)]
pub struct Voice {
    calls: AtomicU64,
    kept: Option<Mutex<Vec<Line>>>,
}

impl Voice {
    /// One that keeps what it is told to tell.
    #[must_use]
    pub fn kept() -> Self {
        Self { calls: AtomicU64::default(), kept: Some(Mutex::default()) }
    }

    /// How many lines it keeps by now.
    ///
    /// # Panics
    /// When it keeps none.
    #[must_use]
    pub fn said(&self) -> usize {
        self.kept.as_ref().unwrap().lock().unwrap().len()
    }

    /// The lines that it kept.
    ///
    /// # Panics
    /// When it kept none.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.kept.as_ref().unwrap().lock().unwrap().clone()
    }

    /// Tells a line. When nobody listens any more, the process ends.
    ///
    /// # Panics
    /// When it keeps lines and somebody panicked meanwhile.
    pub fn tell(&self, line: &Line) {
        if let Some(kept) = &self.kept {
            kept.lock().unwrap().push(line.clone());
            return;
        }
        let mut text = serde_json::to_vec(line).unwrap();
        text.push(b'\n');
        // One write, so that lines of threads don't mix.
        let mut out = std::io::stdout().lock();
        if out.write_all(&text).and_then(|()| out.flush()).is_err() {
            std::process::exit(0);
        }
    }

    /// Tells a request, and gives it its number.
    pub fn ask(&self, key: Option<&str>, deed: &Deed) -> u64 {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        self.tell(&Line::Ask { call, key: key.map(str::to_owned), deed: deed.clone() });
        call
    }

    /// Tells an answer.
    pub fn got(&self, call: u64, answer: &Answer) {
        self.tell(&Line::Got { call, answer: answer.clone() });
    }
}
