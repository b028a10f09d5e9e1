//! Eight processes on one file: whether each gets its share, and how long one waits.

use crate::crew::Member;
use crate::measure::{Measure, quantile};
use crate::run::{Made, Run};
use crate::till::{self, Rushed, Shop};
use crate::world::World;
use passes_sqlite::Sqlite;

const PROCESSES: usize = 8;

/// What a rush of all came to.
struct Rush {
    /// The largest share of the turns ÷ the smallest.
    shares: f64,
    /// The most turns that one other had while somebody waited for its own.
    turns: f64,
    /// The longest that somebody waited for an answer, in seconds.
    longest: f64,
    rate: f64,
    errors: usize,
}

impl Rush {
    fn of(all: &[Rushed], seconds: f64) -> Self {
        let shares: Vec<f64> = all.iter().map(|one| one.positions.len() as f64).collect();
        let errors = all.iter().flat_map(|one| &one.errors);
        let errors = errors.inspect(|error| eprintln!("bench: a process was told: {error}")).count();
        Self {
            shares: quantile(&shares, 1.0) / quantile(&shares, 0.0).max(1.0),
            turns: most_turns_of_another(all) as f64,
            longest: all.iter().map(|one| one.longest).fold(0.0, f64::max),
            rate: shares.iter().sum::<f64>() / seconds,
            errors,
        }
    }
}

/// Everybody asks again as soon as it has its answer: so what lies between two of its positions is what it waited
/// for. The most turns that any one other had in such a gap.
fn most_turns_of_another(all: &[Rushed]) -> usize {
    let mut turns: Vec<(u64, usize)> = Vec::new();
    for (who, one) in all.iter().enumerate() {
        turns.extend(one.positions.iter().map(|position| (*position, who)));
    }
    turns.sort_unstable();
    let mut most = 0;
    for waiting in 0..all.len() {
        let mut of_others = vec![0_usize; all.len()];
        for (_, turn) in &turns {
            if *turn == waiting {
                of_others.fill(0);
            } else if let Some(count) = of_others.get_mut(*turn) {
                *count += 1;
                most = most.max(*count);
            }
        }
    }
    most
}

pub(crate) fn measures(run: &Run) -> Made<Vec<Measure>> {
    let (rushes, seconds) = run.or_quick((9, 3.0), (3, 1.0));
    let world = World::new(Sqlite::options())?;
    let shop = Shop::of(&world)?;
    world.store.close();
    let mut members = Vec::with_capacity(PROCESSES);
    for number in 0..PROCESSES {
        members.push(Member::own(till::CHILD, &[&shop.to_string_lossy(), &number.to_string()])?);
    }
    for member in &mut members {
        let said = member.hear()?;
        if said != "ready" {
            return Err(format!("a process said `{said}`").into());
        }
    }
    let doing = run.doing("eight processes", rushes);
    let mut all = Vec::with_capacity(rushes);
    for rush in 0..rushes {
        doing.round(rush);
        for member in &mut members {
            member.tell(&format!("rush {seconds}"))?;
        }
        let mut got: Vec<Rushed> = Vec::with_capacity(PROCESSES);
        for member in &mut members {
            got.push(serde_json::from_str(&member.hear()?)?);
        }
        all.push(Rush::of(&got, seconds));
    }
    let each = |of: fn(&Rush) -> f64| -> Vec<f64> { all.iter().map(of).collect() };
    let worst = |of: fn(&Rush) -> f64| quantile(&each(of), 1.0);
    let errors = all.iter().map(|rush| rush.errors).sum::<usize>();
    Ok(vec![
        Measure::new("eight processes, errors", "", errors as f64).at_most(0.0, 0.0),
        Measure::of_rounds("eight processes, largest share ÷ smallest", "×", &each(|rush| rush.shares))
            .at_most(2.0, 2.0),
        Measure::new(
            "eight processes, longest wait in turns of one other",
            "turns",
            worst(|rush| rush.turns),
        )
        .at_most(200.0, 200.0)
        .note("over all rounds"),
        Measure::new("eight processes, longest wait", "s", worst(|rush| rush.longest))
            .note("over all rounds"),
        Measure::of_rounds("eight processes, redemptions a second together", "/s", &each(|rush| rush.rate)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rushed(positions: &[u64]) -> Rushed {
        Rushed { positions: positions.to_vec(), longest: 0.5, errors: vec!["busy".into()] }
    }

    #[test]
    fn turns_are_counted_between_two_of_ones_own() {
        // The second waits while the first has three turns, the third only while others have one each.
        let all = [rushed(&[1, 3, 4, 6, 9]), rushed(&[2, 7]), rushed(&[5, 8])];
        assert_eq!(most_turns_of_another(&all), 3);
        let rush = Rush::of(&all, 2.0);
        assert_eq!((rush.shares, rush.turns, rush.longest, rush.rate, rush.errors), (2.5, 3.0, 0.5, 4.5, 3));
        // One that got nothing is no equal.
        assert_eq!(Rush::of(&[rushed(&[1, 2, 3]), rushed(&[])], 1.0).shares, 3.0);
    }
}
