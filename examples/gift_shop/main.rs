//! Runs the gift shop: `cargo xtask demo [FOLDER]`. The folder, `target/gift_shop` by default, has to be empty or
//! an earlier run's, and then holds the database, the keys and the file for the printer.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let folder = arguments.next().map_or_else(|| PathBuf::from("target/gift_shop"), PathBuf::from);
    if arguments.next().is_some()
        || folder.as_os_str().is_empty()
        || folder.to_string_lossy().starts_with('-')
    {
        eprintln!("usage: gift_shop [FOLDER]");
        return ExitCode::from(2);
    }
    let mut out = io::stdout();
    let result = examples::run(&folder, &mut out);
    match result.and_then(|outcome| out.flush().map(|()| outcome).map_err(Into::into)) {
        Ok(outcome) if outcome.verified.is_good() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("gift_shop: {error}");
            ExitCode::FAILURE
        }
    }
}
