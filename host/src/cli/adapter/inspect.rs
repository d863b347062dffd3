//! `witgate adapter inspect`: everything there is to know of a file, or why it is no adapter.

use std::{path::PathBuf, sync::Arc, time::Instant};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    adapter::{Adapter, Limits, Manifest, Runtime, inspect},
    cli::{Failed, Outcome, block_on, print, progress},
    reload::{fit, load::at_low_priority, scan, selftest},
};

/// What a file is: its manifest, imports, exports and sizes, how long it compiles, and how its own tests come out.
///
/// For a file that is no adapter: what it is, and what to do.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate adapter inspect adapters/replicate.wasm")]
pub(super) struct Inspect {
    /// A component, or a core module with component-type metadata
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(super) fn run(self) -> Outcome {
        let facts = self.facts()?;
        if self.json {
            print::json(&facts);
        } else {
            print::line(lines(&facts));
        }
        match facts.get("refused").and_then(Value::as_str) {
            Some(reason) => Err(Failed::new(format!("{} cannot serve: {reason}", self.file.display()))),
            None => Ok(()),
        }
    }

    fn facts(&self) -> Result<Value, Failed> {
        let content = scan::read(&self.file).map_err(Failed::new)?;
        let shown = self.file.display();
        let found = inspect(&content.bytes).map_err(|unfit| Failed::new(format!("{shown}: {unfit}")))?;
        let runtime = Runtime::new(&Limits::default()).map_err(Failed::new)?;
        let started = Instant::now();
        let compiled = progress::during(
            || format!("Compiling {shown}"),
            || at_low_priority(|| runtime.compile(&content.bytes)),
        );
        let compiled = compiled.map_err(|error| Failed::new(format!("{shown}: {error}")))?;
        let took = started.elapsed();
        let code = compiled.serialize().map_err(Failed::new)?.len();
        let mut facts = json!({
            "file": self.file.display().to_string(),
            "digest": content.digest,
            "kind": if found.component.is_some() { "core module with component-type metadata" } else { "component" },
            "bytes": content.bytes.len(),
            "compiled_bytes": code,
            "compile_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "imports": found.imports,
            "exports": found.exports,
        });
        let mut probed = Ok(());
        block_on(async {
            probed = probe(&runtime, &compiled, &mut facts).await;
            Ok(())
        })?;
        if let Err(reason) = probed {
            facts["refused"] = json!(reason);
        }
        Ok(facts)
    }
}

/// What the adapter says of itself, and whether it does what it says.
async fn probe(runtime: &Runtime, compiled: &crate::adapter::Compiled, facts: &mut Value) -> Result<(), String> {
    let adapter = Arc::new(runtime.probe(compiled).await.map_err(|error| error.to_string())?);
    describe(&adapter, facts);
    fit::check_schema(&adapter.manifest)?;
    selftest::play_all(runtime, &adapter)
        .await
        .map_err(|failed| failed.to_string())
}

fn describe(adapter: &Adapter, facts: &mut Value) {
    let Manifest {
        name,
        version,
        types,
        operations,
        permissions,
        tests,
        ..
    } = &adapter.manifest;
    let hosts: Vec<_> = permissions.hosts.iter().map(ToString::to_string).collect();
    facts["adapter"] = json!(name);
    facts["version"] = json!(version);
    facts["types"] = json!(types);
    facts["operations"] = json!(operations);
    facts["optional_interfaces"] = json!(adapter.interfaces());
    facts["permissions"] = json!({
        "hosts": hosts, "secrets": permissions.secrets, "crypto": permissions.crypto, "files": permissions.files,
    });
    facts["own_tests"] = json!(tests.iter().map(|test| &test.name).collect::<Vec<_>>());
}

/// A fact a line.
fn lines(facts: &Value) -> String {
    let order = [
        "file",
        "digest",
        "kind",
        "bytes",
        "compiled_bytes",
        "compile_ms",
        "adapter",
        "version",
        "types",
        "operations",
        "optional_interfaces",
        "permissions",
        "imports",
        "exports",
        "own_tests",
    ];
    let known = order.iter().filter_map(|name| Some((name, facts.get(name)?)));
    let lines: Vec<_> = known
        .map(|(name, value)| format!("{:<20} {}", name.replace('_', " "), words(value)))
        .collect();
    lines.join("\n")
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => {
            let given = fields
                .iter()
                .filter(|(_, value)| value.as_array().is_none_or(|items| !items.is_empty()));
            let given: Vec<_> = given.map(|(name, value)| format!("{name}: {}", words(value))).collect();
            if given.is_empty() {
                "none".to_owned()
            } else {
                given.join("; ")
            }
        }
        other => other.to_string(),
    }
}
