//! What a dispatcher shows: its function's attributes, so that whoever looks at it sees that function.

use std::sync::atomic::Ordering;

use super::Dispatcher;

/// What only the dispatcher itself can answer, because it says how that is called, copied, pickled and connected.
const OWN: [&str; 11] = [
    "__call__",
    "__copy__",
    "__deepcopy__",
    "__dir__",
    "__get__",
    "__reduce__",
    "__reduce_ex__",
    "certify",
    "compare_served",
    "connect",
    "disconnect",
];

/// What a function does follows from these.
const BEHAVIOUR: [&str; 3] = ["__code__", "__defaults__", "__kwdefaults__"];

/// Whether an attribute is the dispatcher's, not the function's.
pub(super) fn is_own(name: &str) -> bool {
    OWN.contains(&name)
}

impl Dispatcher {
    /// Somebody has changed an attribute of the function: if it is another function now, no candidate answers for it any more.
    pub(super) fn look_at(&self, name: &str) {
        if BEHAVIOUR.contains(&name) {
            self.altered.store(true, Ordering::Release);
            self.leave_if_altered();
        }
    }

    pub(super) fn leave_if_altered(&self) {
        if self.altered.load(Ordering::Acquire) {
            self.disconnect();
        }
    }
}
