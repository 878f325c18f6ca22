//! How many tokens a piece becomes that is not a token itself.
//!
//! Byte pair encoding starts with single bytes and merges, again and again, the two neighbours whose union has the
//! lowest rank, the leftmost of equals. The count is what is left when no two neighbours form a token.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::vocabulary::{NO_RANK, Rank, Vocabulary};

/// Up to this many bytes, looking at every pair before each merge beats keeping a heap of them.
const SCAN_MAX: usize = 128;

/// The number of tokens of `text[start..end]`, at least one byte.
pub(super) fn count(vocabulary: &Vocabulary, text: &[u8], start: usize, end: usize) -> usize {
    let piece = &text[start..end];
    if piece.len() <= SCAN_MAX {
        count_by_scan(vocabulary, piece)
    } else {
        count_by_heap(vocabulary, piece)
    }
}

/// Quadratic, but without any bookkeeping.
fn count_by_scan(vocabulary: &Vocabulary, piece: &[u8]) -> usize {
    let mut starts: Vec<(usize, Rank)> = (0..piece.len())
        .map(|start| {
            (
                start,
                if start + 2 <= piece.len() {
                    vocabulary.rank(piece, start, start + 2)
                } else {
                    NO_RANK
                },
            )
        })
        .collect();
    let start_of = |starts: &[(usize, Rank)], index: usize| {
        starts.get(index).map_or(piece.len(), |part| part.0)
    };
    let rank_at = |starts: &[(usize, Rank)], index: usize| {
        if index + 1 >= starts.len() {
            return NO_RANK;
        }
        vocabulary.rank(piece, starts[index].0, start_of(starts, index + 2))
    };
    while let Some(index) = (0..starts.len()).min_by_key(|&index| starts[index].1) {
        if starts[index].1 == NO_RANK {
            break;
        }
        starts.remove(index + 1);
        starts[index].1 = rank_at(&starts, index);
        if index > 0 {
            starts[index - 1].1 = rank_at(&starts, index - 1);
        }
    }
    starts.len()
}

/// The neighbours of a part, by the byte offset where each starts.
struct Part {
    previous: usize,
    next: usize,
}

/// Proportional to n log n, so that a megabyte of one letter is no attack.
fn count_by_heap(vocabulary: &Vocabulary, piece: &[u8]) -> usize {
    let length = piece.len();
    let mut parts: Vec<Part> = (0..length)
        .map(|start| Part {
            previous: start.wrapping_sub(1),
            next: start + 1,
        })
        .collect();
    let mut heap: BinaryHeap<Reverse<(Rank, usize, usize)>> = (0..length.saturating_sub(1))
        .map(|start| Reverse((vocabulary.rank(piece, start, start + 2), start, start + 2)))
        .filter(|Reverse((rank, ..))| *rank != NO_RANK)
        .collect();
    let mut count = length;
    while let Some(Reverse((_, start, end))) = heap.pop() {
        let middle = parts[start].next;
        // Stale unless the two parts that made this entry are still there: merged parts point nowhere.
        if middle >= end || parts[middle].next != end {
            continue;
        }
        count -= 1;
        parts[middle].next = usize::MAX;
        parts[start].next = end;
        if end < length {
            parts[end].previous = start;
            push(&mut heap, vocabulary, piece, start, parts[end].next);
        }
        if start > 0 {
            push(&mut heap, vocabulary, piece, parts[start].previous, end);
        }
    }
    count
}

fn push(
    heap: &mut BinaryHeap<Reverse<(Rank, usize, usize)>>,
    vocabulary: &Vocabulary,
    piece: &[u8],
    start: usize,
    end: usize,
) {
    let rank = vocabulary.rank(piece, start, end);
    if rank != NO_RANK {
        heap.push(Reverse((rank, start, end)));
    }
}
