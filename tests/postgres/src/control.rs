//! What can be done to a server of one's own: it is killed and started again, and has a standby that takes its place.

use crate::{Own, Place, Server, run};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its first process is killed, and the others notice.
    Killed,
    /// At once, and without a word on the disk; its clients are told.
    AtOnce,
    /// Its clients are sent away first.
    Fast,
}

impl Server {
    fn own_place(&self) -> &Own {
        match &self.place {
            Place::Own(own) => own,
            Place::Given(..) => panic!("only a server of one's own is ended or started"),
        }
    }

    /// Where it listens.
    ///
    /// # Panics
    /// When it isn't one's own.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.own_place().port).into()
    }

    /// The URL of one of its databases through another address, or through several that are tried in turn.
    ///
    /// # Panics
    /// When it isn't one's own.
    #[must_use]
    pub fn through(&self, url: &str, addresses: &[SocketAddr]) -> String {
        let (_, database) = url.rsplit_once('/').expect("a URL with a database");
        let hosts: Vec<String> = addresses.iter().map(SocketAddr::to_string).collect();
        format!("postgres://postgres@{}/{database}?sslmode=disable", hosts.join(","))
    }

    /// Ends it.
    ///
    /// # Panics
    /// When it isn't one's own, or doesn't run.
    pub fn end(&self, end: End) {
        self.own_place().end(end);
    }

    /// Starts it again, and waits until it is ready.
    ///
    /// # Panics
    /// When it isn't one's own, or doesn't start.
    pub fn start_again(&self) {
        self.own_place().start_again();
    }

    /// Kills one of its processes that serves a client of the store, whereupon the server sends all its clients away and
    /// recovers. Tells whether there was one.
    ///
    /// # Panics
    /// When it isn't one's own.
    #[must_use]
    pub fn kill_one_backend(&self, url: &str) -> bool {
        let serving = "SELECT pid FROM pg_stat_activity WHERE application_name='passes' \
                       ORDER BY state='active' DESC,random() LIMIT 1";
        let pid = self.say(url, serving);
        self.own_place();
        !pid.is_empty() && signal("KILL", &pid)
    }

    /// What it wrote to its log, as far as its settings have it do so.
    ///
    /// # Panics
    /// When it isn't one's own.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.own_place().folder.join("log")).unwrap_or_default()
    }

    /// Waits until it is ready.
    ///
    /// # Panics
    /// When it isn't one's own, or isn't within a minute.
    pub fn wait_until_ready(&self) {
        self.own_place().wait();
    }

    /// Starts a standby, which follows this server; every commit waits until the standby has it on its disk.
    ///
    /// # Panics
    /// When it isn't one's own, or it can't be done.
    #[must_use]
    pub fn standby(&self) -> Self {
        let own = self.own_place().follow();
        let any = self.own_place().url("postgres");
        let _ = self.say(&any, "ALTER SYSTEM SET synchronous_standby_names='*'");
        let _ = self.say(&any, "SELECT pg_reload_conf()");
        let start = Instant::now();
        while self.say(&any, "SELECT count(*) FROM pg_stat_replication WHERE sync_state='sync'") != "1" {
            assert!(start.elapsed() < Duration::from_secs(60), "the standby doesn't follow");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { place: Place::Own(own), made: AtomicU32::new(0) }
    }

    /// Has a standby take the place of its primary, and waits for no other standby.
    ///
    /// # Panics
    /// When it isn't one.
    pub fn promote(&self) {
        let any = self.own_place().url("postgres");
        assert_eq!(self.say(&any, "SELECT pg_promote()"), "t");
        let _ = self.say(&any, "ALTER SYSTEM SET synchronous_standby_names=''");
        let _ = self.say(&any, "SELECT pg_reload_conf()");
    }

    /// The URL of a database that it has by the same name.
    ///
    /// # Panics
    /// When it isn't one's own.
    #[must_use]
    pub fn same_database(&self, url: &str) -> String {
        let (_, database) = url.rsplit_once('/').expect("a URL with a database");
        self.own_place().url(database)
    }
}

/// Sends a signal. Tells whether the process was there.
fn signal(name: &str, pid: &str) -> bool {
    let mut kill = Command::new("/bin/sh");
    // The shell's own numbers: not every shell has a name for none.
    let line = if name == "0" { "kill -0 \"$2\"" } else { "kill -s \"$1\" \"$2\"" };
    kill.args(["-c", line, "sh", name, pid]).stderr(Stdio::null()).status().unwrap().success()
}

impl Own {
    fn end(&self, end: End) {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("a server that runs");
        let pid = file.lines().next().unwrap();
        let name = match end {
            End::Killed => "KILL",
            End::AtOnce => "QUIT",
            End::Fast => "INT",
        };
        assert!(signal(name, pid), "the server doesn't run");
        let start = Instant::now();
        // Whoever held it has noticed when nobody is there any more.
        while signal("0", pid) {
            assert!(start.elapsed() < Duration::from_secs(60), "the server doesn't end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn start_again(&self) {
        let start = Instant::now();
        loop {
            // What the killed server left may still be in its way; a second one beside one that runs ends by itself.
            self.shell.tell("start");
            for _ in 0..40 {
                if self.is_ready() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            assert!(start.elapsed() < Duration::from_secs(60), "the server doesn't start again");
        }
    }

    /// Another server that follows this one.
    fn follow(&self) -> Self {
        Self::make(self.binaries.clone(), &[], |data, _| {
            let mut copy = self.client("pg_basebackup");
            copy.args([
                "--no-sync",
                "--checkpoint=fast",
                "--wal-method=stream",
                "--write-recovery-conf",
                "-D",
            ]);
            run(copy.arg(data));
        })
    }
}
