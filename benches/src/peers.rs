//! Peers that are programs of their own, built where they are measured.

use crate::run::{Made, Run, root, target};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The program of `benches/peers/stateset`. A quick run takes it if it is there; any other builds it if need be, which
/// takes some ten minutes and needs the registry.
pub(crate) fn stateset(run: &Run) -> Made<PathBuf> {
    let folder = target().join("peers");
    let program = folder.join("release").join(format!("peer-stateset{}", std::env::consts::EXE_SUFFIX));
    if program.exists() {
        return Ok(program);
    }
    if run.quick {
        return Err("the peer isn't built yet; a whole run builds it".into());
    }
    eprintln!("  building stateset-embedded, once, for some ten minutes");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--locked", "--manifest-path"]);
    build.arg(root().join("benches/peers/stateset/Cargo.toml")).arg("--target-dir").arg(&folder);
    // With the settings of the workspace, of SQLite too, but not with those of this program alone.
    build
        .current_dir(root())
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let status = build.status()?;
    if status.success() && program.exists() {
        Ok(program)
    } else {
        Err(format!("stateset-embedded could not be built: {status}").into())
    }
}
