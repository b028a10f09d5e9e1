//! Bringing the write-ahead log back into the database, beside the commands and never inside one.
//!
//! A thread of its own does nearly all of it while others write. But what is written meanwhile stays in the
//! log, so under steady load the log would never begin anew: when it has grown long, a last short step is
//! queued like a command. It waits a moment for the readers that still use the log, and then the log begins anew.

use crate::connection::Db;
use crate::errors::Fault;
use crate::queue::Queue;
use crate::slot::lock;
use crate::writer::{Task, Work, Writer};
use passes_core::store::wait;
use rusqlite::MAIN_DB;
use rusqlite::wal::CheckpointMode;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

#[derive(Default)]
struct Signal {
    wanted: bool,
    closed: bool,
}

/// How long the log is, as the last commit left it.
pub(crate) struct Gauge {
    /// Pages in the log.
    length: AtomicU32,
    /// Pages that were written to it in all.
    written: AtomicU64,
    /// The length at which the thread is called.
    call_at: AtomicU32,
    step: u32,
    restart_at: u32,
    signal: Mutex<Signal>,
    bell: Condvar,
}

impl Gauge {
    pub(crate) fn new(step: u32, restart_at: u32) -> Arc<Self> {
        Arc::new(Self {
            length: AtomicU32::new(0),
            written: AtomicU64::new(0),
            call_at: AtomicU32::new(step),
            step,
            restart_at,
            signal: Mutex::default(),
            bell: Condvar::new(),
        })
    }

    /// Pages written to the log. Those of other processes count when they come between two commits of this one.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Pages in the log.
    pub(crate) fn length(&self) -> u32 {
        self.length.load(Ordering::Relaxed)
    }

    /// Watches the commits of a connection.
    pub(crate) fn watch(self: &Arc<Self>, db: &mut Db) -> Result<(), Fault> {
        // What a process before this one left in the log is not this one's.
        let (log, _) = db.sql.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::NOOP)?;
        self.length.store(u32::try_from(log).unwrap_or_default(), Ordering::Relaxed);
        let gauge = Arc::clone(self);
        db.sql.wal_hook(Some(move |_: &mut _, pages| {
            gauge.committed(u32::try_from(pages).unwrap_or_default());
            Ok(())
        }))?;
        Ok(())
    }

    fn committed(&self, length: u32) {
        let before = self.length.swap(length, Ordering::Relaxed);
        let restarted = length < before;
        let more = if restarted { length } else { length - before };
        self.written.fetch_add(u64::from(more), Ordering::Relaxed);
        if restarted {
            self.call_at.store(self.step, Ordering::Relaxed);
        }
        if length >= self.call_at.load(Ordering::Relaxed) {
            // Once: the thread sets the next mark.
            self.call_at.store(u32::MAX, Ordering::Relaxed);
            lock(&self.signal).wanted = true;
            self.bell.notify_one();
        }
    }

    /// The checkpointing thread.
    pub(crate) fn work(&self, db: &Db, queue: &Queue<Writer>) {
        loop {
            let mut signal = lock(&self.signal);
            while !signal.wanted {
                if signal.closed {
                    return;
                }
                signal = self.bell.wait(signal).unwrap_or_else(PoisonError::into_inner);
            }
            if signal.closed {
                return;
            }
            signal.wanted = false;
            drop(signal);
            // Somebody else may be at it, or the disk is in trouble: then it is tried again some pages later.
            let brought = db.sql.wal_checkpoint_v2(Some(MAIN_DB), CheckpointMode::PASSIVE);
            if let Err(error) = brought {
                db.note(&error.into());
            }
            if self.length() >= self.restart_at && !db.keeps_log() {
                drop(wait(queue.submit(vec![Task::new(Work::Checkpoint)])));
            }
            if db.keeps_log() {
                return;
            }
            // Unless the log began anew meanwhile, which has set the mark already.
            let next = self.length().saturating_add(self.step);
            let _ = self.call_at.compare_exchange(u32::MAX, next, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    pub(crate) fn close(&self) {
        lock(&self.signal).closed = true;
        self.bell.notify_one();
    }
}
