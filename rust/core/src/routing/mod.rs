//! Which deployment a request goes to, once it is known how each of them stands.
//!
//! LiteLLM looks for each deployment's usage in the whole list again; here a table of ids is made once. What is drawn is drawn
//! by the caller: this module says between which deployments, and with which weights.

mod standing;
mod weights;

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};

pub use standing::{Limits, RequestLimit, Standing, Standings, Usage};
pub use weights::cumulative;

/// The last place of each id: where two deployments have one id, a search from the front that does not stop ends at the last.
pub fn last_places<Id: Eq + Hash, S: BuildHasher + Default>(
    ids: impl IntoIterator<Item = Id>,
) -> HashMap<Id, usize, S> {
    ids.into_iter().enumerate().map(|(place, id)| (id, place)).collect()
}

/// The place of the smallest count, the first of several.
#[must_use]
pub fn least(counts: &[i64]) -> Option<usize> {
    counts.iter().enumerate().min_by_key(|(_, count)| **count).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_deployments_with_one_id_is_found() {
        assert_eq!(HashMap::from([("a", 2), ("b", 1)]), last_places(["a", "b", "a"]));
    }

    #[test]
    fn the_first_of_the_least_busy_is_found() {
        assert_eq!(Some(1), least(&[3, 0, 0, 2]));
        assert_eq!(None, least(&[]));
    }
}
