//! The process's memory: how it is asked for, and when it goes back to the system. The allocator itself is the program's choice, in
//! `main`.
#![allow(unsafe_code, reason = "a function of the allocator's that is declared in C")]

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
