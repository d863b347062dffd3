//! The program. All it does is hand over to [`witgate::cli`].

fn main() -> std::process::ExitCode {
    witgate::memory::small_pages();
    witgate::cli::main()
}
