//! hf-nostro, the nearest peer on PostgreSQL, as a process of its own: installed by pip into `target/peers/nostro`, with the
//! versions of its list.

use crate::run::{Made, root, target};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The process, which redeems codes of its own when it is told to.
pub(crate) struct Nostro {
    child: Child,
    told: ChildStdin,
    says: BufReader<ChildStdout>,
}

impl Nostro {
    /// Starts it on an empty database, and has it mint so many codes.
    pub(crate) fn start(dsn: &str, codes: usize) -> Made<Self> {
        let python = installed()?;
        let mut command = Command::new(python);
        command.arg(root().join("benches/peers/nostro/redeem.py")).args([dsn, &codes.to_string()]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let told = child.stdin.take().ok_or("no input")?;
        let says = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut peer = Self { child, told, says };
        match peer.line()?.as_str() {
            "ready" => Ok(peer),
            said => Err(format!("hf-nostro said {said:?}").into()),
        }
    }

    fn line(&mut self) -> Made<String> {
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        if line.is_empty() {
            return Err("hf-nostro ended".into());
        }
        Ok(line.trim().to_owned())
    }

    /// Has so many threads redeem so many codes, and tells how many seconds that took.
    pub(crate) fn redeem(&mut self, clients: usize, count: usize) -> Made<f64> {
        writeln!(self.told, "{clients} {count}")?;
        self.told.flush()?;
        Ok(self.line()?.parse()?)
    }
}

impl Drop for Nostro {
    fn drop(&mut self) {
        // It would end with its input, but may be in the middle of something.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python in whose environment it is, made now if need be.
fn installed() -> Made<PathBuf> {
    let (list, to) = (root().join("benches/peers/nostro/requirements.txt"), target().join("peers/nostro"));
    let (python, done) = (to.join("bin/python"), to.join("installed.txt"));
    let wanted = std::fs::read(&list)?;
    if std::fs::read(&done).is_ok_and(|known| known == wanted) {
        return Ok(python);
    }
    eprintln!("  installing hf-nostro into {}", to.display());
    let run = |program: &Path, args: &[&str]| -> Made<()> {
        let output = Command::new(program).args(args).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{}: {error}", program.display()))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("{}: {}", program.display(), said.lines().last().unwrap_or("it failed")).into())
    };
    let text = |path: &Path| path.to_str().map(str::to_owned).ok_or("a path that is no text");
    run(Path::new("python3"), &["-m", "venv", &text(&to)?])?;
    run(&python, &["-m", "pip", "install", "-q", "--only-binary", ":all:", "-r", &text(&list)?])?;
    std::fs::write(&done, wanted)?;
    Ok(python)
}
