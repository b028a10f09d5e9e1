//! A PostgreSQL server for tests, from the system's own packages: on a free port and a socket in a temporary folder.
//!
//! It ends with the process that started it, however that ends: a shell that holds the server waits for the end of a
//! pipe. Root runs it as an unprivileged user, since PostgreSQL refuses to be run by root.
//!
//! `PASSES_TEST_POSTGRES_URL` names another server instead; tests then make their databases there, for which it needs
//! `psql` and the right to do so. The parameters of the URL are those of the library, and go with every database. With
//! `PASSES_TEST_POSTGRES_ONE=1` no database is made: tests have the one that is named, one after the other
//! (`RUST_TEST_THREADS=1`), and begin by dropping its schema `passes`. What needs a server of its own, such as one that is
//! killed, starts one all the same.
//!
//! Where there is neither, tests are skipped, with a message; when `CI` is set that is a failure.

// A fault of a test's own server should be as loud as one in the store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

mod control;
mod pooler;
mod proxy;
mod shell;

#[cfg(test)]
mod tests;

pub use control::End;
pub use pooler::{Pooler, pooler_missing};
pub use proxy::{Cut, Fate, Proxy};

use shell::{Shell, free_port, until_ready};

/// The variable that names another server, by the URL of a database to begin with.
pub const VARIABLE: &str = "PASSES_TEST_POSTGRES_URL";

/// The variable that says that tests have no database but the named one.
pub const ONE: &str = "PASSES_TEST_POSTGRES_ONE";

/// How long a test that counts events right behind a commit lets the store wait for others: any long writing transaction
/// of the server holds events and books back, another test's, too.
pub const SETTLE: Duration = Duration::from_secs(60);

/// Parameters of a URL that only the library knows.
const OURS: [&str; 4] = ["connections", "pooler", "distributed", "sslrootcert"];

const MISSING: &str = "PostgreSQL's server isn't installed (apt-get install postgresql), and \
     PASSES_TEST_POSTGRES_URL names none";

/// Why the tests on PostgreSQL can't run here; nothing where they can.
#[must_use]
pub fn missing() -> Option<&'static str> {
    let given = std::env::var_os(VARIABLE).is_some_and(|url| !url.is_empty());
    (!given && binaries().is_none()).then_some(MISSING)
}

/// A server.
#[derive(Debug)]
pub struct Server {
    place: Place,
    made: AtomicU32,
}

#[derive(Debug)]
enum Place {
    /// Somebody else's, at this URL; and whether its database is the only one.
    Given(String, bool),
    /// Our own.
    Own(Own),
}

#[derive(Debug)]
struct Own {
    binaries: PathBuf,
    folder: PathBuf,
    port: u16,
    user: Option<(u32, u32)>,
    shell: Shell,
}

/// The server that all tests of a process share; none where there is none to be had, which is told once.
///
/// # Panics
/// When `CI` is set and there is none, or one can't be started.
#[must_use]
pub fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(Server::start).as_ref()
}

/// The URL of a database of the shared server, the same each time in a process.
///
/// # Panics
/// As [`shared`] does.
#[must_use]
pub fn url() -> Option<&'static str> {
    static URL: OnceLock<Option<String>> = OnceLock::new();
    URL.get_or_init(|| shared().map(Server::database)).as_deref()
}

