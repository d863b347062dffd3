//! The benchmark suite of Witgate: contenders side by side in one run, on the same two processors, with the same load.
//!
//! One program in three roles, each a process of its own: [`run`] starts the contenders in turn and measures them, or trains one
//! ([`run::train`]); [`mock`] is the model provider behind them; [`load`] is the client in front. [`request`] holds what is asked, [`control`] is a one-shot HTTP
//! client for set-up. What the numbers mean is told in `README.md` beside this crate.
#![cfg_attr(
    target_os = "linux",
    expect(clippy::print_stdout, reason = "what a benchmark prints is what it is for")
)]

#[cfg(target_os = "linux")]
mod control;
#[cfg(target_os = "linux")]
mod load;
#[cfg(target_os = "linux")]
mod mock;
#[cfg(target_os = "linux")]
mod request;
#[cfg(target_os = "linux")]
mod run;

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime of one thread needs only file descriptors");
    let tasks = tokio::task::LocalSet::new();
    let outcome = match arguments.split_first() {
        Some((role, rest)) if role == "mock" => tasks.block_on(&runtime, awake(mock::serve(rest))),
        Some((role, [])) if role == "train" => tasks.block_on(&runtime, run::train::all()),
        Some((role, _)) if role == "load" => tasks.block_on(&runtime, awake(load::answer_one_plan())),
        _ => tasks.block_on(&runtime, run::measure(&arguments)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("bench: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `work` and never sleeps. Who writes to a socket pays for waking its reader; on a virtual machine whose idle processor has to
/// be woken that is as much as all else a proxy does, and a slower contender, which leaves the load more time to fall asleep, pays it
/// more often. In production client and provider are other machines, so here they stay awake for all contenders alike. The two share
/// a processor and hand it to each other.
#[cfg(target_os = "linux")]
async fn awake<T>(work: impl Future<Output = T>) -> T {
    let watch = async {
        loop {
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        done = work => done,
        () = watch => unreachable!("it watches for ever"),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("bench: processor time and memory are read from /proc, so this needs Linux");
    ExitCode::FAILURE
}
