//! PgBouncer before a server, in transaction mode: any version, that of Debian included.

use crate::shell::{self, Shell, free_port, until_ready};
use crate::{Place, Server, give, run_as};
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Starts the pooler, and ends it at the end of the input.
const HOLD: &str = "\"$1\" -q \"$2\" & pooler=$!; read end; kill -TERM $pooler; wait $pooler; rm -rf \"$3\"";

const MISSING: &str = "PgBouncer isn't installed (apt-get install pgbouncer)";

/// Why the tests through a pooler can't run here; nothing where they can.
#[must_use]
pub fn pooler_missing() -> Option<&'static str> {
    program().is_none().then_some(MISSING)
}

/// A pooler in transaction mode before a server of one's own. Each database has `connections` connections to the server,
/// which all its clients share. It ends as a server does.
#[derive(Debug)]
pub struct Pooler {
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    /// Held until the end.
    _shell: Shell,
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders.map(|folder| folder.join("pgbouncer")).find(|program| program.exists())
}

impl Pooler {
    /// Starts one; none where it isn't installed, which is told, or where the server is somebody else's.
    ///
    /// # Panics
    /// When `CI` is set and it isn't installed, or it can't be started.
    #[must_use]
    pub fn start(server: &Server, connections: u32) -> Option<Self> {
        let Place::Own(own) = &server.place else {
            eprintln!("skipped: a pooler is put before a server that tests start, and not before another");
            return None;
        };
        let Some(program) = program() else {
            assert!(std::env::var_os("CI").is_none_or(|value| value.is_empty()), "{MISSING}");
            eprintln!("skipped: {MISSING}");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("passes-pooler-").tempdir().unwrap().keep();
        give(&folder, own.user);
        let port = free_port();
        let settings = format!(
            "[databases]\n* = host={server} port={server_port}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port={port}\n\
             unix_socket_dir={folder}\nauth_type=trust\nauth_file={folder}/users\npool_mode=transaction\n\
             default_pool_size={connections}\nmax_client_conn=500\nquery_wait_timeout=60\nlogfile={folder}/log\n",
            server = own.folder.display(),
            server_port = own.port,
            folder = folder.display(),
        );
        fs::write(folder.join("settings"), settings).unwrap();
        fs::write(folder.join("users"), "\"postgres\" \"\"\n").unwrap();
        let mut shell = Command::new("/bin/sh");
        run_as(shell.current_dir(&folder), own.user);
        let shell = Shell::hold(shell, HOLD, &[&program, &folder.join("settings"), &folder], Stdio::null());
        let pooler = Self { folder, port, _shell: shell };
        until_ready("the pooler", &pooler.folder, || pooler.is_ready());
        Some(pooler)
    }

    /// Its socket comes after its port.
    fn is_ready(&self) -> bool {
        let port = TcpStream::connect(("127.0.0.1", self.port)).is_ok();
        #[cfg(unix)]
        let port = port
            && std::os::unix::net::UnixStream::connect(self.folder.join(format!(".s.PGSQL.{}", self.port)))
                .is_ok();
        port
    }

    /// The URL of a database of its server, through it.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let name = Path::new(database.split('?').next().unwrap_or(database)).file_name();
        let name = name.and_then(|name| name.to_str()).expect("a URL with a database");
        shell::url(&self.folder, self.port, name)
    }
}
