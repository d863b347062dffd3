//! From a file to an adapter.

use witgate::adapter::{Limits, LoadError, Runtime, Unfit};

use super::world::guest;

fn runtime() -> Runtime {
    let limits = Limits {
        slots: 4,
        ..Limits::default()
    };
    Runtime::new(&limits).unwrap()
}

#[tokio::test]
async fn a_core_module_with_metadata_is_an_adapter_and_says_what_it_has() {
    let runtime = runtime();
    let plain = runtime.load(guest("plain")).await.unwrap();
    assert_eq!(&*plain.id, "plain@1.0.0");
    assert!(plain.interfaces().is_empty());
    let full = runtime.load(guest("contract")).await.unwrap();
    assert_eq!(full.interfaces(), ["streaming", "auth", "models", "jobs"]);
}

#[tokio::test]
async fn compiled_code_is_taken_back_and_runs() {
    let runtime = runtime();
    let code = runtime.compile(&guest("plain")).unwrap().serialize().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let kept = |name: &str, bytes: &[u8]| {
        let file = dir.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        file
    };
    let file = kept("code", &[code.as_slice(), b"what its keeper adds"].concat());
    // SAFETY: these are the bytes `serialize` has just returned.
    let restored = unsafe { runtime.restore(&file) }.unwrap();
    assert_eq!(&*runtime.probe(&restored).await.unwrap().id, "plain@1.0.0");
    for strange in [code.get(..16).unwrap(), b"", b"no code at all"] {
        let file = kept("strange", strange);
        // SAFETY: nothing of it is run; it is refused by its header.
        let refused = unsafe { runtime.restore(&file) };
        assert!(matches!(refused, Err(LoadError::Stale(_))));
    }
}

#[tokio::test]
async fn compiled_code_of_an_adapter_with_the_models_async_is_taken_back_and_runs() {
    /// A section of the component binary format with one function: `canon context.get i32 0`, which comes with async.
    const ASYNC: [u8; 6] = [8, 4, 1, 0x0a, 0x7f, 0];
    let plain = guest("plain");
    let mut encoder = wit_component::ComponentEncoder::default();
    let component = encoder.module(&plain).unwrap().encode().unwrap();
    let component = [component.as_slice(), &ASYNC].concat();
    let runtime = runtime();
    let code = runtime.compile(&component).unwrap().serialize().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("code");
    std::fs::write(&file, code).unwrap();
    // SAFETY: these are the bytes `serialize` has just returned.
    let restored = unsafe { runtime.restore(&file) }.unwrap();
    assert_eq!(&*runtime.probe(&restored).await.unwrap().id, "plain@1.0.0");
}

#[tokio::test]
async fn a_file_cut_anywhere_is_refused_with_a_reason() {
    let runtime = runtime();
    let bytes = guest("plain");
    for length in [0, 3, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        let error = runtime.load(bytes[..length].to_vec()).await.err().unwrap();
        assert!(matches!(error, LoadError::Unfit(_)), "{length}: {error}");
    }
    let half = runtime.load(bytes[..bytes.len() / 2].to_vec()).await.err().unwrap();
    assert!(matches!(half, LoadError::Unfit(Unfit::Truncated)), "{half}");
}

#[tokio::test]
async fn an_adapter_that_wants_a_socket_is_refused_with_the_imports_name_and_what_to_do() {
    let error = runtime().load(guest("sockets")).await.err().unwrap().to_string();
    assert!(error.contains("wasi:sockets/tcp-create-socket@0.2.9"), "{error}");
    assert!(error.contains("step.fetch"), "{error}");
}
