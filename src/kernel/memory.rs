//! Returns free memory to the system.

/// Returns free memory. The start needs far more than what comes after it (the document and its rules are assembled
/// from many pieces), and the allocator keeps freed memory until it is reused: in an idle process, for ever.
#[allow(unsafe_code, reason = "the allocator's own call, which no safe function offers")]
pub fn give_back() {
    // SAFETY: it returns free pages only; it may be called at any time, on any thread.
    unsafe { libmimalloc_sys::mi_collect(true) };
}
