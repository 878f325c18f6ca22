//! One feature's counters in one process: the block of the epoch it is in, and those it has left.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use xxhash_rust::xxh3::xxh3_64;

use super::{Block, Memory, Reading, ShapeReading, Ticket};

/// A block with the name of its epoch.
struct Named {
    epoch: String,
    block: Arc<Block>,
    /// The number of its first call: another in every epoch, so that not the same calls of each are sampled.
    first: u64,
    /// The block is in memory that outlives the process.
    is_kept: bool,
}

/// The counters of one feature in one process.
pub struct Tally {
    current: ArcSwap<Named>,
    /// The blocks of earlier epochs, and what was counted in those that were forgotten.
    earlier: Mutex<(Vec<Arc<Named>>, Reading)>,
    /// Changes in a forked child, whose calls in flight are its parent's.
    generation: Arc<AtomicU64>,
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

impl Tally {
    /// An empty tally in an epoch without a name.
    #[must_use]
    pub fn new() -> Self {
        Self { current: ArcSwap::new(named("", None)), earlier: Mutex::default(), generation: Arc::default() }
    }

    /// Counts under another epoch from here on. Calls in flight end where they were accepted.
    ///
    /// # Arguments
    ///
    /// * `epoch` - Its name; one that has been before is gone on with.
    /// * `memory` - Asked where its block goes when it has none yet; `None` is the process's own memory.
    ///
    /// # Returns
    ///
    /// Whether its block is where `memory` said, now or when the epoch was opened first.
    pub fn open(&self, epoch: &str, memory: impl FnOnce() -> Option<Box<dyn Memory>>) -> bool {
        let mut earlier = self.earlier();
        let current = self.current.load_full();
        if current.epoch == epoch {
            return current.is_kept;
        }
        let known = earlier.0.iter().position(|named| named.epoch == epoch);
        let next = known.map_or_else(|| named(epoch, memory()), |index| earlier.0.remove(index));
        let is_kept = next.is_kept;
        self.current.store(next);
        earlier.0.push(current);
        is_kept
    }

    /// Stops listing an earlier epoch whose calls have all ended; its counts stay in the sum.
    ///
    /// # Returns
    ///
    /// What its calls have come to, in sum and by shape; `None` while it is still listed, or when it is not known.
    pub fn forget(&self, epoch: &str) -> Option<(Reading, Vec<ShapeReading>)> {
        let mut earlier = self.earlier();
        // Nobody counts in it any more when nobody else holds it, nor a ticket of it.
        let is_free = |named: &Arc<Named>| Arc::strong_count(named) == 1 && Arc::strong_count(&named.block) == 1;
        let is_done = |named: &Arc<Named>| named.epoch == epoch && is_free(named);
        let index = earlier.0.iter().position(is_done)?;
        let forgotten = earlier.0.remove(index);
        let reading = forgotten.block.reading();
        earlier.1 = std::mem::take(&mut earlier.1).with(&reading);
        Some((reading, forgotten.block.shapes()))
    }

    /// Forgets everything and goes on in the same epoch: a forked child begins its own account.
    pub fn reset(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
        let epoch = self.current.load().epoch.clone();
        let mut earlier = self.earlier();
        self.current.store(named(&epoch, None));
        *earlier = (Vec::new(), Reading::default());
    }

    /// Counts a call answered by an implementation.
    pub fn serve(&self, implementation: &str) {
        self.current.load().block.serve(implementation);
    }

    /// Counts a call the candidate refused before doing anything.
    pub fn decline(&self, reason: &str) {
        self.current.load().block.decline(reason);
    }

    /// Counts a call the candidate should have answered and could not.
    pub fn fail(&self, kind: &str) {
        self.current.load().block.fail(kind);
    }

    /// Counts an offered call that the sample leaves out.
    pub fn sample_out(&self, shape: u64) {
        self.current.load().block.sample_out(shape);
    }

    /// Counts a call that Python answers and, unless the sample takes it, as one that is left out, unseen.
    ///
    /// # Arguments
    ///
    /// * `takes` - Asked, with a number that is this call's alone, whether it does.
    ///
    /// # Returns
    ///
    /// Whether it does.
    pub fn serve_sampled(&self, mut takes: impl FnMut(u64) -> bool) -> bool {
        let current = self.current.load();
        current.block.serve_sampled(|call| takes(current.first.wrapping_add(call)))
    }

    /// Counts an offered call whose comparison has begun.
    #[must_use]
    pub fn accept(&self, shape: u64) -> Ticket {
        let block = Arc::clone(&self.current.load().block);
        let row = block.accept(shape);
        Ticket::new(block, row, Arc::clone(&self.generation))
    }

    /// Counts an offered call that is given up before its comparison has begun.
    pub fn shed(&self, reason: &str, shape: u64) {
        self.current.load().block.shed(reason, shape);
    }

