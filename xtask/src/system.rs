//! What tests need of the system: Debian's own packages, where they may be installed.

use crate::workspace::say;
use std::process::{Command, Stdio};

/// What the tests of the PostgreSQL store start: the server, and a pooler before it.
const POSTGRES: [&str; 2] = ["postgresql", "pgbouncer"];

/// Installs PostgreSQL and PgBouncer where something of them is missing, on Debian and as root. Elsewhere nothing is
/// done, and what can't be tested is told as skipped.
pub(crate) fn install_postgres() {
    if test_postgres::missing().or_else(test_postgres::pooler_missing).is_none() || !is_root() {
        return;
    }
    say(&format!("\n== apt-get install {}\n", POSTGRES.join(" ")));
    // An old list of packages may do, too.
    let _ = apt_get(&["update", "-q"]);
    if !apt_get(&[&["install", "-qy", "--no-install-recommends"][..], &POSTGRES].concat()) {
        say("they could not be installed\n");
    }
}

fn apt_get(args: &[&str]) -> bool {
    let mut command = Command::new("apt-get");
    command.args(args).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}
