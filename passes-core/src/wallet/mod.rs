//! A contact's money: credits in pockets, and how a basket is paid with them.

pub mod order;
pub mod split;