    /// Everything counted in this process, over all epochs.
    #[must_use]
    pub fn reading(&self) -> Reading {
        let earlier = self.earlier();
        let past = earlier.0.iter().fold(earlier.1.clone(), |sum, named| sum.with(&named.block.reading()));
        past.with(&self.current.load().block.reading())
    }

    /// What is counted in each epoch that is listed, the current one last.
    #[must_use]
    pub fn blocks(&self) -> Vec<(String, Reading, Vec<ShapeReading>)> {
        let earlier = self.earlier();
        let all = earlier.0.iter().cloned().chain([self.current.load_full()]);
        all.map(|named| (named.epoch.clone(), named.block.reading(), named.block.shapes())).collect()
    }

    fn earlier(&self) -> MutexGuard<'_, (Vec<Arc<Named>>, Reading)> {
        self.earlier.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named(epoch: &str, memory: Option<Box<dyn Memory>>) -> Arc<Named> {
    let is_kept = memory.is_some();
    let block = Arc::new(memory.map_or_else(Block::on_heap, Block::new));
    Arc::new(Named { epoch: epoch.to_owned(), block, first: xxh3_64(epoch.as_bytes()), is_kept })
}

#[cfg(test)]
mod tests {
    use std::thread;

    use proptest::prelude::*;

    use super::super::{BLOCK_WORDS, Counts, OTHER, OTHER_SHAPE, Outcome, SHAPES};
    use super::*;

    #[derive(Debug, Clone)]
    enum Transition {
        Serve(String),
        Decline(String),
        SampleOut(u64),
        Accept(u64),
        Compare(Outcome),
        Drop(String),
        Abandon,
        Shed(String, u64),
        Open(String),
        Forget(String),
    }

    fn transitions() -> impl Strategy<Value = Vec<Transition>> {
        let outcome = prop_oneof![Just(Outcome::Matched), Just(Outcome::Waived), Just(Outcome::Diverged)];
        let (word, shape) = ("[a-c ]{0,2}", 0_u64..4);
        proptest::collection::vec(
            prop_oneof![
                word.prop_map(Transition::Serve),
                word.prop_map(Transition::Decline),
                shape.clone().prop_map(Transition::SampleOut),
                shape.clone().prop_map(Transition::Accept),
                shape.clone().prop_map(Transition::Accept),
                outcome.prop_map(Transition::Compare),
                word.prop_map(Transition::Drop),
                Just(Transition::Abandon),
                (word, shape).prop_map(|(reason, shape)| Transition::Shed(reason, shape)),
                "[ab]".prop_map(Transition::Open),
                "[ab]".prop_map(Transition::Forget),
            ],
            0..80,
        )
    }

    fn apply(tally: &Tally, tickets: &mut Vec<Ticket>, transition: Transition) {
        match transition {
            Transition::Serve(implementation) => tally.serve(&implementation),
            Transition::Decline(reason) => tally.decline(&reason),
            Transition::SampleOut(shape) => tally.sample_out(shape),
            Transition::Accept(shape) => tickets.push(tally.accept(shape)),
            Transition::Compare(outcome) => tickets.pop().map_or((), |ticket| ticket.compare(outcome, None)),
            Transition::Drop(reason) => tickets.pop().map_or((), |ticket| ticket.shed(&reason)),
            Transition::Abandon => drop(tickets.pop()),
            Transition::Shed(reason, shape) => tally.shed(&reason, shape),
            Transition::Open(epoch) => {
                tally.open(&epoch, || None);
            }
            Transition::Forget(epoch) => {
                tally.forget(&epoch);
            }
        }
    }

    proptest! {
        #[test]
        fn every_reading_is_balanced_and_counts_the_tickets_that_are_open(sequence in transitions()) {
            let (tally, mut tickets) = (Tally::new(), Vec::new());
            for transition in sequence {
                let before = tally.reading();
                apply(&tally, &mut tickets, transition);
                let after = tally.reading();
                prop_assert!(after.is_balanced(), "{after:?}");
                prop_assert_eq!(tickets.len() as u64, after.in_flight);
                prop_assert!(after.offered >= before.offered);
                for (_, reading, shapes) in tally.blocks() {
                    prop_assert!(reading.is_balanced());
                    prop_assert!(shapes.iter().all(|shape| shape.reading.is_balanced()));
                }
            }
        }
    }

    #[test]
    fn a_reading_is_balanced_while_other_threads_count() {
        let tally = Tally::new();
        thread::scope(|scope| {
            for shape in 1..4 {
                let tally = &tally;
                scope.spawn(move || (0..20_000).for_each(|_| tally.accept(shape).compare(Outcome::Matched, None)));
            }
            (0..200).for_each(|_| assert!(tally.reading().is_balanced()));
        });
        let reading = tally.reading();
        assert_eq!((60_000, 60_000, 0), (reading.offered, reading.matched, reading.in_flight));
    }

