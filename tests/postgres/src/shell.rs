//! What a server and a pooler have in common: a folder, a port, and a shell that holds the program.

use crate::own_group;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A shell that ends what it holds at the end of its own standard input.
#[derive(Debug)]
pub(crate) struct Shell(Mutex<Child>);

impl Shell {
    /// Has a shell, by a command that says where and as whom, run a script with these arguments.
    pub(crate) fn hold(
        mut shell: Command,
        script: &str,
        arguments: &[&Path],
        errors: impl Into<Stdio>,
    ) -> Self {
        shell.args(["-c", script, "sh"]).args(arguments);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(errors);
        // A group of its own: who interrupts the tests at the terminal doesn't end the shell before the server.
        own_group(&mut shell);
        Self(Mutex::new(shell.spawn().unwrap()))
    }

    /// Writes a line to its standard input.
    pub(crate) fn tell(&self, line: &str) {
        writeln!(self.0.lock().unwrap().stdin.as_mut().unwrap(), "{line}").unwrap();
    }
}

impl Drop for Shell {
    /// Ends what it holds, and waits for that. Without this, the end of the process does.
    fn drop(&mut self) {
        if let Ok(shell) = self.0.get_mut() {
            drop(shell.stdin.take());
            let _ = shell.wait();
        }
    }
}

/// A port on which nobody listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits for a program that logs in its folder.
pub(crate) fn until_ready(what: &str, folder: &Path, is_ready: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_ready() {
        let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        assert!(start.elapsed() < Duration::from_secs(60), "{what} doesn't start: {}", log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The URL of a database by the socket in a folder.
pub(crate) fn url(folder: &Path, port: u16, database: &str) -> String {
    let socket = folder.display().to_string().replace('/', "%2F");
    format!("postgres://postgres@{socket}:{port}/{database}")
}
