//! `adapter::inspect`: is this file an adapter? Nothing of it is compiled or run.

use witgate::adapter::{Unfit, inspect};

/// Looks at the bytes as a file that was dropped into the folder of adapters.
pub fn target(data: &[u8]) {
    match inspect(data) {
        Ok(found) => {
            let component = found.component.as_deref().unwrap_or(data);
            assert!(component.starts_with(b"\0asm"), "only WebAssembly is taken");
            assert!(!found.exports.is_empty(), "an adapter exports something");
        }
        Err(unfit) => {
            assert_eq!(unfit == Unfit::Empty, data.is_empty());
            assert!(!unfit.to_string().is_empty(), "who is refused is told why");
        }
    }
}
