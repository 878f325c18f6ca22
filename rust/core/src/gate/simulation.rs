//! Both ways of being wrong, counted on seeded rollouts that are looked at all the time.
//!
//! Evidence for a low rate only grows between two bad calls, and evidence for a high one only with a bad call. Looking right
//! before, or right after, each bad call is therefore the same as looking after every call.

use std::collections::{HashMap, HashSet};

use super::limit::{Counts, Limit};
use super::{sign, threshold};
use crate::shape::{ChatFacts, Profile, TextClass};

const ROLLOUTS: u32 = 10_000;
/// The `Gate`'s defaults.
const CELL: (f64, f64) = (1e-3, 0.05);
const PAIR: (f64, f64) = (1e-2, 0.05);
const TIMEOUTS: (f64, f64) = (1e-4, 0.05);
const TAIL: (f64, f64) = (1e-2, 0.01);

/// `SplitMix64` (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn share(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// How many good ones come before the next bad one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and clamped")]
    fn good_before_bad(&mut self, rate: f64) -> u64 {
        (self.share().ln() / (-rate).ln_1p()).min(1e15) as u64
    }
}

/// The counts right before each bad call of one rollout and right after it, for so many calls.
fn looks(random: &mut Random, rate: f64, calls: u64) -> Vec<[Counts; 2]> {
    let mut looks = Vec::new();
    let (mut bad, mut all) = (0, 0);
    while all < calls {
        all = (all + random.good_before_bad(rate)).min(calls);
        looks.push([Counts { bad, all }, Counts { bad: bad + 1, all: all + 1 }]);
        (bad, all) = (bad + 1, all + 1);
    }
    looks
}

/// The share of rollouts in which something happens.
fn share_of(rollouts: u32, mut happens: impl FnMut(&mut Random) -> bool) -> f64 {
    let mut random = Random(20_260_101);
    f64::from((0..rollouts).map(|_| u32::from(happens(&mut random))).sum::<u32>()) / f64::from(rollouts)
}

/// How often a candidate exactly at the limit is promoted within so many calls.
fn wrong_promotions((rate, alpha): (f64, f64), calls: u64, is_proven: impl Fn(&Limit, Counts) -> f64) -> f64 {
    let limit = Limit::new(rate);
    share_of(ROLLOUTS, |random| {
        looks(random, rate, calls).iter().any(|[before, _]| is_proven(&limit, *before) >= threshold(alpha))
    })
}

/// How often a candidate exactly at the limit is taken back within so many calls.
fn wrong_rollbacks((rate, alpha): (f64, f64), calls: u64) -> f64 {
    let limit = Limit::new(rate);
    share_of(ROLLOUTS, |random| looks(random, rate, calls).iter().any(|[_, after]| limit.is_above(alpha, *after)))
}

/// The level, and what 10,000 rollouts may stray from it by chance: three standard deviations.
fn at_most(alpha: f64) -> f64 {
    alpha + 3.0 * (alpha * (1.0 - alpha) / f64::from(ROLLOUTS)).sqrt()
}

#[test]
fn a_candidate_at_the_limit_is_promoted_as_rarely_as_the_level_says() {
    for (level, calls) in [(CELL, 60_000), (PAIR, 6_000), ((CELL.0, 0.01), 60_000)] {
        let wrong = wrong_promotions(level, calls, Limit::below);
        assert!(wrong <= at_most(level.1), "{level:?}: {wrong} wrong promotions");
        assert!(wrong > level.1 / 2.0, "{level:?}: {wrong} is too rare to have tested anything");
    }
}

#[test]
fn a_first_bad_one_that_is_terminal_leaves_the_exact_level() {
    let wrong = wrong_promotions(CELL, 60_000, Limit::clean);
    assert!((wrong - CELL.1).abs() <= at_most(CELL.1) - CELL.1, "{wrong}");
}

#[test]
fn two_tests_side_by_side_would_spend_more_than_the_level() {
    let mixture_alone = |limit: &Limit, counts: Counts| limit.clean(counts).max(limit.spread(counts));
    let wrong = wrong_promotions(CELL, 60_000, mixture_alone);
    assert!(wrong > at_most(CELL.1), "{wrong}: the bet that nothing differs need not have been part of the mixture");
}

#[test]
fn a_candidate_worse_than_the_limit_is_promoted_more_rarely_still() {
    let limit = Limit::new(CELL.0);
    let wrong = share_of(ROLLOUTS, |random| {
        looks(random, 2.0 * CELL.0, 60_000).iter().any(|[before, _]| limit.is_below(CELL.1, *before))
    });
    assert!(wrong <= CELL.1 * CELL.1 * 1.5, "{wrong}");
}

#[test]
fn timeouts_and_slow_tails_at_their_limits_take_no_candidate_back() {
    for (level, calls) in [(TIMEOUTS, 1_000_000), ((TIMEOUTS.0, TIMEOUTS.1 / 3.0), 1_000_000), (TAIL, 20_000)] {
        let wrong = wrong_rollbacks(level, calls);
        assert!(wrong <= at_most(level.1), "{level:?}: {wrong} wrong rollbacks");
        assert!(wrong > 0.0, "{level:?}: too rare to have tested anything");
    }
}

