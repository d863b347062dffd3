//! Lines for the gateway's log, which marks them with the adapter and the request. Never log a secret or a prompt.
//!
//! ```
//! witgate_sdk::log::warn("an unknown stop reason", &[("reason", "tired")]);
//! ```

/// Something failed.
pub fn error(message: &str, fields: &[(&str, &str)]) {
    write("error", message, fields);
}

/// Something is odd.
pub fn warn(message: &str, fields: &[(&str, &str)]) {
    write("warn", message, fields);
}

/// Something is worth knowing.
pub fn info(message: &str, fields: &[(&str, &str)]) {
    write("info", message, fields);
}

/// Something helps to find a mistake.
pub fn debug(message: &str, fields: &[(&str, &str)]) {
    write("debug", message, fields);
}

#[cfg(target_arch = "wasm32")]
fn write(level: &str, message: &str, fields: &[(&str, &str)]) {
    let fields: Vec<_> = fields
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    crate::bindings::base::witgate::adapter::host_log::log(level, message, &fields);
}

/// In a native test lines go to standard error, which the test runner shows if the test fails.
#[cfg(not(target_arch = "wasm32"))]
fn write(level: &str, message: &str, fields: &[(&str, &str)]) {
    eprintln!("{level}: {message} {fields:?}");
}
