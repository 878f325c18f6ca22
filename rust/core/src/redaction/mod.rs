//! Where in a text a secret could begin.
//!
//! LiteLLM finds secrets with one large regular expression, whose every alternative needs a certain literal. This module finds
//! the literals in one pass and says where a match that contains one could start; the expression itself then decides at those
//! places only. The places are a superset of those where it matches, so nothing depends on how well they are chosen but time.

mod places;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use places::{LITERALS, Places};

/// Characters that a case-insensitive expression of Python takes for ASCII letters: for i, s and k.
const FOLDED: [char; 4] = ['\u{130}', '\u{131}', '\u{17f}', '\u{212a}'];

static SEARCH: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words = LITERALS.iter().map(|(literal, _)| literal);
    AhoCorasick::builder().ascii_case_insensitive(true).build(words).ok()
});

/// Why a text is not searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has a character outside of ASCII that is taken for an ASCII letter.
    CaseFolding,
    /// The search could not be built; its literals are constants, so that never happens.
    NoSearch,
}

/// Every place where a secret could begin, in code points, ascending.
///
/// # Errors
///
/// [`Refusal`] when the places cannot be told.
pub fn starts(text: &str) -> Result<Vec<usize>, Refusal> {
    if !text.is_ascii() && text.contains(FOLDED) {
        return Err(Refusal::CaseFolding);
    }
    let search = SEARCH.as_ref().ok_or(Refusal::NoSearch)?;
    let mut places = Places::new(text);
    for found in search.find_overlapping_iter(text) {
        places.add(LITERALS[found.pattern().as_usize()].1, found.start(), found.end());
    }
    Ok(in_code_points(text, places.into_offsets()))
}

fn in_code_points(text: &str, offsets: BTreeSet<usize>) -> Vec<usize> {
    if text.is_ascii() {
        return offsets.into_iter().collect();
    }
    let (mut counted, mut at) = (0, 0);
    offsets
        .into_iter()
        .map(|offset| {
            counted += text[at..offset].chars().count();
            at = offset;
            counted
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::places::Begins;
    use super::*;

    #[test]
    fn a_clean_text_has_no_place() {
        assert_eq!(Ok(vec![]), starts("What is the capital of France?"));
    }

    #[test]
    fn a_literal_is_found_in_any_case_where_it_stands() {
        assert_eq!(Ok(vec![4]), starts("key SK-abc"));
    }

    #[test]
    fn a_word_with_a_secret_in_it_begins_with_the_word() {
        assert_eq!(Ok(vec![3]), starts("my db_password: x"));
    }

    #[test]
    fn places_are_counted_in_code_points() {
        assert_eq!(Ok(vec![2]), starts("é sk-1"));
    }

    #[test]
    fn after_a_letter_outside_of_ascii_a_word_may_begin_or_not() {
        assert_eq!(Ok(vec![0, 1]), starts("épassword"));
    }

    #[test]
    fn a_token_in_a_word_hides_no_beginning_from_a_password() {
        assert_eq!(Ok(vec![0, 1]), starts("étoken_password"));
    }

    #[test]
    fn a_token_counts_only_in_a_query() {
        assert_eq!((Ok(vec![]), Ok(vec![2])), (starts("max_tokens=5"), starts("/?my_token=5")));
    }

    #[test]
    fn an_address_with_a_user_begins_after_its_scheme() {
        assert_eq!(Ok(vec![4]), starts("a://u:p@h"));
    }

    #[test]
    fn an_object_begins_with_the_nearest_brace() {
        let text = r#"{} {"x": 1, "type": "service_account"}"#;

        assert_eq!((Ok(vec![3]), Ok(vec![])), (starts(text), starts(r#"{x} "type""#)));
    }

    #[test]
    fn letters_that_python_folds_to_ascii_are_refused() {
        assert_eq!(Err(Refusal::CaseFolding), starts("ſk-12345678"));
    }

    #[test]
    fn a_long_word_full_of_literals_is_walked_once() {
        // A million characters: walking back from each literal would take hours.
        assert_eq!(Ok(vec![0]), starts(&"password".repeat(125_000)));
    }

    #[test]
    fn every_kind_of_place_has_a_literal() {
        let kinds =
            [Begins::Here, Begins::AfterFirst, Begins::AfterLiteral, Begins::Word, Begins::QueryWord, Begins::Brace];

        assert!(kinds.iter().all(|kind| LITERALS.iter().any(|(_, begins)| begins == kind)));
    }
}
