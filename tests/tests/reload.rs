//! Files come, change and go in the adapter directory: what is good serves, what is not is shown with the reason, and what served
//! goes on serving.

use std::{
    fs,
    sync::{Arc, atomic::Ordering},
};

use serde_json::json;
use witgate::{
    adapter::{Limits, Runtime},
    config::{Config, Format},
    gateway::{Gateway, Speaks},
    reload::{
        Status,
        fit::{Need, Wanted},
    },
    telemetry::Telemetry,
};
use witgate_tests::{
    folder::{Folder, patient, quick},
    guest::{answering, chat, manifest},
};

fn adapter(name: &str, version: &str) -> Vec<u8> {
    answering(&manifest(name, version), &chat(version))
}

fn need(provider: &str, wanted: &str, settings: serde_json::Value) -> Need {
    Need {
        provider: provider.to_owned(),
        wanted: Wanted::Name(wanted.to_owned()),
        settings: serde_json::from_value(settings).expect("settings are an object"),
        secrets: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn adapters_that_are_there_at_the_start_serve_when_the_start_is_over() {
    let folder = Folder::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        folder.write(&format!("{name}.wasm"), &adapter(name, "1"));
    }
    let reload = folder.open(patient(), &[]);
    let adapters = reload.adapters.current();
    let mut ids: Vec<_> = adapters.keys().cloned().collect();
    ids.sort();
    assert_eq!(ids, ["a", "b", "c", "d", "e", "f"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copied_file_serves() {
    let folder = Folder::new();
    let mut reload = folder.watch(patient(), &[]);
    folder.write("a.wasm", &adapter("a", "1"));
    let state = reload.until("a.wasm", Status::Serving).await;
    assert_eq!((state.id.as_deref(), state.reason), (Some("a"), None));
    assert_eq!(reload.version("a").as_deref(), Some("1"));
    assert_eq!(state.serving.map(|s| s.types), Some(vec!["a".to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_moved_over_another_takes_its_place() {
    let folder = Folder::new();
    folder.write("a.wasm", &adapter("a", "1"));
    let mut reload = folder.watch(patient(), &[]);
    folder.write("a.wasm.new", &adapter("a", "2"));
    fs::rename(folder.path("a.wasm.new"), folder.path("a.wasm")).unwrap();
    reload.until_version("a", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_written_in_pieces_is_waited_for_and_never_refused() {
    let folder = Folder::new();
    let mut reload = folder.watch(patient(), &[]);
    let bytes = adapter("a", "1");
    let (half, rest) = bytes.split_at(bytes.len() / 2);
    folder.write("a.wasm", half);
    let state = reload.until_reason("a.wasm", "truncated").await;
    assert_eq!(state.status, Status::Waiting);
    folder.append("a.wasm", rest);
    reload.until("a.wasm", Status::Serving).await;
    assert!(!reload.saw(Status::Refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_file_is_refused_and_the_last_good_version_serves() {
    let folder = Folder::new();
    let good = adapter("a", "1");
    folder.write("a.wasm", &good);
    let mut reload = folder.watch(quick(), &[]);
    folder.write("a.wasm", &good[..good.len() / 2]);
    let state = reload.until("a.wasm", Status::Refused).await;
    assert!(state.reason.unwrap().contains("truncated"));
    assert_eq!(state.serving.map(|serving| serving.version).as_deref(), Some("1"));
    assert_eq!(reload.version("a").as_deref(), Some("1"));
    folder.write("a.wasm", &adapter("a", "2"));
    reload.until_version("a", "2").await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_followed_also_when_it_points_elsewhere_later() {
    use std::os::unix::fs::symlink;
    let (folder, elsewhere) = (Folder::new(), tempfile::tempdir().unwrap());
    let at = |name: &str| elsewhere.path().join(name);
    fs::write(at("one"), adapter("a", "1")).unwrap();
    fs::write(at("two"), adapter("a", "2")).unwrap();
    symlink(at("one"), folder.path("a.wasm")).unwrap();
    let mut reload = folder.watch(quick(), &[]);
    assert_eq!(reload.version("a").as_deref(), Some("1"));
    symlink(at("two"), folder.path("new")).unwrap();
    fs::rename(folder.path("new"), folder.path("a.wasm")).unwrap();
    reload.until_version("a", "2").await;
    // Nobody tells of a change at the far end: the rescan finds it.
    fs::write(at("two"), adapter("a", "3")).unwrap();
    reload.until_version("a", "3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_adapter_is_unloaded_if_no_provider_needs_it() {
    let folder = Folder::new();
    folder.write("a.wasm", &adapter("a", "1"));
    let mut reload = folder.watch(patient(), &[]);
    fs::remove_file(folder.path("a.wasm")).unwrap();
    reload.until_gone("a").await;
    assert!(reload.adapters.current().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_adapter_stays_while_a_provider_needs_it_and_its_file_may_come_back() {
    let folder = Folder::new();
    folder.write("a.wasm", &adapter("a", "1"));
    let mut reload = folder.watch(patient(), &[need("shop", "a", json!({}))]);
    fs::remove_file(folder.path("a.wasm")).unwrap();
    let state = reload.until("a.wasm", Status::FileMissing).await;
    assert!(state.reason.unwrap().contains("shop"));
    assert_eq!(reload.version("a").as_deref(), Some("1"));
    folder.write("a.wasm", &adapter("a", "1"));
    reload.until("a.wasm", Status::Serving).await;
    assert_eq!(
        reload.changes.load(Ordering::Relaxed),
        0,
        "the same bytes are not loaded again"
    );
    fs::remove_file(folder.path("a.wasm")).unwrap();
    reload.until("a.wasm", Status::FileMissing).await;
    folder.write("a.wasm", &adapter("a", "2"));
    reload.until_version("a", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_file_serves_on_without_being_loaded_again() {
    let folder = Folder::new();
    folder.write("a.wasm", &adapter("a", "1"));
    let mut reload = folder.watch(patient(), &[]);
    fs::rename(folder.path("a.wasm"), folder.path("b.wasm")).unwrap();
    reload.until("b.wasm", Status::Serving).await;
    assert_eq!(reload.version("a").as_deref(), Some("1"));
    assert_eq!(reload.changes.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_files_with_one_id_the_first_serves_and_the_second_takes_over_when_it_is_gone() {
    let folder = Folder::new();
    folder.write("b.wasm", &adapter("same", "1"));
    folder.write("a.wasm", &adapter("same", "2"));
    let mut reload = folder.watch(patient(), &[]);
    assert_eq!(
        reload.version("same").as_deref(),
        Some("2"),
        "at the start the first by name"
    );
    let state = reload.until("b.wasm", Status::Refused).await;
    let reason = state.reason.unwrap();
    assert!(reason.contains("a.wasm") && reason.contains("`same`"), "{reason}");
    // A third that sorts first comes too late.
    folder.write("0.wasm", &adapter("same", "3"));
    reload.until("0.wasm", Status::Refused).await;
    assert_eq!(reload.version("same").as_deref(), Some("2"));
    fs::remove_file(folder.path("a.wasm")).unwrap();
    reload.until("0.wasm", Status::Serving).await;
    assert_eq!(reload.version("same").as_deref(), Some("3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_becomes_another_adapter_leaves_its_old_name_to_others() {
    let folder = Folder::new();
    folder.write("x.wasm", &adapter("old", "1"));
    folder.write("y.wasm", &adapter("old", "2"));
    let mut reload = folder.watch(patient(), &[]);
    folder.write("x.wasm", &adapter("new", "1"));
    reload.until_version("new", "1").await;
    reload.until_version("old", "2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_events_loads_a_file_once() {
    let folder = Folder::new();
    let mut reload = folder.watch(quick(), &[]);
    folder.write("a.wasm", &adapter("a", "1"));
    for n in 0..2000 {
        let noise = folder.path(&format!(".noise{}", n % 10));
        fs::write(&noise, "x").unwrap();
        fs::remove_file(&noise).unwrap();
    }
    reload.until_version("a", "1").await;
    folder.write("b.wasm", &adapter("b", "1"));
    reload.until_version("b", "1").await;
    assert_eq!(reload.changes.load(Ordering::Relaxed), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_vanishes_takes_nothing_with_it_and_is_watched_again_when_it_returns() {
    let folder = Folder::new();
    folder.write("a.wasm", &adapter("a", "1"));
    let mut reload = folder.watch(patient(), &[]);
    fs::rename(folder.dir(), folder.dir().with_extension("away")).unwrap();
    reload.until("a.wasm", Status::FileMissing).await;
    assert_eq!(
        reload.version("a").as_deref(),
        Some("1"),
        "no provider needs it, and it is not what was meant"
    );
    fs::create_dir(folder.dir()).unwrap();
    folder.write("a.wasm", &adapter("a", "2"));
    reload.until_version("a", "2").await;
    folder.write("b.wasm", &adapter("b", "1"));
    reload.until_version("b", "1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_removed_with_all_its_files_leaves_what_a_provider_needs() {
    let folder = Folder::new();
    folder.write("a.wasm", &adapter("a", "1"));
    let mut reload = folder.watch(patient(), &[need("shop", "a", json!({}))]);
    fs::remove_dir_all(folder.dir()).unwrap();
    reload.until("a.wasm", Status::FileMissing).await;
    assert_eq!(reload.version("a").as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_made_later_is_watched() {
    let folder = Folder::new();
    fs::remove_dir(folder.dir()).unwrap();
    let mut reload = folder.watch(patient(), &[]);
    fs::create_dir(folder.dir()).unwrap();
    folder.write("a.wasm", &adapter("a", "1"));
    reload.until_version("a", "1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_fails_its_own_test_is_refused() {
    let folder = Folder::new();
    folder.write("a.wasm", &adapter("a", "1"));
    let mut reload = folder.watch(patient(), &[]);
    let with_test = |version: &str, expected: &str| {
        let mut manifest = manifest("a", version);
        manifest["tests"] = json!([{
            "name": "says hello",
            "operation": "chat.completions",
            "body": { "model": "m", "messages": [{ "role": "user", "content": "Hi" }] },
            "expect": { "answer": { "choices": [{ "message": { "content": expected } }] } },
        }]);
        answering(&manifest, &chat("hello"))
    };
    folder.write("a.wasm", &with_test("2", "good bye"));
    let state = reload.until("a.wasm", Status::Refused).await;
    let reason = state.reason.unwrap();
    assert!(reason.contains("says hello") && reason.contains("good bye"), "{reason}");
    assert_eq!(reload.version("a").as_deref(), Some("1"));
    folder.write("a.wasm", &with_test("3", "hello"));
    reload.until_version("a", "3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn chunks_that_an_adapters_own_test_names_are_compared_as_a_client_gets_them() {
    let folder = Folder::new();
    let mut reload = folder.watch(patient(), &[]);
    let delta = |delta: serde_json::Value, finish: Option<&str>| json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": finish }] });
    let mut manifest = manifest("a", "1");
    manifest["tests"] = json!([{
        "name": "streams",
        "operation": "chat.completions",
        "body": { "model": "m", "stream": true, "messages": [{ "role": "user", "content": "Hi" }] },
        "expect": { "chunks": [delta(json!({ "role": "assistant", "content": "hello" }), None), delta(json!({}), Some("stop"))] },
    }]);
    folder.write("a.wasm", &answering(&manifest, &chat("hello")));
    let state = reload.until_settled("a.wasm").await;
    assert_eq!((state.status, state.reason), (Status::Serving, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_would_break_a_live_provider_is_refused() {
    let folder = Folder::new();
    folder.write("a.wasm", &adapter("a", "1"));
    let mut reload = folder.watch(patient(), &[need("shop", "a", json!({ "region": "north" }))]);
    let wanting = |version: &str, schema: serde_json::Value| {
        let mut manifest = manifest("a", version);
        manifest["config-schema"] = schema;
        answering(&manifest, &chat("x"))
    };
    folder.write(
        "a.wasm",
        &wanting("2", json!({ "properties": { "region": { "enum": ["south"] } } })),
    );
    let state = reload.until("a.wasm", Status::Refused).await;
    let reason = state.reason.unwrap();
    assert!(reason.contains("shop") && reason.contains("region"), "{reason}");
    assert_eq!(reload.version("a").as_deref(), Some("1"));
    folder.write(
        "a.wasm",
        &wanting("3", json!({ "properties": { "region": { "enum": ["north"] } } })),
    );
    reload.until_version("a", "3").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_adapter_is_refused_with_what_it_is_and_the_others_serve() {
    let folder = Folder::new();
    folder.write("elf.wasm", b"\x7fELF\x02\x01\x01");
    folder.write("a.wasm", &adapter("a", "1"));
    let mut reload = folder.watch(quick(), &[]);
    assert_eq!(reload.version("a").as_deref(), Some("1"));
    let state = reload.until("elf.wasm", Status::Refused).await;
    assert!(state.reason.unwrap().contains("ELF"));
    assert_eq!(state.serving, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_version_is_freed_when_its_last_request_lets_go() {
    let folder = Folder::new();
    folder.write("a.wasm", &adapter("a", "1"));
    let mut reload = folder.watch(patient(), &[]);
    let request = reload.adapters.current();
    let old = Arc::downgrade(&request["a"]);
    folder.write("a.wasm", &adapter("a", "2"));
    reload.until_version("a", "2").await;
    assert_eq!(request["a"].manifest.version, "1", "a request keeps what it began with");
    drop(request);
    assert!(old.upgrade().is_none());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_takes_the_code_from_the_cache_and_makes_it_anew_if_somebody_changed_it() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = Folder::new();
    folder.write("a.wasm", &adapter("a", "1"));
    let entry = || {
        let files = fs::read_dir(folder.cache()).unwrap().map(|file| file.unwrap().path());
        let mut code = files.filter(|file| file.extension().is_some_and(|e| e == "code"));
        code.next().unwrap()
    };
    let serves = || folder.open(patient(), &[]).adapters.current().contains_key("a");
    assert!(serves());
    let written = fs::metadata(entry()).unwrap().ino();
    assert!(serves());
    assert_eq!(
        fs::metadata(entry()).unwrap().ino(),
        written,
        "found, not written again"
    );
    let mut code = fs::read(entry()).unwrap();
    let good = code.clone();
    code[1000] ^= 1;
    fs::write(entry(), &code).unwrap();
    assert!(serves());
    assert_ne!(fs::read(entry()).unwrap(), code, "what was tampered with is gone");
    assert_eq!(fs::read(entry()).unwrap().len(), good.len());
}

/// Otherwise whoever can replace an adapter could have the provider's key sent to a host of theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_base_url_that_an_adapter_offered_is_moved_by_no_later_version() {
    let offering = |version: &str, url: &str| {
        let mut manifest = manifest("a", version);
        manifest["base-urls"] = json!({ "a": url });
        answering(&manifest, &chat("x"))
    };
    let folder = Folder::new();
    folder.write("a.wasm", &offering("1", "https://one.example"));
    let mut reload = folder.watch(patient(), &[]);
    let config = Config::parse(
        "[[providers]]\nid = \"p\"\ntype = \"a\"\napi_key = \"k\"",
        Format::Toml,
        "test",
        &|_| None,
    );
    let config = Arc::new(config.expect("the configuration is good"));
    let runtime = Runtime::new(&Limits::default()).expect("the runtime starts");
    let build = |adapters: &_, old: Option<&Gateway>| {
        Gateway::build(
            config.clone(),
            runtime.clone(),
            Arc::new(Telemetry::default()),
            adapters,
            old,
        )
    };
    let first = build(&reload.adapters.current(), None);
    folder.write("a.wasm", &offering("2", "https://two.example"));
    reload.until_version("a", "2").await;
    let second = build(&reload.adapters.current(), Some(&first));
    for (gateway, version) in [(first, "1"), (second, "2")] {
        let Speaks::Adapter(site) = &gateway.providers[0].speaks else {
            panic!("the adapter serves");
        };
        assert_eq!(
            (site.adapter.manifest.version.as_str(), site.upstream.base.as_str()),
            (version, "https://one.example/")
        );
    }
}
