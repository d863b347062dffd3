//! The smoke driver: `cargo run --release --package witgate-fuzz -- --help`. Each target gets its share of the time; what once broke
//! it comes first, then its corpus as it is, then changed inputs from a seed that is printed.
#![expect(clippy::print_stdout, reason = "what a command prints is what it is for")]

mod options;
mod run;

use std::process::ExitCode;

use options::Options;
use witgate_fuzz::{memory::Counting, targets};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(64);
        }
    };
    if options.list {
        targets::ALL
            .iter()
            .for_each(|target| println!("{:<12}{}", target.name, target.about));
        return ExitCode::SUCCESS;
    }
    println!("seed {}", options.seed);
    let failed = options
        .targets
        .iter()
        .filter(|target| !run::target(target, &options))
        .count();
    println!("{} passed, {failed} failed", options.targets.len() - failed);
    ExitCode::from(u8::from(failed > 0))
}
