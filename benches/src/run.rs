//! What a section is given: how thorough it shall be, how it tells its progress, and where its files go.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::error::Error;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// What a bench makes, or why it can't.
pub(crate) type Made<T> = Result<T, Box<dyn Error>>;

/// How the benches run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Fewer rounds and smaller sizes: shows that all works, and what the figures will be like.
    pub(crate) quick: bool,
    silent: bool,
}

impl Run {
    pub(crate) fn new(quick: bool) -> Self {
        Self { quick, silent: false }
    }

    /// Tells nothing, for tests.
    #[cfg(test)]
    pub(crate) fn silent() -> Self {
        Self { quick: true, silent: true }
    }

    /// The first, or in a quick run the second.
    pub(crate) fn or_quick<T>(&self, thorough: T, quick: T) -> T {
        if self.quick { quick } else { thorough }
    }

    /// Says what is being done now, on standard error.
    pub(crate) fn doing(&self, what: &str, rounds: usize) -> Doing {
        if self.silent {
            return Doing { bar: ProgressBar::hidden() };
        }
        if !stderr().is_terminal() {
            eprintln!("  {what}");
        }
        // Drawn only when something changes: a thread of its own would take part in what is measured.
        let target = ProgressDrawTarget::stderr_with_hz(2);
        let bar = ProgressBar::with_draw_target(u64::try_from(rounds).ok(), target);
        if let Ok(style) = ProgressStyle::with_template("  {msg}: {pos} of {len}  {wide_bar}  {eta}") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        Doing { bar }
    }
}

/// Something that goes on; it is over when this is dropped.
pub(crate) struct Doing {
    bar: ProgressBar,
}

impl Doing {
    /// How far it is.
    pub(crate) fn round(&self, round: usize) {
        self.bar.set_position(u64::try_from(round).unwrap_or_default());
    }
}

impl Drop for Doing {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Where the workspace lies.
pub(crate) fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Where everything goes that is built or measured.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => target.into(),
        None => root().join("target"),
    }
}

/// A new folder for databases, gone when it is dropped. Beside what is built rather than in the system's
/// temporary folder, which is memory on many machines: there a sync costs nothing.
pub(crate) fn folder() -> Made<TempDir> {
    let all = target().join("bench");
    std::fs::create_dir_all(&all)?;
    Ok(TempDir::with_prefix_in("run-", all)?)
}
