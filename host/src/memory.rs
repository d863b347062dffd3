//! The process's memory: how it is asked for, and when it goes back to the system. The allocator itself is the program's choice, in
//! `main`.
#![allow(unsafe_code, reason = "a function of the allocator's that is declared in C")]

/// Lets the allocator commit memory as it uses it, and not a gigabyte at once: what it has committed once it keeps more of. Of use
/// before the first allocation only.
pub extern "C" fn commit_as_used() {
    /// `mi_option_arena_eager_commit` of mimalloc's `mi_option_e`, which the bindings leave out.
    const ARENA_EAGER_COMMIT: libmimalloc_sys::mi_option_t = 4;
    // SAFETY: it sets a number in a table of the allocator's.
    unsafe { libmimalloc_sys::mi_option_set(ARENA_EAGER_COMMIT, 0) };
}

/// Call it first: the allocator asks for huge pages, of which an idle gateway would hold twice what it needs.
pub fn small_pages() {
    #[cfg(target_os = "linux")]
    // Where the system does not know the flag it hands out small pages anyway.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Gives back what was freed, if mimalloc is the allocator. For after work that needs much and is rarely done: reading, compiling and testing an adapter.
pub fn give_back() {
    // SAFETY: it may be called at any time, on any thread.
    unsafe { libmimalloc_sys::mi_collect(true) };
}
