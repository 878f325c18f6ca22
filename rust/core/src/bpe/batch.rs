//! Many texts at once, on several threads.
//!
//! The threads are made for one batch and end with it. A pool would outlive a fork in the parent alone, and whoever counts in
//! the child would wait for threads that are not there.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::chunk::count_next;
use super::{ChunkRule, Encoding, Text};

/// A thread that has less than this to count costs more than it saves: some 20 microseconds against 200.
const THREAD_BYTES: usize = 32 * 1024;

/// The number of tokens LiteLLM finds in each of the texts, in their order.
///
/// `threads` is the most that may run at a time; this one is among them.
#[must_use]
pub fn count_texts(encoding: &Encoding, rule: ChunkRule, texts: &[Text<'_>], threads: NonZeroUsize) -> Vec<u64> {
    let bytes: usize = texts.iter().map(|text| text.bytes()).sum();
    let helpers = threads.get().min(texts.len()).min(bytes / THREAD_BYTES).saturating_sub(1);
    let next = AtomicUsize::new(0);
    let count_some = || {
        let mut counter = encoding.counter();
        let indices = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
        let open = indices.map_while(|index| texts.get(index).map(|text| (index, *text)));
        open.map(|(index, text)| (index, count_next(&mut counter, rule, text))).collect::<Vec<_>>()
    };
    let mut counts = vec![0; texts.len()];
    let mut take = |some: Vec<(usize, u64)>| some.into_iter().for_each(|(index, count)| counts[index] = count);
    thread::scope(|scope| {
        let running: Vec<_> =
            (0..helpers).map_while(|_| thread::Builder::new().spawn_scoped(scope, count_some).ok()).collect();
        take(count_some());
        for helper in running {
            match helper.join() {
                Ok(some) => take(some),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bpe::count_text;
    use crate::bpe::installed::encoding;

    const RULE: ChunkRule =
        ChunkRule { chunk_chars: NonZeroUsize::new(1024).unwrap(), max_exact_chars: NonZeroUsize::new(4096).unwrap() };

    fn texts() -> Vec<String> {
        (0..400).map(|index| format!("{index} of many, é 日本 ").repeat(index % 61)).collect()
    }

    #[test]
    fn every_number_of_threads_finds_the_same_in_the_same_order() {
        let (encoding, owned) = (encoding("o200k_base"), texts());
        let texts: Vec<_> = owned.iter().map(|text| Text::Valid(text)).collect();
        let expected: Vec<_> = texts.iter().map(|text| count_text(encoding, RULE, *text)).collect();

        for threads in [1, 2, 3, 16] {
            assert_eq!(expected, count_texts(encoding, RULE, &texts, NonZeroUsize::new(threads).unwrap()));
        }
    }

    #[test]
    fn no_texts_have_no_counts() {
        let threads = NonZeroUsize::new(4).unwrap();

        assert_eq!(Vec::<u64>::new(), count_texts(encoding("cl100k_base"), RULE, &[], threads));
    }

    #[test]
    fn surrogates_are_counted_as_one_text_alone() {
        let code_points: Vec<u32> = std::iter::repeat_n([0x61, 0xD800, 0x20], 20_000).flatten().collect();
        let texts = [Text::CodePoints(&code_points), Text::Valid("a"), Text::CodePoints(&code_points)];
        let encoding = encoding("cl100k_base");
        let alone = count_text(encoding, RULE, texts[0]);

        assert_eq!(vec![alone, 1, alone], count_texts(encoding, RULE, &texts, NonZeroUsize::new(2).unwrap()));
    }
}
