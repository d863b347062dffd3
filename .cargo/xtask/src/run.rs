//! `cargo xtask run`: builds, starts the gateway in front of what it discovers and of the demo provider, says what to try.
//!
//! With `--config` of your own the demo stays out. Further options go to `witgate serve` as they are.

use crate::process::{self, Outcome};
use crate::{build, demo, layout};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};

const LISTEN: &str = "127.0.0.1:4000";

/// Runs until Ctrl-C, which ends the gateway gracefully and the demo provider with it.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    build::quickly()?;
    let mut serve = process::program(layout::program());
    serve.arg("serve").args(arguments);
    let address = option(arguments, "--listen").unwrap_or(LISTEN);
    if option(arguments, "--listen").is_none() {
        serve.args(["--listen", LISTEN]);
    }
    if option(arguments, "--adapters").is_none() {
        serve.args(["--adapters", "adapters"]);
    }
    if option(arguments, "--config").is_none() {
        let (base_url, leash) = start_demo()?;
        serve.arg("--config").arg(configuration(&base_url)?).stdin(leash);
        explain(address);
    }
    become_it(&mut serve)
}

/// The value of `--name VALUE` or `--name=VALUE`.
fn option<'a>(arguments: &'a [String], name: &str) -> Option<&'a str> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == name {
            return words.next().map(String::as_str);
        }
        if let Some(value) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value);
        }
    }
    None
}

/// Starts the demo provider: its base URL, and the pipe that ends it when the last holder closes it or dies.
fn start_demo() -> Result<(String, ChildStdin), String> {
    let ourselves = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut demo = Command::new(ourselves);
    demo.args(["demo", demo::WITH_PARENT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = demo
        .spawn()
        .map_err(|error| format!("the demo provider did not start: {error}"))?;
    let (leash, output) = (child.stdin.take(), child.stdout.take());
    let (Some(leash), Some(output)) = (leash, output) else {
        return Err("the demo provider has no pipes".to_owned());
    };
    let mut base_url = String::new();
    BufReader::new(output)
        .read_line(&mut base_url)
        .map_err(|error| error.to_string())?;
    Ok((base_url.trim().to_owned(), leash))
}

fn configuration(base_url: &str) -> Result<PathBuf, String> {
    let model = demo::MODEL;
    let text = format!(
        "# Written by `cargo xtask run`: the demo provider, beside whatever the gateway finds on this machine.\n\
         discover = true\n\n\
         [[providers]]\nname = \"demo\"\nbase_url = \"{base_url}\"\nmodels = [{{ id = \"{model}\" }}]\n"
    );
    let folder = layout::root().join("target/run");
    let file = folder.join("witgate.toml");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, text))
        .map_err(|error| format!("{} cannot be written: {error}", layout::shown(&file)))?;
    Ok(file)
}

fn explain(address: &str) {
    println!(
        "
The gateway will listen on http://{address}, with a demo provider behind it that is no model and says so. In another terminal, try

  curl http://{address}/v1/models
  curl -N http://{address}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{{\"model\": \"demo/{model}\", \"stream\": true, \"messages\": [{{\"role\": \"user\", \"content\": \"Hello\"}}]}}'

Point any OpenAI client at http://{address}/v1. Drop an adapter's .wasm into adapters/ and it is live. Ctrl-C ends both.
",
        model = demo::MODEL
    );
}

/// Becomes the gateway, so that its process id, its signals and its exit code are those of this command.
#[cfg(unix)]
fn become_it(serve: &mut Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    Err(format!("the gateway did not start: {}", serve.exec()))
}

/// Waits for the gateway: it shares our console, so Ctrl-C reaches it too.
#[cfg(not(unix))]
fn become_it(serve: &mut Command) -> Outcome {
    process::run(serve)
}