#[test]
fn five_times_as_many_timeouts_are_found() {
    let limit = Limit::new(TIMEOUTS.0);
    let found = share_of(1_000, |random| {
        looks(random, 5.0 * TIMEOUTS.0, 200_000).iter().any(|[_, after]| limit.is_above(TIMEOUTS.1 / 3.0, *after))
    });
    assert!(found > 0.99, "{found}");
}

/// How often one of two equally frequent outcomes seems more frequent, looked at after each of so many pairs.
fn wrong_preferences(rollouts: u32, pairs: u64, first: f64, is_decided: impl Fn(u64, u64) -> bool) -> f64 {
    share_of(rollouts, |random| {
        let mut seen = [0, 0];
        (0..pairs).any(|_| {
            seen[usize::from(random.share() >= first)] += 1;
            is_decided(seen[0], seen[1])
        })
    })
}

fn is_excess(alpha: f64, first: u64, second: u64) -> bool {
    first > second && sign::excess(first, second) >= threshold(alpha)
}

/// How often a candidate that is like another run of its noisy control is taken for a divergent one, at 0.01.
fn false_alarms(rollouts: u32, pairs: u64) -> f64 {
    wrong_preferences(rollouts, pairs, 0.5, |first, second| is_excess(0.01, first, second))
}

#[test]
fn noise_on_both_sides_alike_is_no_divergence() {
    let wrong = false_alarms(2_000, 1_000);
    assert!(0.0 < wrong && wrong <= at_most(0.01), "{wrong} false alarms");
}

#[test]
#[ignore = "half a minute: for make soak"]
fn in_ten_thousand_rollouts_noise_on_both_sides_alike_is_no_divergence() {
    let wrong = false_alarms(ROLLOUTS, 2_000);
    assert!(0.0 < wrong && wrong <= at_most(0.01), "{wrong} false alarms");
}

#[test]
fn a_divergence_under_noise_is_found() {
    // A reference that differs from itself on a tenth of the calls, and a candidate that differs on a twentieth more:
    // discordant are 0.145 and 0.095 of the calls.
    let found = wrong_preferences(1_000, 4_000, 0.145 / 0.24, |first, second| is_excess(0.01, first, second));
    assert!(found > 0.99, "{found}");
}

#[test]
fn sides_of_equal_speed_are_not_told_apart() {
    let alpha = 0.01;
    let wrong = wrong_preferences(1_000, 1_000, 0.5, |first, second| {
        first > second && sign::interval(alpha, first, second).0 > 0.5
    });
    assert!(wrong <= at_most(alpha), "{wrong} candidates seem faster");
}

#[test]
fn looking_three_hundred_times_at_a_test_for_one_look_is_wrong_five_times_as_often() {
    // Clopper and Pearson (1934): the rate is excluded when so few bad ones are so unlikely.
    let (rate, alpha) = CELL;
    let allowed = |all: u64| {
        let most = (0..200).take_while(|bad| binomial_below(*bad, all, rate) <= alpha).last();
        most.map(|bad| Counts { bad, all })
    };
    let moments: Vec<Counts> = (1..=300).filter_map(|look| allowed(look * 200)).collect();
    let fixed = share_of(ROLLOUTS, |random| {
        let seen = looks(random, rate, 60_000);
        moments.iter().any(|allowed| bad_by(&seen, allowed.all) <= allowed.bad)
    });
    assert!((0.15..0.35).contains(&fixed), "{fixed} wrong promotions");
}

#[test]
fn starting_again_after_each_bad_one_promotes_nearly_every_candidate_at_the_limit() {
    let needed = Limit::new(CELL.0).further(CELL.1, Counts::default());
    let wrong = share_of(ROLLOUTS, |random| {
        let seen = looks(random, CELL.0, 60_000);
        let starts = std::iter::once(0).chain(seen.iter().map(|[_, after]| after.all));
        seen.iter().zip(starts).any(|([before, _], start)| before.all - start >= needed)
    });
    assert!(wrong > 0.9, "{wrong} wrong promotions");
}

fn bad_by(looks: &[[Counts; 2]], calls: u64) -> u64 {
    looks.partition_point(|[_, after]| after.all <= calls) as u64
}

/// The probability of so many bad ones or fewer.
#[expect(clippy::cast_precision_loss, reason = "small")]
fn binomial_below(bad: u64, all: u64, rate: f64) -> f64 {
    statrs::function::beta::beta_reg((all - bad) as f64, bad as f64 + 1.0, 1.0 - rate)
}

/// One rollout of calls of a few shapes, of which the last is rare and diverges.
///
/// Only what happens at a rare call decides anything: what is certified by then, and whether it diverges, which ends the
/// rollout. In between come as many of the others as chance has it.
struct Rollout<'a> {
    shapes: &'a [u64],
    cells: &'a [Vec<String>],
    seen: Vec<u64>,
    limits: [(Limit, f64); 2],
}

