//! A network that fails: what stands between a store and its server, and cuts connections in the middle of a commit.
//!
//! It understands as much of the protocol as it takes to see that a message begins a commit.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// When a connection is cut that is about to commit. The client sees the same each time: no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before anything of the commit reached the server: it doesn't land.
    Before,
    /// As soon as it was sent, whatever the server makes of it.
    Sent,
    /// When the server has answered: it lands, unless it was refused.
    Answered,
}

/// What becomes of the next commit: nothing to let it pass.
pub type Fate = Box<dyn FnMut() -> Option<Cut> + Send>;

/// What all connections share.
struct Shared {
    server: SocketAddr,
    fate: Mutex<Fate>,
    open: Mutex<HashMap<u64, TcpStream>>,
    cuts: [AtomicU64; 3],
    commits: AtomicU64,
    /// How many connections are refused from now on.
    refused: AtomicU64,
    over: AtomicBool,
}

/// A proxy. It ends when it is dropped.
pub struct Proxy {
    at: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// One that leads to the server at this address.
    ///
    /// # Panics
    /// When the machine has no port left.
    #[must_use]
    pub fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let at = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            fate: Mutex::new(Box::new(|| None)),
            open: Mutex::default(),
            cuts: Default::default(),
            commits: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            over: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for (number, client) in (0_u64..).zip(listener.incoming()) {
                if serving.over.load(Ordering::Relaxed) {
                    return;
                }
                let one = serving
                    .refused
                    .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
                if one.is_ok() {
                    continue;
                }
                if let Ok(client) = client {
                    // Who isn't there is as silent as a server that is gone.
                    let _ = serve(&serving, number, client);
                }
            }
        });
        Self { at, shared }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.at
    }

    /// Says what becomes of commits from now on.
    ///
    /// # Panics
    /// When somebody else panicked who said so.
    pub fn fate(&self, fate: impl FnMut() -> Option<Cut> + Send + 'static) {
        *self.shared.fate.lock().unwrap() = Box::new(fate);
    }

    /// The next commit is cut in this way, and all later ones pass.
    pub fn cut_next(&self, cut: Cut) {
        let mut next = Some(cut);
        self.fate(move || next.take());
    }

    /// So many connections are refused from now on.
    pub fn refuse_next(&self, count: u64) {
        self.shared.refused.store(count, Ordering::Relaxed);
    }

    /// How many are to be refused still.
    #[must_use]
    pub fn left_to_refuse(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// Cuts all connections, whatever goes over them.
    ///
    /// # Panics
    /// When somebody else panicked who did so.
    pub fn cut_all(&self) {
        for (_, client) in self.shared.open.lock().unwrap().drain() {
            let _ = client.shutdown(Shutdown::Both);
        }
    }

    /// How many commits were cut in each way: before, sent, answered.
    #[must_use]
    pub fn cuts(&self) -> [u64; 3] {
        std::array::from_fn(|at| self.shared.cuts.get(at).map_or(0, |cut| cut.load(Ordering::Relaxed)))
    }

    /// How many commits came by.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.shared.commits.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        self.cut_all();
        // So that it notices.
        let _ = TcpStream::connect(self.at);
    }
}

/// What a connection is told by the one of its two directions that reads what the client says.
const PASS: u8 = 0;
const CUT_AT_ANSWER: u8 = 1;
const SILENT: u8 = 2;

fn serve(shared: &Arc<Shared>, number: u64, client: TcpStream) -> std::io::Result<()> {
    let server = TcpStream::connect(shared.server)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    shared.open.lock().unwrap().insert(number, client.try_clone()?);
    let state = Arc::new(AtomicU8::new(PASS));
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    let (asking, of) = (Arc::clone(shared), Arc::clone(&state));
    thread::spawn(move || {
        ask(&asking, &of, from, &to);
        // The server reads what it was sent, and then that nothing more comes.
        let _ = to.shutdown(Shutdown::Write);
    });
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        answer(&state, server, &client);
        let _ = client.shutdown(Shutdown::Both);
        if let Ok(mut open) = shared.open.lock() {
            open.remove(&number);
        }
    });
    Ok(())
}

/// Passes on what the server says. To its end, so that it is never disturbed by a cut.
fn answer(state: &AtomicU8, mut server: TcpStream, mut client: &TcpStream) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read @ 1..) = server.read(&mut buffer) {
        match state.load(Ordering::Acquire) {
            PASS if buffer.get(..read).is_some_and(|bytes| client.write_all(bytes).is_ok()) => {}
            CUT_AT_ANSWER => {
                state.store(SILENT, Ordering::Release);
                let _ = client.shutdown(Shutdown::Both);
            }
            _ => state.store(SILENT, Ordering::Release),
        }
    }
}

/// Passes on what the client says, message by message, until it ends or is cut.
fn ask(shared: &Shared, state: &AtomicU8, mut client: TcpStream, mut server: &TcpStream) {
    let mut reader = Messages::default();
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        reader.rest.extend(buffer.iter().take(read));
        let mut through = Vec::new();
        let mut cut = None;
        while let Some((message, commits)) = reader.next() {
            if commits && cut.is_none() {
                shared.commits.fetch_add(1, Ordering::Relaxed);
                cut = (shared.fate.lock().unwrap())();
            }
            if cut != Some(Cut::Before) {
                through.extend(message);
            }
        }
        match cut {
            None => {}
            Some(Cut::Answered) => state.store(CUT_AT_ANSWER, Ordering::Release),
            Some(Cut::Before | Cut::Sent) => state.store(SILENT, Ordering::Release),
        }
        let sent = server.write_all(&through);
        if let Some(cut) = cut {
            if let Some(count) = shared.cuts.get(cut as usize) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            if cut != Cut::Answered {
                let _ = client.shutdown(Shutdown::Both);
                return;
            }
        }
        if sent.is_err() {
            return;
        }
    }
}

/// What a client says, in messages.
#[derive(Default)]
struct Messages {
    rest: Vec<u8>,
    /// Whether the first message came, which has no type.
    begun: bool,
    /// The statements that commit, by name.
    statements: HashMap<Vec<u8>, bool>,
}

impl Messages {
    /// The next whole message, and whether it begins a commit.
    fn next(&mut self) -> Option<(Vec<u8>, bool)> {
        let head = usize::from(self.begun);
        let length = self.rest.get(head..head + 4)?.try_into().ok().map(u32::from_be_bytes)?;
        let whole = head + usize::try_from(length).ok()?;
        if self.rest.len() < whole {
            return None;
        }
        let message: Vec<u8> = self.rest.drain(..whole).collect();
        let commits = self.begun && self.commits(&message);
        self.begun = true;
        Some((message, commits))
    }

    fn commits(&mut self, message: &[u8]) -> bool {
        let mut texts = message.get(5..).unwrap_or_default().split(|byte| *byte == 0);
        let mut text = || texts.next().unwrap_or_default();
        match message.first() {
            Some(b'P') => {
                let (name, sql) = (text().to_vec(), String::from_utf8_lossy(text()).into_owned());
                // An unnamed statement is parsed right before it is run.
                self.statements.insert(name, sql.contains("INSERT INTO passes.operation"));
                false
            }
            Some(b'B') => {
                let _portal = text();
                self.statements.get(text()).copied().unwrap_or_default()
            }
            Some(b'Q') => text() == b"COMMIT",
            _ => false,
        }
    }
}
