//! What is this file? Before a byte of it is compiled, [`inspect`] says whether it can be an adapter, and if not, what it is and
//! what to do.

mod metadata;

use wasmparser::{ComponentExternalKind, Encoding, Parser, Payload, Validator, WasmFeatures};

use super::contract::{PACKAGE, REQUIRED, VERSION};

/// Why a file cannot be an adapter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// No bytes.
    #[error("the file is empty")]
    Empty,
    /// Something else than WebAssembly.
    #[error("this is {0}, not a WebAssembly component")]
    NotWasm(&'static str),
    /// The beginning of something.
    #[error("the file is truncated: it ends in the middle of a section")]
    Truncated,
    /// A module that says nothing about its types.
    #[error(
        "this is a core WebAssembly module without component-type metadata: build it with wit-bindgen for one of the worlds of \
         {PACKAGE}, or make a component of it with `wasm-tools component new`"
    )]
    BareModule,
    /// Not valid.
    #[error("this is not valid WebAssembly: {0}")]
    Invalid(String),
    /// A component of another world.
    #[error("this component is no adapter: it does not export `{missing}`{found}")]
    OtherWorld {
        /// The interface.
        missing: String,
        /// What it exports instead, ready to be appended.
        found: String,
    },
    /// It wants something that is not given.
    #[error("it imports `{import}`: {remedy}")]
    Import {
        /// The import's name.
        import: String,
        /// What to do.
        remedy: &'static str,
    },
}

/// What was found.
#[derive(Debug)]
pub struct Found {
    /// The component, made from a core module if the file was one.
    pub component: Option<Vec<u8>>,
    /// It uses the component model's async.
    pub concurrency: bool,
    /// What it imports.
    pub imports: Vec<String>,
    /// The interfaces it exports.
    pub exports: Vec<String>,
}

/// Looks at `bytes`, makes a component of a core module, and checks imports and exports.
pub fn inspect(bytes: &[u8]) -> Result<Found, Unfit> {
    kind(bytes)?;
    let encoded = if Parser::is_core_wasm(bytes) {
        Some(componentise(bytes)?)
    } else {
        None
    };
    let component = encoded.as_deref().unwrap_or(bytes);
    let names = names(component)?;
    let concurrency = validate(component)?;
    exports(&names.exports)?;
    imports(&names.imports)?;
    Ok(Found {
        component: encoded,
        concurrency,
        imports: names.imports,
        exports: names.exports,
    })
}

fn kind(bytes: &[u8]) -> Result<(), Unfit> {
    const KNOWN: [(&[u8], &str); 8] = [
        (b"\x7fELF", "a program or library for Linux (ELF)"),
        (b"MZ", "a program or library for Windows"),
        (b"\xcf\xfa\xed\xfe", "a program or library for macOS"),
        (b"\xca\xfe\xba\xbe", "a program for macOS or a Java class"),
        (b"PK\x03\x04", "a zip archive: unpack it"),
        (b"\x1f\x8b", "a gzip archive: unpack it"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive: unpack it"),
        (
            b"(component",
            "WebAssembly in text form: encode it with `wasm-tools parse`",
        ),
    ];
    if bytes.is_empty() {
        return Err(Unfit::Empty);
    }
    if let Some((_, what)) = KNOWN.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(Unfit::NotWasm(what));
    }
    if b"\0asm".starts_with(bytes.get(..4).unwrap_or(bytes)) {
        return if bytes.len() < 8 { Err(Unfit::Truncated) } else { Ok(()) };
    }
    let text = std::str::from_utf8(bytes.get(..bytes.len().min(512)).unwrap_or_default());
    Err(Unfit::NotWasm(match text {
        Ok(text) if text.trim_start().starts_with("(module") => {
            "WebAssembly in text form: encode it with `wasm-tools parse`"
        }
        Ok(_) => "a text file",
        Err(_) => "something else",
    }))
}

fn componentise(module: &[u8]) -> Result<Vec<u8>, Unfit> {
    metadata::check(module)?;
    wit_component::ComponentEncoder::default()
        .module(module)
        .and_then(wit_component::ComponentEncoder::encode)
        .map_err(|reason| Unfit::Invalid(format!("no component can be made of this module: {reason:#}")))
}

struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
}