/// What a rollout came to.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum End {
    /// A divergence took the candidate back before it had answered one of the rare calls.
    Blocked,
    /// It answered one of them.
    Served,
    /// The rollout was over before either.
    Open,
}

impl Rollout<'_> {
    fn run(&mut self, random: &mut Random, share: f64, rate: f64, whole: Option<Limit>) -> End {
        for _ in 0..5_000 {
            self.wait(random, share);
            if self.is_promoted(whole) && self.is_served(self.shapes.len() - 1) {
                return End::Served;
            }
            if random.share() < rate {
                return End::Blocked;
            }
            *self.seen.last_mut().unwrap() += 1;
        }
        End::Open
    }

    /// Calls of the other shapes, equally many of each.
    fn wait(&mut self, random: &mut Random, share: f64) {
        let calls = random.good_before_bad(share);
        let (_, others) = self.seen.split_last_mut().unwrap();
        let each = calls / others.len() as u64;
        for seen in others {
            *seen += each;
        }
    }

    fn is_promoted(&self, whole: Option<Limit>) -> bool {
        whole.is_none_or(|limit| limit.is_below(0.01, Counts { bad: 0, all: self.seen.iter().sum() }))
    }

    fn is_served(&self, index: usize) -> bool {
        let of_shape = |cell: &String| self.cells[index].contains(cell);
        let certified: HashSet<String> = self
            .sums(of_shape)
            .into_iter()
            .filter(|(cell, all)| self.is_proven(cell, *all))
            .map(|(cell, _)| cell.clone())
            .collect();
        Profile::Chat.is_certified(self.shapes[index], &certified)
    }

    fn sums(&self, is_asked: impl Fn(&String) -> bool) -> HashMap<&String, u64> {
        let mut sums = HashMap::new();
        for (cells, seen) in self.cells.iter().zip(&self.seen) {
            cells.iter().filter(|cell| is_asked(cell)).for_each(|cell| *sums.entry(cell).or_default() += seen);
        }
        sums
    }

    fn is_proven(&self, cell: &str, all: u64) -> bool {
        let (limit, alpha) = self.limits[usize::from(cell.contains('&'))];
        limit.is_below(alpha, Counts { bad: 0, all })
    }
}

fn shape(class: TextClass, tools: usize) -> u64 {
    let mut facts = ChatFacts::default();
    facts.model("openai/gpt-4o");
    facts.message();
    facts.text(class, 100);
    facts.tools(tools);
    facts.shape()
}

/// The share of rollouts in which a class that is a thousandth of the calls and diverges on one in a hundred of them is
/// answered by the candidate; and that all others come to be.
fn served(rollouts: u32, shapes: &[u64], whole: Option<Limit>) -> f64 {
    let cells: Vec<Vec<String>> = shapes.iter().map(|shape| Profile::Chat.cells(*shape)).collect();
    let limits = [CELL, PAIR].map(|(rate, alpha)| (Limit::new(rate), alpha));
    share_of(rollouts, |random| {
        let mut rollout = Rollout { shapes, cells: &cells, seen: vec![0; shapes.len()], limits };
        let end = rollout.run(random, 1e-3, 1e-2, whole);
        assert_ne!(End::Open, end);
        assert!(rollout.seen[0] < 10_000 || rollout.is_served(0), "{:?}: the common calls are proven", rollout.seen);
        end == End::Served
    })
}

/// A script that nothing else has.
fn rare_value() -> [u64; 3] {
    [shape(TextClass::Ascii, 0), shape(TextClass::Ascii, 1), shape(TextClass::Rtl, 0)]
}

/// Neither the script nor the tools are rare, but both together are.
fn rare_pair() -> [u64; 3] {
    [shape(TextClass::Rtl, 0), shape(TextClass::Ascii, 1), shape(TextClass::Rtl, 1)]
}

#[test]
fn a_rare_class_that_diverges_is_never_answered_by_the_candidate() {
    let served = served(300, &rare_value(), None);
    assert!(served <= 0.0, "{served}");
}

#[test]
#[ignore = "a minute: for make soak"]
fn in_ten_thousand_rollouts_a_rare_class_that_diverges_is_never_answered_by_the_candidate() {
    let served = served(ROLLOUTS, &rare_value(), None);
    assert!(served <= 0.0, "{served}");
}

#[test]
fn a_rare_pair_that_diverges_is_answered_as_rarely_as_the_levels_say() {
    // Its rate is that of the pairs' bound, and with its share it is that of the feature's: both tests are at their limits.
    let (by_cells, by_all) = (served(500, &rare_pair(), None), served(500, &rare_pair(), Some(Limit::new(1e-5))));
    assert!(by_cells <= PAIR.1 + 0.03 && by_all <= 0.01 + 0.015, "{by_cells} by cells, {by_all} by all");
}