    #[test]
    fn a_call_ends_in_the_epoch_that_accepted_it() {
        let tally = Tally::new();
        tally.open("one", || None);
        let ticket = tally.accept(7);
        tally.open("two", || None);
        ticket.compare(Outcome::Diverged, None);

        let blocks = tally.blocks();
        let diverged: Vec<_> = blocks.iter().map(|(epoch, reading, _)| (epoch.as_str(), reading.diverged)).collect();
        assert_eq!(vec![("", 0), ("one", 1), ("two", 0)], diverged);
    }

    #[test]
    fn an_epoch_is_forgotten_only_when_its_calls_have_ended() {
        let tally = Tally::new();
        tally.open("one", || None);
        let ticket = tally.accept(0);
        tally.open("two", || None);

        assert!(tally.forget("one").is_none() && tally.forget("two").is_none());
        ticket.shed("budget");
        assert_eq!(Some(1), tally.forget("one").map(|(reading, _)| reading.offered));
        assert_eq!(1, tally.reading().offered);
        assert_eq!(2, tally.blocks().len());
    }

    #[test]
    fn an_epoch_stays_where_it_was_opened_first() {
        let tally = Tally::new();
        let memory =
            || Some(Box::new((0..BLOCK_WORDS).map(|_| AtomicU64::new(0)).collect::<Vec<_>>()) as Box<dyn Memory>);
        let never = || -> Option<Box<dyn Memory>> { unreachable!("it has its block") };

        assert!(!tally.open("heap", || None));
        assert!(!tally.open("heap", never));
        assert!(tally.open("kept", memory));
        assert!(!tally.open("heap", never));
        assert!(tally.open("kept", never));
    }

    #[test]
    fn a_sample_is_asked_with_numbers_that_no_two_calls_of_an_epoch_have() {
        let tally = Tally::new();
        let numbers = |calls: usize| {
            let mut numbers = Vec::new();
            (0..calls).for_each(|call| {
                tally.serve_sampled(|number| {
                    numbers.push(number);
                    call % 2 == 0
                });
            });
            numbers
        };
        tally.open("one", || None);
        let one = numbers(100);
        tally.open("two", || None);
        let two = numbers(100);

        assert!(one.iter().all(|number| !two.contains(number)));
        assert_eq!(one[0] + 99, one[99]);
        let reading = tally.reading();
        assert_eq!((200, 100), (reading.served["python"], reading.sampled_out));
    }

    #[test]
    fn a_sample_counts_every_call_once_while_other_threads_count() {
        let tally = Tally::new();
        let taken = AtomicU64::new(0);
        let call = |_| u64::from(tally.serve_sampled(|number| number % 3 == 0));
        thread::scope(|scope| {
            (0..4).for_each(|_| {
                scope.spawn(|| taken.fetch_add((0..20_000).map(call).sum::<u64>(), Ordering::Relaxed));
            });
        });
        let (reading, taken) = (tally.reading(), taken.into_inner());
        assert_eq!((80_000, 80_000 - taken), (reading.served["python"], reading.sampled_out));
        assert!((26_666..=26_667).contains(&taken), "{taken}: each number is one call's alone");
    }

    #[test]
    fn an_abandoned_ticket_is_shed() {
        let tally = Tally::new();
        drop(tally.accept(0));

        assert_eq!(Counts::from([("abandoned".to_owned(), 1)]), tally.reading().shed);
    }

    #[test]
    fn tickets_from_before_a_fork_count_nothing_after_it() {
        let tally = Tally::new();
        tally.open("one", || None);
        let (compared, dropped) = (tally.accept(0), tally.accept(0));
        tally.reset();
        compared.compare(Outcome::Diverged, None);
        drop(dropped);

        assert_eq!(Tally::new().reading(), tally.reading());
        assert_eq!("one", tally.blocks()[0].0);
    }

    #[test]
    fn shapes_beyond_the_room_are_counted_together() {
        let tally = Tally::new();
        (1..=SHAPES as u64).for_each(|shape| tally.sample_out(shape));
        tally.sample_out(OTHER_SHAPE);

        let (_, _, shapes) = tally.blocks().remove(0);
        let other = shapes.iter().find(|shape| shape.shape == OTHER_SHAPE).map(|shape| shape.reading.sampled_out);
        assert_eq!((SHAPES - 1, Some(3)), (shapes.len(), other));
    }

    #[test]
    fn served_names_python_and_rust_always() {
        let tally = Tally::new();
        tally.serve("rust");
        tally.serve("litellm_rust");
        let expected = [("litellm_rust", 1), ("python", 0), ("rust", 1)].map(|(word, n)| (word.to_owned(), n));
        assert_eq!(Counts::from(expected), tally.reading().served);
    }

    #[test]
    fn words_are_bounded_and_plain() {
        let tally = Tally::new();
        tally.decline("the prompt was: hello");
        (0..100).for_each(|i| tally.decline(&format!("reason_{i}")));
        let declined = tally.reading().declined;
        assert_eq!((64, 101), (declined.len(), declined.values().sum::<u64>()));
        assert_eq!(Some(&38), declined.get(OTHER));
    }
}
