//! The cases. Each function is one; its name is the case's.

mod audit;
mod books;
mod commands;
mod events;
mod fill;
mod isolation;
mod keys;
mod lists;
mod puts;
mod races;
mod records;
mod tallies;

use crate::check::Outcome;
use crate::world::World;

/// One case of the suite.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// Runs it.
    pub run: fn(&mut World<'_>) -> Outcome,
}

/// From one list of names: [`CASES`], and the macro that makes a test of each. `$dollar` is the sign itself,
/// for the macro inside.
macro_rules! cases {
    ($dollar:tt $( $module:ident { $( $name:ident ),+ $(,)? } )+) => {
        /// Every case, in the order in which a store's author will want to make them pass.
        pub const CASES: &[Case] = &[ $( $( Case { name: stringify!($name), run: $module::$name }, )+ )+ ];

        /// Makes one test per case. The expression is evaluated for each; it is a [`Factory`](crate::Factory).
        #[macro_export]
        macro_rules! conformance_suite {
            ($dollar factory:expr) => { $( $(
                #[test]
                fn $name() {
                    let factory = $dollar factory;
                    if let Err(what) = $dollar crate::run_case(stringify!($name), &factory) {
                        panic!("{what}");
                    }
                }
            )+ )+ };
        }
    };
}

cases! { $
    records {
        documents_come_back,
        passes_come_back,
        credits_come_back,
        operations_come_back,
        entries_come_back,
        named_tallies_come_back,
        codes_come_back,
        one_load_brings_everything,
        a_row_brings_its_chain,
    }
    puts {
        a_put_creates_what_is_absent,
        a_put_needs_the_version,
        a_put_keeps_what_is_counted,
        a_put_does_not_undercut_what_is_counted,
        puts_come_before_additions,
        what_was_read_is_guarded,
        what_was_seen_is_guarded,
        a_failed_guard_leaves_nothing,
        a_change_is_judged_before_it_lands,
        a_change_names_nothing_twice,
        each_change_of_a_commit_stands_alone,
        counting_needs_no_operation,
    }
    tallies {
        a_tally_keeps_its_bounds,
        an_addition_has_its_own_bound,
        an_addition_starts_from_what_was_read,
        an_addition_rests_on_its_row,
        adding_nothing_judges,
        sums_do_not_overflow,
        named_tallies_have_slots,
        a_tally_needs_its_row,
        two_tallies_move_together,
    }
    keys {
        a_key_is_bound_once,
        a_stopped_key_stays_stopped,
        a_refused_change_binds_no_key,
        a_claim_is_for_ever,
        a_code_may_be_claimed_before_its_pass,
    }
    books {
        numbers_grow,
        entries_form_chains,
        a_range_continues_one_chain,
        a_history_is_paged,
        entries_belong_to_their_operation,
    }
    lists {
        documents_are_listed,
        passes_are_listed_by_serial_number,
        passes_are_listed_by_expiry,
        a_range_is_loaded_in_order,
        credits_are_listed,
        a_wallet_is_what_is_left,
        operations_are_listed,
    }
    commands {
        a_command_is_answered,
        a_refusal_counts,
        an_accepted_command_leaves_an_operation,
        commands_run_in_order,
        a_dropped_command_harms_nobody,
        a_pause_ends,
    }
    events {
        events_are_read_from_a_position,
        events_never_appear_behind_a_reader,
    }
    fill {
        a_chunk_lands_whole,
        a_chunk_with_a_taken_code_leaves_nothing,
        a_chunk_lands_once,
        chunks_of_many_passes,
    }
    isolation {
        nothing_crosses_between_businesses,
        lists_do_not_cross_between_businesses,
    }
    audit {
        an_audit_is_complete,
        an_audit_brings_entries_with_their_operation,
        a_ledger_begins_anywhere,
        an_audit_is_one_moment,
    }
    races {
        a_single_use_has_one_winner,
        every_use_finds_a_taker,
        additions_sum_up,
        decisions_on_what_was_read_are_safe,
        documents_lose_no_update,
        twins_leave_one_operation,
        a_code_has_one_owner,
        opposite_orders_do_not_block,
    }
}
