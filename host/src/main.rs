//! The program. All it does is choose an allocator and hand over to [`witgate::cli`].

/// Faster than the system's for many small allocations on many threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    witgate::memory::small_pages();
    witgate::cli::main()
}
