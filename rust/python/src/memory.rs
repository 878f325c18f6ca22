//! Memory that was only needed for a moment.

/// From this size on a rule file is worth giving back what reading it took.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: usize = 64 * 1024;

/// Gives the system back what reading a rule file of so many bytes took: glibc keeps freed memory that does not lie at the
/// end of its heap.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)] // docs/decisions/0012-memory-of-rules.md
pub(crate) fn give_back(bytes: usize) {
    if bytes >= LARGE {
        // SAFETY: malloc_trim takes no pointer, may be called from any thread at any time, and only returns pages that
        // hold no allocation (malloc_trim(3)).
        unsafe { libc::malloc_trim(0) };
    }
}

/// Other allocators return by themselves what is freed.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back(_bytes: usize) {}
