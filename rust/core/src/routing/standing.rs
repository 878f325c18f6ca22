//! How deployments stand: what each has used, what it may use, and the value by which one is preferred.

use std::cmp::Ordering;

/// What a deployment may use in a minute; infinite where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Tokens.
    pub tokens: f64,
    /// Requests.
    pub requests: f64,
}

/// What a deployment has used in this minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Tokens.
    pub tokens: f64,
    /// Requests, if anybody has counted them.
    pub requests: Option<f64>,
}

/// When one request more is too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestLimit {
    /// When the limit would be exceeded.
    Exceeded,
    /// Already when it would be reached.
    Reached,
}

/// One deployment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standing {
    /// Its place in the list.
    pub place: usize,
    /// Less is better; finite.
    pub value: f64,
    /// What it has used.
    pub usage: Usage,
    /// What it may use.
    pub limits: Limits,
}

/// Every id that usage is known of, in one order; of some there is no deployment.
#[derive(Debug)]
pub struct Standings {
    standings: Vec<Option<Standing>>,
    request_limit: RequestLimit,
}

impl Standings {
    /// Every value is finite.
    #[must_use]
    pub fn new(standings: Vec<Option<Standing>>, request_limit: RequestLimit) -> Self {
        Self { standings, request_limit }
    }

    /// How many ids there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.standings.len()
    }

    /// Whether there is no id.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.standings.is_empty()
    }

    /// The deployment of an id, if there is one.
    #[must_use]
    pub fn get(&self, id: usize) -> Option<&Standing> {
        self.standings.get(id)?.as_ref()
    }

    /// Whether it matters for any of them how many tokens a request has.
    #[must_use]
    pub fn are_limited(&self) -> bool {
        self.standings.iter().flatten().any(|standing| standing.limits.tokens.is_finite())
    }

    /// The places of those with room for a request whose value is at most the lowest and a share of it more, the lowest first
    /// and equal ones in the order of `ids`.
    #[must_use]
    pub fn within(&self, ids: &[usize], tokens: f64, share: f64) -> Vec<usize> {
        let mut found: Vec<_> =
            ids.iter().filter_map(|id| self.get(*id)).filter(|standing| self.has_room(standing, tokens)).collect();
        let lowest = found.iter().map(|standing| standing.value).fold(f64::INFINITY, f64::min);
        let highest = lowest + share * lowest;
        found.retain(|standing| standing.value <= highest);
        found.sort_by(|one, other| one.value.partial_cmp(&other.value).unwrap_or(Ordering::Equal));
        found.into_iter().map(|standing| standing.place).collect()
    }

    /// The places of all with room for a request that have the lowest value, in their order.
    #[must_use]
    pub fn lowest(&self, tokens: f64) -> Vec<usize> {
        let mut lowest = f64::INFINITY;
        let mut places = Vec::new();
        for standing in self.standings.iter().flatten().filter(|standing| self.has_room(standing, tokens)) {
            if standing.value < lowest {
                lowest = standing.value;
                places.clear();
            }
            if standing.value <= lowest {
                places.push(standing.place);
            }
        }
        places
    }

    fn has_room(&self, standing: &Standing, tokens: f64) -> bool {
        let next = standing.usage.requests.map(|requests| requests + 1.0);
        let limit = standing.limits.requests;
        let has_requests = match self.request_limit {
            RequestLimit::Exceeded => next.is_none_or(|next| next <= limit),
            RequestLimit::Reached => next.is_none_or(|next| next < limit),
        };
        has_requests && standing.usage.tokens + tokens <= standing.limits.tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FREE: Limits = Limits { tokens: f64::INFINITY, requests: f64::INFINITY };

    fn standing(place: usize, value: f64) -> Standing {
        Standing { place, value, usage: Usage { tokens: 10.0, requests: Some(1.0) }, limits: FREE }
    }

    fn standings(all: Vec<Standing>, request_limit: RequestLimit) -> Standings {
        Standings::new(all.into_iter().map(Some).collect(), request_limit)
    }

    #[test]
    fn those_within_the_buffer_are_sorted_and_ties_keep_the_order_asked_for() {
        let all = standings(
            (0..4).map(|place| standing(place, [2.0, 1.0, 1.0, 1.5][place])).collect(),
            RequestLimit::Exceeded,
        );

        assert_eq!(vec![2, 1, 3], all.within(&[3, 2, 1, 0], 0.0, 0.5));
        assert_eq!(vec![1, 2], all.within(&[0, 1, 2, 3], 0.0, 0.0));
    }

    #[test]
    fn an_id_without_a_deployment_is_passed_over() {
        let all = Standings::new(vec![None, Some(standing(7, 1.0))], RequestLimit::Exceeded);

        assert_eq!(vec![7], all.within(&[1, 0], 0.0, 0.0));
        assert_eq!(vec![7], all.lowest(0.0));
    }

    #[test]
    fn a_deployment_may_use_up_its_tokens_and_no_more() {
        let limits = Limits { tokens: 12.0, ..FREE };
        let all = standings(vec![Standing { limits, ..standing(0, 1.0) }], RequestLimit::Exceeded);

        assert!(all.are_limited());
        assert_eq!(vec![0], all.lowest(2.0));
        assert_eq!(Vec::<usize>::new(), all.lowest(3.0));
    }

    #[test]
    fn the_last_request_is_admitted_only_where_a_limit_may_be_reached() {
        let limits = Limits { requests: 2.0, ..FREE };
        let full = Standing { limits, ..standing(0, 1.0) };

        assert_eq!(vec![0], standings(vec![full], RequestLimit::Exceeded).lowest(0.0));
        assert_eq!(Vec::<usize>::new(), standings(vec![full], RequestLimit::Reached).lowest(0.0));
    }

    #[test]
    fn requests_that_nobody_has_counted_are_no_reason_to_refuse() {
        let limits = Limits { requests: 0.0, ..FREE };
        let usage = Usage { tokens: 0.0, requests: None };
        let all = standings(vec![Standing { usage, limits, ..standing(0, 1.0) }], RequestLimit::Reached);

        assert_eq!(vec![0], all.lowest(0.0));
    }

    proptest! {
        #[test]
        fn without_a_buffer_both_ways_find_the_lowest(values in prop::collection::vec(0..5_u8, 0..20)) {
            let each = values.iter().enumerate().map(|(place, value)| standing(place, f64::from(*value)));
            let all = standings(each.collect(), RequestLimit::Exceeded);
            let ids: Vec<_> = (0..values.len()).collect();

            prop_assert_eq!(all.within(&ids, 0.0, 0.0), all.lowest(0.0));
        }
    }
}
