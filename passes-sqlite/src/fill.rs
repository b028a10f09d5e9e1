//! A chunk of a lot: many rows a statement.

use crate::apply::pass_values;
use crate::connection::Db;
use crate::errors::Fault;
use passes_core::pass::{PassRow, Tally};
use passes_core::passcode::Digest;
use passes_core::store::{After, Chunk, Claim, StoreError};
use rusqlite::types::ToSql;
use std::collections::HashSet;
use std::fmt::Write;

/// Rows a statement. More gain nothing, and what is left over goes one by one.
const ROWS: usize = 64;

/// Columns of a pass.
const PASS_COLUMNS: usize = 23;

/// `INSERT INTO table VALUES (?1,…),(…)…`. What is taken is passed over and shows in the count: SQLite keeps no
/// journal for the statement then.
fn insert(table: &str, columns: usize, rows: usize) -> String {
    let mut text = format!("INSERT OR IGNORE INTO {table} VALUES");
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ",(" });
        for column in 1..=columns {
            let comma = if column == 1 { "" } else { "," };
            // Writing to a string can't fail.
            let _ = write!(text, "{comma}?{}", row * columns + column);
        }
        text.push(')');
    }
    text
}

/// The two texts of an INSERT, for many rows and for one.
struct Insert {
    many: String,
    one: String,
}

impl Insert {
    fn new(table: &str, columns: usize) -> Self {
        Self { many: insert(table, columns, ROWS), one: insert(table, columns, 1) }
    }

    /// Inserts all rows; tells whether none was there already.
    fn all<T>(
        &self,
        db: &Db,
        rows: &[T],
        mut bind: impl FnMut(&T, &mut dyn FnMut(&dyn ToSql) -> rusqlite::Result<()>) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        let (many, rest) = rows.as_chunks::<ROWS>();
        let chunks = many.iter().map(|chunk| (&self.many, chunk.as_slice()));
        for (text, chunk) in chunks.chain(rest.chunks(1).map(|chunk| (&self.one, chunk))) {
            let mut statement = db.statement(text)?;
            let mut at = 0;
            for row in chunk {
                bind(row, &mut |value| {
                    at += 1;
                    statement.raw_bind_parameter(at, value)
                })?;
            }
            if statement.raw_execute()? != chunk.len() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Db {
    /// Writes a chunk in the transaction that is open. On an error it must go back.
    pub(crate) fn fill(&self, chunk: &Chunk) -> Result<After, Fault> {
        let business = self.business_or_new(chunk.change.business)?;
        // The passes first: the change's entries may be about them. A chunk that landed before fails here or at
        // its cursor, not at its codes.
        let passes = Insert::new("pass", PASS_COLUMNS);
        let fresh = passes.all(self, &chunk.passes, |row, bind| {
            must_hold(row)?;
            // A put of a new pass: its version and its chain begin.
            let row = PassRow { version: 1, last: 0, ..row.clone() };
            let lot = self.lot_or_new(business, row.id.lot())?;
            pass_values(lot, &row, |values| values.iter().try_for_each(|value| bind(value)))?;
            Ok(())
        })?;
        if !fresh {
            return Err(Fault::conflict());
        }
        let after = self.apply(&chunk.change, None, &mut None)??;
        let codes = Insert::new("code", 4);
        let fresh = codes.all(self, &chunk.codes, |claim, bind| {
            bind(&business)?;
            bind(claim.digest.as_bytes())?;
            bind(&self.lot_or_new(business, claim.pass.lot())?)?;
            bind(&claim.pass.serial())?;
            Ok(())
        })?;
        if fresh { Ok(after) } else { Err(StoreError::Taken(Vec::new()).into()) }
    }

    /// Which of a chunk's codes are taken: by what is stored, or by one before them in the chunk.
    pub(crate) fn taken(&self, chunk: &Chunk) -> Result<Vec<usize>, Fault> {
        let Some(business) = self.business(chunk.change.business)? else { return Ok(Vec::new()) };
        let mut seen: HashSet<Digest> = chunk.change.claim.iter().map(|claim| claim.digest).collect();
        let mut taken = Vec::new();
        for (at, Claim { digest, .. }) in chunk.codes.iter().enumerate() {
            if !seen.insert(*digest) || self.is_taken(business, digest)? {
                taken.push(at);
            }
        }
        Ok(taken)
    }
}

/// A new pass's tallies must hold from the beginning.
fn must_hold(row: &PassRow) -> Result<(), Fault> {
    let hold = [row.uses, row.balance, row.granted].into_iter().all(Tally::holds);
    if hold { Ok(()) } else { Err(Fault::conflict()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T-1: each row of a statement has its own parameters.
    #[test]
    fn rows_have_their_own_parameters() {
        assert_eq!(insert("t", 2, 2), "INSERT OR IGNORE INTO t VALUES(?1,?2),(?3,?4)");
    }
}
