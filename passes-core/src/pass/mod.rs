//! A pass: what is kept of it, and the states of its life.

mod row;
mod state;
mod tally;

pub use row::{CreditRow, PassRow, Standing, flag};
pub use state::{Action, State, diagram};
pub use tally::Tally;
