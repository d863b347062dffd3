//! The program. All it does is choose an allocator and hand over to [`witgate::cli`].

/// Faster than the system's for many small allocations on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The loader calls what stands here before the first allocation, which is before `main`.
#[cfg(target_os = "linux")]
#[used]
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = witgate::memory::commit_as_used;

fn main() -> std::process::ExitCode {
    witgate::memory::small_pages();
    witgate::cli::main()
}
