//! A till in a process of its own, as the one sees it who kills it.

use crash::line::Line;
use crash::stock::Orders;
use crash::{Answer, History};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A process that tells nothing for so long hangs, whatever else the machine does.
const HANGS: Duration = Duration::from_secs(240);

/// How far a till came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Started,
    Opening,
    SettingUp,
    Working,
    Closing,
}

/// A running till.
pub(crate) struct Till {
    pub(crate) life: usize,
    pub(crate) stage: Stage,
    /// Whether it closes the file from time to time.
    pub(crate) closes: bool,
    /// When it was started.
    pub(crate) started: Instant,
    /// How many answers it received.
    pub(crate) answers: u64,
    /// How many of them were receipts of before.
    pub(crate) replayed: u64,
    /// How many were refusals.
    pub(crate) refused: u64,
    child: Child,
    /// It ends when this is closed.
    _orders: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
    reader: Option<JoinHandle<()>>,
    stderr: PathBuf,
}

/// What a kill hit.
pub(crate) struct Death {
    pub(crate) stage: Stage,
    /// The kinds of the requests under way.
    pub(crate) under_way: Vec<&'static str>,
    pub(crate) answers: u64,
    pub(crate) replayed: u64,
    pub(crate) refused: u64,
    pub(crate) torn: bool,
}

impl Till {
    /// Starts a till.
    pub(crate) fn start(orders: &Orders) -> Self {
        let stderr = orders.file.with_extension(format!("{}.stderr", orders.life));
        let mut child = Command::new(env!("CARGO_BIN_EXE_till"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&stderr).unwrap())
            .spawn()
            .unwrap();
        let started = Instant::now();
        let mut stdin = child.stdin.take().unwrap();
        let mut text = serde_json::to_vec(orders).unwrap();
        text.push(b'\n');
        stdin.write_all(&text).unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (teller, lines) = channel();
        let reader = thread::spawn(move || {
            let mut line = Vec::new();
            while stdout.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                if teller.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        let (life, stage, closes) = (orders.life, Stage::Started, orders.session.is_some());
        let (_orders, reader) = (Some(stdin), Some(reader));
        let (answers, replayed, refused) = (0, 0, 0);
        Self {
            life,
            stage,
            closes,
            started,
            answers,
            replayed,
            refused,
            child,
            _orders,
            lines,
            reader,
            stderr,
        }
    }

    /// Takes a line.
    fn take(&mut self, bytes: &[u8], history: &mut History) {
        let line = Line::read(bytes).unwrap_or_else(|why| panic!("a line that is none, {why}"));
        match line {
            Line::Opening => self.stage = Stage::Opening,
            Line::Opened => self.stage = Stage::SettingUp,
            Line::Ready => self.stage = Stage::Working,
            Line::Closing => self.stage = Stage::Closing,
            Line::Got { ref answer, .. } => {
                self.answers += 1;
                match answer {
                    Answer::Done(ack) if ack.replayed => self.replayed += 1,
                    Answer::Refused(_) => self.refused += 1,
                    _ => {}
                }
            }
            Line::Ask { .. } => {}
        }
        history.tell(self.life, &line);
    }

    /// Listens until something holds.
    pub(crate) fn listen(&mut self, history: &mut History, until: impl Fn(&Self) -> bool) {
        while !until(self) {
            match self.lines.recv_timeout(HANGS) {
                Ok(line) => self.take(&line, history),
                Err(why) => panic!("till {} is silent, {why}: {}", self.life, self.last_words()),
            }
        }
    }

    /// Listens to what it has told by now.
    pub(crate) fn catch_up(&mut self, history: &mut History) {
        while let Ok(line) = self.lines.try_recv() {
            self.take(&line, history);
        }
    }

    fn last_words(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Kills it, and hears what it told before.
    pub(crate) fn kill(mut self, history: &mut History) -> Death {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::process::ExitStatusExt;
            assert_eq!(status.signal(), Some(9), "it ended by itself, {status}: {}", self.last_words());
        }
        assert!(!status.success(), "it ended by itself");
        self.reader.take().unwrap().join().unwrap();
        let mut torn = false;
        while let Ok(line) = self.lines.try_recv() {
            // Only the last line can be torn: nothing was told after it.
            if line.ends_with(b"\n") {
                assert!(!torn, "a line after a torn one");
                self.take(&line, history);
            } else {
                torn = true;
            }
        }
        let under_way = history.died(self.life);
        drop(fs::remove_file(&self.stderr));
        let (answers, replayed, refused) = (self.answers, self.replayed, self.refused);
        Death { stage: self.stage, under_way, answers, replayed, refused, torn }
    }
}

impl Drop for Till {
    fn drop(&mut self) {
        // A test that fails leaves nobody behind.
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}
