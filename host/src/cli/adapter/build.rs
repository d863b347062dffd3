//! `witgate adapter build`: from a Rust crate to a component in the adapter folder.

use std::{
    env,
    ffi::OsString,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    adapter::inspect,
    cli::{Failed, Outcome, print},
    reload::scan,
};

const TARGET: &str = "wasm32-unknown-unknown";

/// A quarter of what the linker gives by itself: where an instance's memory was written to is looked up after each call, and a short
/// memory is looked through sooner. JSON of the deepest nesting that is read takes less than half of it.
const STACK: &str = "target.wasm32-unknown-unknown.rustflags=[\"-Clink-arg=-zstack-size=262144\"]";

/// Names the cargo to build with, where the usual one has no standard library for wasm.
const CARGO: &str = "WITGATE_WASM_CARGO";

/// Build an adapter from its Rust source and put it beside its folder, where a gateway that runs takes it over.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate adapter build adapters/replicate
  witgate adapter build acme -o adapters/acme.wasm")]
pub(super) struct Build {
    /// The folder with the adapter's Cargo.toml
    dir: PathBuf,
    /// Where the adapter goes instead of beside its folder
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Build {
    pub(super) fn run(self) -> Outcome {
        let shown = self.dir.display();
        let dir = fs::canonicalize(&self.dir).map_err(|error| Failed::new(format!("{shown}: {error}")))?;
        if !dir.join("Cargo.toml").is_file() {
            let remedy = "name the folder of a Rust crate; for other languages see the SDK of that language";
            return Err(Failed::new(format!("there is no Cargo.toml in {shown}: {remedy}")));
        }
        let output = self.output.unwrap_or_else(|| dir.with_extension("wasm"));
        let module = compile(&dir)?;
        let content = scan::read(&module).map_err(Failed::new)?;
        let found =
            inspect(&content.bytes).map_err(|unfit| Failed::new(format!("what was built is no adapter: {unfit}")))?;
        let component = found.component.unwrap_or(content.bytes);
        put(&output, &component)
            .map_err(|error| Failed::new(format!("{} cannot be written: {error}", output.display())))?;
        let (file, bytes) = (output.display().to_string(), component.len());
        if self.json {
            print::json(&json!({ "ok": true, "file": file, "bytes": bytes }));
        } else {
            print::line(format_args!("{file} ({bytes} bytes)"));
        }
        Ok(())
    }
}

/// Runs cargo, which shows its own progress, and returns the module it made.
fn compile(dir: &Path) -> Result<PathBuf, Failed> {
    let cargo = cargo(dir)?;
    let failed = |error| Failed::new(format!("{} cannot be run: {error}", cargo.display()));
    let mut child = Command::new(&cargo)
        .current_dir(dir)
        .args([
            "build",
            "--release",
            "--target",
            TARGET,
            "--config",
            STACK,
            "--message-format",
            "json-render-diagnostics",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let messages = child.stdout.take().map(BufReader::new);
    let lines = messages
        .into_iter()
        .flat_map(|messages| messages.lines().map_while(Result::ok));
    let module = lines.filter_map(|line| made(&line)).last();
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(Failed::new("cargo failed; its messages are above"));
    }
    module.ok_or_else(|| {
        Failed::new(
            "cargo made no module: the crate needs `crate-type = [\"cdylib\"]` in the [lib] section of its Cargo.toml",
        )
    })
}

/// The module that a message of cargo's tells of.
fn made(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let kinds = message.pointer("/target/kind")?.as_array()?;
    let library = message.get("reason")? == "compiler-artifact" && kinds.iter().any(|kind| kind == "cdylib");
    let files = message.get("filenames")?.as_array()?.iter().filter_map(Value::as_str);
    files
        .filter(|_| library)
        .map(PathBuf::from)
        .find(|file| file.extension().is_some_and(|e| e == "wasm"))
}

/// The cargo to build with: the one that was named, or the usual one if its toolchain can build for wasm.
fn cargo(dir: &Path) -> Result<PathBuf, Failed> {
    let given = |name| {
        env::var_os(name)
            .filter(|value: &OsString| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(cargo) = given(CARGO) {
        return Ok(cargo);
    }
    if has_target(dir) {
        return Ok(given("CARGO").unwrap_or_else(|| "cargo".into()));
    }
    Err(Failed::new(format!(
        "the Rust toolchain here has no standard library for {TARGET}. Any of these helps:
  - with rustup:             rustup target add {TARGET}
  - on Debian and Ubuntu:    cargo xtask toolchain, in Witgate's source: it makes a private toolchain out of Debian's packages
                             rustc-web and rust-web-src and prints its cargo, for the next line
  - with another toolchain:  {CARGO}=/path/to/its/cargo witgate adapter build …"
    )))
}

fn has_target(dir: &Path) -> bool {
    let rustc = env::var_os("RUSTC")
        .filter(|value| !value.is_empty())
        .unwrap_or_else(|| "rustc".into());
    let asked = Command::new(rustc)
        .current_dir(dir)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output();
    asked.is_ok_and(|output| {
        let libraries = String::from_utf8_lossy(&output.stdout);
        output.status.success() && fs::read_dir(libraries.trim()).is_ok_and(|mut entries| entries.next().is_some())
    })
}

/// Writes beside its place and moves there, so that a gateway that watches never sees half a file.
fn put(output: &Path, component: &[u8]) -> std::io::Result<()> {
    let partial = output.with_extension("wasm.part");
    output.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(&partial, component).and_then(|()| fs::rename(&partial, output))
}
