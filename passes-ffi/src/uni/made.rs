//! What is made from the source of the core: see `generate/uniffi.rs`.

// Each method of the core takes what it takes; what is without docs in the core's source fails there; and a variant
// without fields may have braces in the core or not.
#![allow(clippy::too_many_arguments, clippy::unneeded_struct_pattern, missing_docs)]

use super::error::{PassesError, Refusal};
use super::leaf::{
    Actor, Basket, Checkpoint, CivilDate, CodeHash, Currency, ExactDecimal, Instant, Money, Passcode, Period,
    TimeOfDay, Zone,
};
use super::objects::{AsyncPasses, Passes};
use crate::convert::{Give, Take};
use passes_host::Refusal as CoreRefusal;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

include!(concat!(env!("OUT_DIR"), "/uniffi.rs"));