impl Server {
    /// Starts a server, or takes the one that the environment names.
    ///
    /// # Panics
    /// When `CI` is set and there is none, or one can't be started.
    #[must_use]
    pub fn start() -> Option<Self> {
        if let Some(url) = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty()) {
            let one = std::env::var_os(ONE).is_some_and(|one| !one.is_empty());
            return Some(Self { place: Place::Given(url, one), made: AtomicU32::new(0) });
        }
        Self::own(&[])
    }

    /// Starts a server of one's own, with these settings besides.
    ///
    /// # Panics
    /// When `CI` is set and it isn't installed, or it can't be started.
    #[must_use]
    pub fn own(settings: &[&str]) -> Option<Self> {
        Self::own_with(settings, &[])
    }

    /// Starts a server of one's own that speaks TLS, with its certificate and the key to it in the PEM form.
    ///
    /// # Panics
    /// As [`Server::own`] does.
    #[must_use]
    pub fn own_with_tls(certificate: &str, key: &str) -> Option<Self> {
        Self::own_with(&["ssl=on"], &[("server.crt", certificate), ("server.key", key)])
    }

    fn own_with(settings: &[&str], files: &[(&str, &str)]) -> Option<Self> {
        let Some(binaries) = binaries() else {
            let missing = MISSING;
            assert!(std::env::var_os("CI").is_none_or(|value| value.is_empty()), "{missing}");
            eprintln!("skipped: {missing}");
            return None;
        };
        Some(Self { place: Place::Own(Own::start(binaries, settings, files)), made: AtomicU32::new(0) })
    }

    /// Makes a database, and tells its URL. Where there is only one, it is emptied.
    ///
    /// # Panics
    /// When the server doesn't.
    #[must_use]
    pub fn database(&self) -> String {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = format!("passes_test_{}_{number}", std::process::id());
        match &self.place {
            Place::Own(own) => {
                let mut create = own.client("createdb");
                run(create.arg(&name));
                own.url(&name)
            }
            Place::Given(url, true) => {
                let alone = std::env::var("RUST_TEST_THREADS").is_ok_and(|threads| threads == "1");
                assert!(alone, "tests that share a database run one after the other: RUST_TEST_THREADS=1");
                run(psql(url).args(["-qc", "DROP SCHEMA IF EXISTS passes CASCADE"]));
                url.clone()
            }
            Place::Given(url, false) => {
                run(psql(url).args(["-qc", &format!("CREATE DATABASE {name}")]));
                let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
                let (server, _) = place.rsplit_once('/').expect("a URL with a database");
                with(&format!("{server}/{name}"), parameters)
            }
        }
    }

    /// Whether the environment named it: what only an own server allows can't be tested then.
    #[must_use]
    pub fn is_given(&self) -> bool {
        matches!(self.place, Place::Given(..))
    }

    /// Whether there is only one database: a test that needs two can't run then.
    #[must_use]
    pub fn has_one_database(&self) -> bool {
        matches!(self.place, Place::Given(_, true))
    }

    /// Runs a statement in a database as the owner of the server, and answers what it says, without headings.
    ///
    /// # Panics
    /// When the server refuses.
    #[must_use]
    pub fn say(&self, url: &str, statement: &str) -> String {
        run(psql(url).args(["-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statement]))
    }
}

/// The same database for who doesn't see the folder of the socket, such as a program with a root of its own. A server that
/// was given has a URL of its own, which stays.
#[must_use]
pub fn by_tcp(url: &str) -> String {
    let (before, place) = url.split_once('@').unwrap_or(("", url));
    match place.strip_prefix("%2F").and_then(|rest| rest.split_once(':')) {
        Some((_, port_and_rest)) => format!("{before}@127.0.0.1:{port_and_rest}"),
        None => url.to_owned(),
    }
}

/// A URL with some more parameters.
#[must_use]
pub fn with(url: &str, parameters: &str) -> String {
    match (parameters.is_empty(), url.contains('?')) {
        (true, _) => url.to_owned(),
        (false, true) => format!("{url}&{parameters}"),
        (false, false) => format!("{url}?{parameters}"),
    }
}

/// `psql` at a URL, without those parameters that it doesn't know.
fn psql(url: &str) -> Command {
    let psql = binaries().map_or_else(|| "psql".into(), |folder| folder.join("psql"));
    let (place, parameters) = url.split_once('?').unwrap_or((url, ""));
    let known = |parameter: &&str| !OURS.contains(&parameter.split('=').next().unwrap_or_default());
    let kept: Vec<&str> = parameters.split('&').filter(known).collect();
    let mut command = Command::new(psql);
    command.arg(with(place, &kept.join("&")));
    command
}

/// The newest of the system's packages, or what is in the path.
fn binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.path()).filter(|path| path.join("bin/postgres").exists());
    let newest = newest.max_by_key(|path| number(path)).map(|path| path.join("bin"));
    newest.or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("postgres").exists())
    })
}

