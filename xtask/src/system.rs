//! What tests need of the system: Debian's own packages, where they may be installed.

use crate::tally::Tally;
use crate::workspace::say;
use std::process::{Command, Stdio};

/// Something that tests start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// A server of PostgreSQL, and a pooler before it.
    Postgres,
    /// Maven, and the JDK that it runs in.
    Maven,
    /// Python, and what makes environments for it.
    Python,
}

impl Need {
    /// Installs it where something of it is missing, on Debian and as root. What is missing then is told as skipped:
    /// the tests that need it pass and show nothing.
    pub(crate) fn prepare(self) -> Tally {
        if self.missing().is_some() && is_root() {
            install(self.packages());
        }
        self.missing().map_or_else(Tally::default, Tally::skip)
    }

    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postgresql", "pgbouncer"],
            Self::Maven => &["maven", "default-jdk-headless"],
            Self::Python => &["python3", "python3-venv"],
        }
    }

    /// Which tests can't run here, and why.
    fn missing(self) -> Option<String> {
        match self {
            Self::Postgres => {
                let server = test_postgres::missing().map(|why| format!("the tests on PostgreSQL: {why}"));
                let pooler =
                    || Some(format!("the tests through a pooler: {}", test_postgres::pooler_missing()?));
                server.or_else(pooler)
            }
            Self::Maven => {
                let found = Command::new("mvn").arg("--version").output();
                let works = found.is_ok_and(|found| found.status.success());
                (!works).then(|| "the tests in Kotlin: there is no Maven (mvn)".to_owned())
            }
            Self::Python => python().err().map(|why| format!("the tests in Python: {why}")),
        }
    }
}

/// The oldest Python that the package is for.
const OLDEST_PYTHON: (u32, u32) = (3, 10);

/// A Python that is new enough, and can make environments.
pub(crate) fn python() -> Result<&'static str, String> {
    let (major, minor) = OLDEST_PYTHON;
    let says_yes = |name: &str, test: &str| {
        let told = Command::new(name).args(["-c", test]).stderr(Stdio::null()).status();
        told.is_ok_and(|status| status.success())
    };
    let new = format!("import sys; sys.exit(sys.version_info < ({major}, {minor}))");
    let found = ["python3", "python"].into_iter().find(|name| says_yes(name, &new));
    let found = found.ok_or_else(|| format!("there is no Python {major}.{minor} or later"))?;
    match says_yes(found, "import ensurepip, venv") {
        true => Ok(found),
        false => Err("no virtual environment can be made (Debian: apt-get install python3-venv)".into()),
    }
}

/// The URL of an empty database of PostgreSQL, for the tests of another language. The server is one for all of them and
/// ends with this program.
pub(crate) fn database() -> Option<String> {
    test_postgres::missing().is_none().then(test_postgres::shared)?.map(test_postgres::Server::database)
}

fn install(packages: &[&str]) {
    say(&format!("\n== apt-get install {}\n", packages.join(" ")));
    // An old list of packages may do, too.
    let _ = apt_get(&["update", "-q"]);
    if !apt_get(&[&["install", "-qy", "--no-install-recommends"][..], packages].concat()) {
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
