//! Speed and size, as ratios measured in one run: `cargo xtask bench`.
//!
//! Both sides of a ratio take turns in one process, and the median over the rounds is told: the machine may be
//! busy with something else. A peer in another language runs as a process of its own, in turns too, and is
//! compared by CPU seconds. Nothing here is compared with a number from another machine.

mod args;
mod check;
mod child;
mod codes;
mod crew;
mod doc;
mod floor;
mod growth;
mod lot;
mod machine;
mod measure;
mod memory;
mod npm;
mod pages;
mod peers;
mod plot;
mod postgres;
mod postgres_caps;
mod postgres_lot;
mod postgres_peer;
mod postgres_shop;
mod postgres_twin;
mod processes;
mod redeem;
mod report;
mod run;
mod scale;
mod shop;
mod spend;
mod stock;
mod threads;
mod till;
mod twin;
mod world;

use measure::Measure;
use run::{Made, Run};
use std::process::ExitCode;

/// What is measured together. A new one is one more entry in [`SECTIONS`].
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) measures: fn(&Run) -> Made<Vec<Measure>>,
}

pub(crate) const SECTIONS: &[Section] = &[
    Section {
        name: "codes",
        about: "unique passcodes, beside two generators of npm; their memory",
        measures: codes::measures,
    },
    Section {
        name: "lot",
        about: "a lot of hashed passes into SQLite, beside inserts written by hand; its memory and events",
        measures: lot::measures,
    },
    Section {
        name: "redeem",
        about: "durable redemption, one client, beside the same rows written by hand",
        measures: redeem::measures,
    },
    Section {
        name: "pages",
        about: "pages of the log that a redemption writes, counted",
        measures: pages::measures,
    },
    Section {
        name: "threads",
        about: "durable redemption by eight threads: syncs, what they gain, and beside stateset-embedded",
        measures: threads::measures,
    },
    Section {
        name: "processes",
        about: "eight processes on one file: shares, and the longest wait",
        measures: processes::measures,
    },
    Section {
        name: "memory",
        about: "redemption in memory, beside a compact store that only hashes, finds, checks, changes and books",
        measures: memory::measures,
    },
    Section {
        name: "check",
        about: "a check in memory, beside the part of a redemption before its commit",
        measures: check::measures,
    },
    Section {
        name: "spend",
        about: "paying a basket from credits that may each pay some of its lines",
        measures: spend::measures,
    },
    Section {
        name: "postgres",
        about: "redemption in PostgreSQL by 1, 8 and 32 clients, beside statements written by hand",
        measures: postgres::measures,
    },
    Section {
        name: "caps",
        about: "issues from one capped plan in PostgreSQL by 32 at once, beside 32 plans",
        measures: postgres_caps::measures,
    },
    Section {
        name: "scale",
        about: "bytes of a pass, and what a redemption writes and reads, while a database of PostgreSQL grows",
        measures: scale::measures,
    },
    Section {
        name: "growth",
        about: "redemptions a second and bytes of a pass while one file grows",
        measures: growth::measures,
    },
];

/// What runs in a process of its own, so that its memory and CPU time are its own; see [`child::call`].
pub(crate) const CHILDREN: &[(&str, child::Work)] = &[
    ("empty", child::empty),
    ("codes", codes::child),
    ("lot", lot::child),
    (memory::CHILD, memory::child),
    (postgres_peer::CHILD, postgres_peer::child),
    (till::CHILD, till::child),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first() {
        Some((first, rest)) if first == child::ARGUMENT => child::work(CHILDREN, rest).map(|()| true),
        _ => args::read(&args, SECTIONS).and_then(|asked| report::run(&asked)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