/// Who runs it when root may not.
fn unprivileged() -> Option<(u32, u32)> {
    let id = |args: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(args).stderr(Stdio::null()).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    ["postgres", "nobody"].iter().find_map(|user| Some((id(&["-u", user])?, id(&["-g", user])?)))
}

#[cfg(unix)]
fn give(folder: &Path, user: Option<(u32, u32)>) {
    if let Some((uid, gid)) = user {
        std::os::unix::fs::chown(folder, Some(uid), Some(gid)).unwrap();
    }
}

/// A file that nobody else may read.
#[cfg(unix)]
fn only_for(file: &Path, user: Option<(u32, u32)>) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    give(file, user);
}

#[cfg(unix)]
fn run_as(command: &mut Command, user: Option<(u32, u32)>) {
    use std::os::unix::process::CommandExt;
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

/// Elsewhere there is no root who may not.
#[cfg(not(unix))]
fn give(_: &Path, _: Option<(u32, u32)>) {}

#[cfg(not(unix))]
fn only_for(_: &Path, _: Option<(u32, u32)>) {}

#[cfg(not(unix))]
fn run_as(_: &mut Command, _: Option<(u32, u32)>) {}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("a program of PostgreSQL");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Starts the server, and again at each line; ends it at the end of the input. Each start has a shell of its own, so
/// that who was killed is taken note of at once.
const HOLD: &str = "(\"$1\" -D \"$2\"; :) & while read again; do (\"$1\" -D \"$2\"; :) & done; \
     kill -INT $(head -n 1 \"$2/postmaster.pid\"); wait; rm -rf \"$3\" || { sleep 1; rm -rf \"$3\"; }";

impl Own {
    fn start(binaries: PathBuf, settings: &[&str], files: &[(&str, &str)]) -> Self {
        let program = binaries.join("initdb");
        Self::make(binaries, settings, |data, command| {
            let mut initdb = command(&program);
            initdb.args(["-A", "trust", "-U", "postgres", "--no-locale", "-E", "UTF8", "--no-sync", "-D"]);
            run(initdb.arg(data));
            for (name, text) in files {
                let path = data.join(name);
                fs::write(&path, text).unwrap();
                only_for(&path, unprivileged());
            }
        })
    }

    /// Starts a server over what this brings into its folder.
    fn make(
        binaries: PathBuf,
        settings: &[&str],
        fill: impl FnOnce(&Path, &dyn Fn(&Path) -> Command),
    ) -> Self {
        let folder = tempfile::Builder::new().prefix("passes-pg-").tempdir().unwrap().keep();
        let user = unprivileged();
        give(&folder, user);
        let command = |program: &Path| {
            let mut command = Command::new(program);
            run_as(command.current_dir(&folder), user);
            command
        };
        let data = folder.join("data");
        fill(&data, &command);
        let port = free_port();
        // A test's data may be lost with the machine.
        let mut configuration = format!(
            "listen_addresses='127.0.0.1'\nport={port}\nunix_socket_directories='{}'\nfsync=off\nmax_connections=300\n\
             shared_buffers=128MB\nlog_min_messages=fatal\nlog_min_error_statement=panic\n",
            folder.display()
        );
        for setting in settings {
            configuration += setting;
            configuration.push('\n');
        }
        let mut file = fs::OpenOptions::new().append(true).open(data.join("postgresql.conf")).unwrap();
        file.write_all(configuration.as_bytes()).unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let shell = command(Path::new("/bin/sh"));
        let shell = Shell::hold(shell, HOLD, &[&binaries.join("postgres"), &data, &folder], log);
        let own = Self { binaries, folder, port, user, shell };
        own.wait();
        own
    }

    fn is_ready(&self) -> bool {
        self.client("pg_isready").stdout(Stdio::null()).status().unwrap().success()
    }

    fn wait(&self) {
        until_ready("the server", &self.folder, || self.is_ready());
    }

    /// One of PostgreSQL's programs, for this server.
    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        run_as(&mut command, self.user);
        let port = self.port.to_string();
        command.current_dir(&self.folder).args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres"]);
        command
    }

    fn url(&self, database: &str) -> String {
        shell::url(&self.folder, self.port, database)
    }
}