/// The imports, and the exported interfaces, of the component itself: not of what is nested in it.
fn names(component: &[u8]) -> Result<Names, Unfit> {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|e| unreadable(&e))? {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            }
            | Payload::Version {
                encoding: Encoding::Component,
                ..
            } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    imports.push(import.map_err(|e| unreadable(&e))?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section {
                    let export = export.map_err(|e| unreadable(&e))?;
                    if export.kind == ComponentExternalKind::Instance {
                        exports.push(export.name.name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(Names { imports, exports })
}

/// Validates; true if that takes the component model's async.
fn validate(component: &[u8]) -> Result<bool, Unfit> {
    let concurrent = WasmFeatures::CM_ASYNC;
    let lean = WasmFeatures::default() & !concurrent;
    if Validator::new_with_features(lean).validate_all(component).is_ok() {
        return Ok(false);
    }
    Validator::new_with_features(lean | concurrent)
        .validate_all(component)
        .map(|_| true)
        .map_err(|e| unreadable(&e))
}

fn exports(names: &[String]) -> Result<(), Unfit> {
    for interface in REQUIRED {
        let prefix = format!("{PACKAGE}/{interface}@");
        let served = |name: &String| {
            name.strip_prefix(&prefix)
                .is_some_and(|version| version.starts_with(VERSION))
        };
        if names.iter().any(served) {
            continue;
        }
        let found = match names.iter().find(|name| name.starts_with(&prefix)) {
            Some(other) => format!(", but `{other}`, which this gateway does not know"),
            None if names.is_empty() => "; it exports no interface at all".to_owned(),
            None => format!("; it exports {}", names.join(", ")),
        };
        return Err(Unfit::OtherWorld {
            missing: format!("{prefix}{VERSION}0"),
            found,
        });
    }
    Ok(())
}

fn imports(names: &[String]) -> Result<(), Unfit> {
    for name in names {
        let remedy = match name.split(['/', '@']).next().unwrap_or_default() {
            "wasi:sockets" | "wasi:http" | "wasi:tls" | "wasi:keyvalue" | "wasi:config" => {
                "an adapter does no I/O of its own. Return a `step.fetch` and the gateway sends the request; with a language runtime, \
                 build without its HTTP and socket support"
            }
            "wasi:cli" | "wasi:io" | "wasi:clocks" | "wasi:random" | "wasi:filesystem" => {
                if name
                    .rsplit_once('@')
                    .is_some_and(|(_, version)| version.starts_with("0.2."))
                {
                    continue;
                }
                "this gateway has WASI 0.2 only; build for wasip2, or without WASI"
            }
            PACKAGE => {
                let known = ["types", "host-log", "host-crypto"].into_iter().any(|interface| {
                    name.strip_prefix(&format!("{PACKAGE}/{interface}@"))
                        .is_some_and(|version| version.starts_with(VERSION))
                });
                if known {
                    continue;
                }
                "this gateway does not have it; build the adapter against the contract this gateway was released with"
            }
            _ => {
                "an adapter may import host-log and host-crypto of the contract, and nothing else. Remove the import, or stub it out \
                 when building"
            }
        };
        return Err(Unfit::Import {
            import: name.clone(),
            remedy,
        });
    }
    Ok(())
}

fn unreadable(error: &wasmparser::BinaryReaderError) -> Unfit {
    if error.message().contains("unexpected end") {
        Unfit::Truncated
    } else {
        Unfit::Invalid(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_adapter_is_called_what_it_is() {
        let cases: [(&[u8], &str); 8] = [
            (b"", "empty"),
            (b"\x7fELF\x02\x01", "ELF"),
            (b"\0as", "truncated"),
            (b"\0asm\x01\0\0\0", "without component-type metadata"),
            (b"\0asm\x01\0\0\0\x01\x20\x01", "truncated"),
            (b"#!/bin/sh\n", "text file"),
            (b"  (module)", "text form"),
            (
                b"\0asm\x0d\0\x01\0",
                "does not export `witgate:adapter/meta@0.1.0`; it exports no interface",
            ),
        ];
        for (bytes, words) in cases {
            let error = inspect(bytes).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn an_import_that_is_not_given_is_named_with_what_to_do() {
        let check = |name: &str| imports(&[name.to_owned()]).map_err(|e| e.to_string());
        for given in [
            "witgate:adapter/types@0.1.0",
            "witgate:adapter/host-log@0.1.7",
            "wasi:cli/environment@0.2.9",
            "wasi:filesystem/preopens@0.2.12",
        ] {
            assert_eq!(check(given), Ok(()));
        }
        for (refused, words) in [
            ("wasi:sockets/tcp@0.2.9", "step.fetch"),
            ("wasi:http/outgoing-handler@0.2.9", "step.fetch"),
            ("wasi:cli/stdout@0.3.0", "WASI 0.2"),
            ("witgate:adapter/host-clock@0.1.0", "does not have it"),
            ("witgate:adapter/types@0.2.0", "does not have it"),
            ("acme:magic/wand", "nothing else"),
        ] {
            let error = check(refused).unwrap_err();
            assert!(error.contains(refused) && error.contains(words), "{error}");
        }
    }
}
