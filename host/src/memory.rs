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

/// Gives back what was freed, if mimalloc is the allocator. For after work that needs much and is rarely done: reading, compiling and
/// testing an adapter.
pub fn give_back() {
    // SAFETY: it may be called at any time, on any thread.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

/// Lets go of the program's and the adapters' code that only the start needed; what is needed again is mapped again, from the
/// system's own copy of the file.
///
/// # Safety
///
/// No code may be unmapped meanwhile (no adapter freed): something else could take its place.
pub unsafe fn let_go_of_code() {
    #[cfg(target_os = "linux")]
    for code in code::untouched(&std::fs::read_to_string("/proc/self/smaps").unwrap_or_default()) {
        let (start, len) = (std::ptr::with_exposed_provenance_mut(code.start), code.len());
        // SAFETY: it is mapped from a file, and no page of it differs from the file. The caller promises that it is still there.
        let _ = unsafe { rustix::mm::madvise(start, len, rustix::mm::Advice::LinuxDontNeed) };
    }
}

#[cfg(target_os = "linux")]
mod code {
    use std::ops::Range;

    /// Where code is that is as it is in its file, according to `/proc/self/smaps` (proc_pid_smaps(5)).
    pub(super) fn untouched(smaps: &str) -> impl Iterator<Item = Range<usize>> {
        let mut current = None;
        smaps.lines().filter_map(move |line| {
            let (key, rest) = line.split_once(' ')?;
            if let Some((start, end)) = key.split_once('-') {
                let address = |text| usize::from_str_radix(text, 16).ok();
                let is_file = rest.contains(" /");
                current = (rest.starts_with("r-xp ") && is_file)
                    .then(|| Some(address(start)?..address(end)?))
                    .flatten();
            }
            (key == "Anonymous:" && rest.trim() == "0 kB")
                .then(|| current.take())
                .flatten()
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::code::untouched;

    #[test]
    fn only_code_that_is_as_in_its_file_is_let_go_of() {
        let smaps = "\
            1000-2000 r-xp 0000 fe:00 7  /bin/program\nSize: 4 kB\nAnonymous:             0 kB\nVmFlags: rd ex\n\
            2000-3000 r--p 0000 fe:00 7  /bin/program\nAnonymous:             0 kB\n\
            3000-5000 r-xp 0000 fe:00 7  /lib/relocated.so\nAnonymous:             4 kB\n\
            5000-6000 r-xp 0000 00:00 0 \nAnonymous:             0 kB\n\
            6000-7000 r-xp 0000 00:00 0                [vdso]\nAnonymous:             0 kB\n\
            a000-c000 r-xp 0000 fe:00 7  /data/a b.code\nAnonymous:             0 kB\n";
        assert_eq!(untouched(smaps).collect::<Vec<_>>(), [0x1000..0x2000, 0xa000..0xc000]);
    }
}
