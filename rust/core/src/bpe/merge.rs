//! How many tokens a piece becomes that is not a token itself.
//!
//! Byte pair encoding starts with single bytes and merges, again and again, the two neighbours whose union has the
//! lowest rank, the leftmost of equals. The count is what is left when no two neighbours form a token.

use std::ops::IndexMut;

use super::piece::Piece;
use super::vocabulary::{NO_RANK, Rank, Vocabulary};

/// The number of tokens of the piece.
pub(super) fn count(vocabulary: &Vocabulary, piece: Piece<'_>) -> usize {
    match piece.len() {
        ..16 => count_few::<16>(vocabulary, piece),
        16..32 => count_few::<32>(vocabulary, piece),
        32..64 => count_few::<64>(vocabulary, piece),
        64..128 => count_few::<128>(vocabulary, piece),
        _ => count_many(vocabulary, piece),
    }
}

/// Without allocation, for pieces shorter than `SIZE`.
fn count_few<const SIZE: usize>(vocabulary: &Vocabulary, piece: Piece<'_>) -> usize {
    let previous: [usize; SIZE] = std::array::from_fn(|start: usize| start.wrapping_sub(1));
    let next: [usize; SIZE] = std::array::from_fn(|start| start + 1);
    Parts { vocabulary, piece, previous, next, order: Row::<SIZE>([NO_RANK; SIZE]) }.count()
}

fn count_many(vocabulary: &Vocabulary, piece: Piece<'_>) -> usize {
    let previous: Vec<usize> = (0..=piece.len()).map(|start| start.wrapping_sub(1)).collect();
    let next: Vec<usize> = (1..=piece.len() + 1).collect();
    Parts { vocabulary, piece, previous, next, order: Tournament::new(piece.len()) }.count()
}

/// The parts a piece is divided into, each known by the offset where it starts.
struct Parts<'a, Links, Order> {
    vocabulary: &'a Vocabulary,
    piece: Piece<'a>,
    previous: Links,
    next: Links,
    order: Order,
}

impl<Links: IndexMut<usize, Output = usize>, Order: MergeOrder> Parts<'_, Links, Order> {
    /// Given that each byte is a part, merges what can be merged and counts what is left.
    fn count(mut self) -> usize {
        for (start, pair) in self.piece.bytes().windows(2).enumerate() {
            self.order.set(start, self.vocabulary.pair_rank(pair[0], pair[1]));
        }
        let mut count = self.piece.len();
        while let Some(start) = self.order.first() {
            self.merge(start);
            count -= 1;
        }
        count
    }

    /// Joins the part at `start` with the next one.
    fn merge(&mut self, start: usize) {
        let gone = self.next[start];
        let behind = self.next[gone];
        self.next[start] = behind;
        self.previous[behind] = start;
        self.order.set(gone, NO_RANK);
        self.rank_again(start);
        if start > 0 {
            self.rank_again(self.previous[start]);
        }
    }

    fn rank_again(&mut self, start: usize) {
        let middle = self.next[start];
        let rank = if middle < self.piece.len() {
            self.vocabulary.merge_rank(self.piece.part(start, self.next[middle]), middle - start)
        } else {
            NO_RANK
        };
        self.order.set(start, rank);
    }
}

/// Which merge comes first.
trait MergeOrder {
    /// Notes the rank of the token that the part at `start` forms with the next part; [`NO_RANK`] when it forms none.
    fn set(&mut self, start: usize, rank: Rank);

    /// The leftmost part of those noted with the lowest rank.
    fn first(&self) -> Option<usize>;
}

/// The merges of a short piece in a row: searching all of it takes a few vector instructions.
///
/// Rank and place are one integer, so that the least one is the first merge; ranks have 18 bits.
struct Row<const SIZE: usize>([u32; SIZE]);

const ROW_PLACE_BITS: u32 = 7;

#[expect(clippy::cast_possible_truncation, reason = "a place is below SIZE, which is at most 128")]
impl<const SIZE: usize> MergeOrder for Row<SIZE> {
    fn set(&mut self, start: usize, rank: Rank) {
        self.0[start] = if rank == NO_RANK { NO_RANK } else { (rank << ROW_PLACE_BITS) | start as u32 };
    }

    fn first(&self) -> Option<usize> {
        let least = self.0.iter().copied().fold(NO_RANK, u32::min);
        (least != NO_RANK).then_some((least % (1 << ROW_PLACE_BITS)) as usize)
    }
}

/// The merges of a long piece as the leaves of a tree in which each node is the lesser of its two children: a merge
/// costs at most the height of the tree, so that a megabyte of one letter is no attack.
///
/// A heap would cost the same by the book, but three times as much in fact: it keeps merges that are no longer possible,
/// and its comparisons are branches no processor predicts.
struct Tournament {
    /// The root is at 1, the children of a node at twice its place and behind.
    nodes: Vec<u64>,
    leaves: usize,
}

const NO_MERGE: u64 = u64::MAX;
const TREE_PLACE_BITS: u32 = 40;

impl Tournament {
    fn new(length: usize) -> Self {
        let leaves = length.next_power_of_two();
        Self { nodes: vec![NO_MERGE; 2 * leaves], leaves }
    }
}

impl MergeOrder for Tournament {
    fn set(&mut self, start: usize, rank: Rank) {
        let merge = if rank == NO_RANK { NO_MERGE } else { (u64::from(rank) << TREE_PLACE_BITS) | start as u64 };
        let mut node = self.leaves + start;
        self.nodes[node] = merge;
        while node > 1 {
            let lesser = self.nodes[node].min(self.nodes[node ^ 1]);
            node /= 2;
            if self.nodes[node] == lesser {
                break;
            }
            self.nodes[node] = lesser;
        }
    }

    fn first(&self) -> Option<usize> {
        let least = self.nodes[1];
        (least != NO_MERGE).then_some((least % (1 << TREE_PLACE_BITS)) as usize)
    }
}

/// The definition, word by word.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn count_by_definition(vocabulary: &Vocabulary, piece: &[u8]) -> usize {
    let mut parts: Vec<Vec<u8>> = piece.iter().map(|&byte| vec![byte]).collect();
    loop {
        let unions = parts.windows(2).map(|pair| (pair.concat(), pair[0].len()));
        let ranks = unions.map(|(union, middle)| vocabulary.merge_rank(Piece::new(&union, 0, union.len()), middle));
        match ranks.enumerate().filter(|merge| merge.1 != NO_RANK).min_by_key(|merge| merge.1) {
            None => return parts.len(),
            Some((index, _)) => {
                let gone = parts.remove(index + 1);
                parts[index].extend(gone);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bpe::installed;

    proptest! {
        #[test]
        fn both_orders_merge_by_the_definition(
            name in prop::sample::select(vec!["cl100k_base", "anthropic"]),
            piece in "[a-e]{1,127}|[\u{4e00}-\u{4e0f}]{1,42}|[a-zA-Z0-9]{1,60}",
        ) {
            let vocabulary = installed::encoding(name).vocabulary();
            let expected = count_by_definition(vocabulary, piece.as_bytes());
            let piece = Piece::new(piece.as_bytes(), 0, piece.len());
            prop_assert_eq!(expected, count(vocabulary, piece));
            prop_assert_eq!(expected, count_few::<128>(vocabulary, piece));
            prop_assert_eq!(expected, count_many(vocabulary, piece));
        }
    }
}
