//! Redemption: the rules, one small function each, and what a redemption takes. `check` and `redeem` run the
//! same list.

mod rules;
mod taking;

pub use rules::{Case, Target, judge, refusals};
pub use taking::{Part, Taking, next_use, take, uses_given_back};
