//! Gives memory back to the system.

/// Returns what is free. The start needs far more than what comes after it (the document and its rules are put together from
/// many pieces), and the allocator keeps what is freed until it is used again: in a process that waits, for ever.
pub fn give_back() {
    // SAFETY: it returns free pages only; it may be called at any time, on any thread.
    unsafe { libmimalloc_sys::mi_collect(true) };
}
