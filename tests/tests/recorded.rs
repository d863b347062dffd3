//! Every recording in `tests/fixtures` of a provider the gateway speaks to, replayed behind the real program with the real adapters:
//! what its client hears must be what the recording means. The meanings were written down by a reader of the wire formats'
//! documentation that knows nothing of this program.

#[path = "recorded/case.rs"]
mod case;
#[path = "../../host/src/passthrough/tests/meaning.rs"]
mod meaning;
#[path = "recorded/play.rs"]
mod play;

use std::{collections::BTreeMap, fmt::Write as _, io::Write as _, sync::Arc};

use case::{Case, LeftOut, Wire};
use futures_util::{StreamExt, stream};
use meaning::Heard;
use play::Replay;
use serde_json::{Value, json};
use witgate_tests::{Provider, Witgate, program::Answer};

/// Each case is played whole, and cut in three ways.
const SEEDS: [u64; 4] = [0, 1, 2, 3];
/// The adapters whose recordings have their meanings beside them, the type of their providers, and the path of their base URLs: one by
/// which requests name a model.
const ADAPTERS: [(&str, &str, &str); 9] = [
    ("anthropic", "anthropic", ""),
    ("azure-openai", "azure-openai", ""),
    ("bedrock", "aws-bedrock", ""),
    ("cohere", "cohere", ""),
    ("gemini", "gemini", ""),
    ("huggingface", "huggingface-inference", "/models"),
    ("mistral", "mistral", ""),
    ("ollama", "ollama", ""),
    ("openai-responses", "openai-responses", ""),
];
/// Other hosts of Claude's, and of models that Bedrock invokes: their names here, and what their entries say.
const HOSTS: [(&str, &str, &str, &str); 3] = [
    ("azure", "azure-openai", "/anthropic", ""),
    (
        "bedrock-invoke",
        "aws-bedrock",
        "",
        "adapter_config = { invoke = true }\n",
    ),
    ("vertex", "vertex-ai", "", "project_id = \"p\"\n"),
];
/// Requests at the same time.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recording_means_to_a_client_what_it_means_whole_or_cut() {
    let (cases, left_out) = case::all();
    assert!(cases.len() > 600, "the recordings are here");
    let cases = Arc::new(cases);
    let played = cases.clone();
    let provider = Provider::start(move |asked| play::answer(&played, asked)).await;
    let gateway = gateway(&provider).await;
    let replays = (0..cases.len()).flat_map(|case| SEEDS.map(|seed| Replay { case, seed }));
    let judged = replays.map(|replay| judge(&gateway, &cases[replay.case], replay));
    let verdicts: Vec<(Replay, Vec<String>)> = stream::iter(judged).buffer_unordered(AT_ONCE).collect().await;

    // Not by a macro: the table is to be seen also where the output of tests that pass is not.
    let table = table(&cases, &verdicts, &left_out);
    std::io::stderr()
        .write_all(table.as_bytes())
        .expect("the table can be written");
    let wrong: Vec<String> = verdicts
        .iter()
        .filter(|(_, differences)| !differences.is_empty())
        .map(|(replay, differences)| {
            format!(
                "{} ({}): {}",
                cases[replay.case].file,
                replay.name(),
                differences.join("; ")
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn gateway(provider: &Provider) -> Witgate {
    let url = &provider.url;
    let entry = |id: &str, kind: &str, base: String| {
        format!(
            "[[providers]]\nid = \"{id}\"\ntype = \"{kind}\"\nbase_url = \"{base}\"\napi_key = \"k\"\nmax_retries = 0\n"
        )
    };
    let config = entry("shaped", "openai-compatible", format!("{url}/v1"))
        + &ADAPTERS
            .map(|(adapter, kind, path)| entry(adapter, kind, format!("{url}{path}")))
            .concat()
        + &HOSTS
            .map(|(host, kind, path, more)| entry(host, kind, format!("{url}{path}")) + more)
            .concat()
        + &entry("replicate", "replicate", format!("{url}/v1"))
        + "adapter_config = { poll_ms = 1 }\n";
    Witgate::start(
        &config,
        &[ADAPTERS.map(|(adapter, ..)| adapter).as_slice(), &["replicate"]].concat(),
    )
    .await
}

/// Asks for the case as a client would, and says what is wrong with the answer.
async fn judge(gateway: &Witgate, case: &Case, replay: Replay) -> (Replay, Vec<String>) {
    let name = replay.name();
    let model = match case.wire {
        Wire::Shaped => format!("shaped/{name}"),
        Wire::Adapted(adapter) => match &case.model {
            Some(model) => format!("{adapter}/{model}.{name}"),
            None => format!("{adapter}/{name}"),
        },
        Wire::Claude(host) => format!("{host}/anthropic/{name}"),
        Wire::Replicate => format!("replicate/recorded/{name}"),
    };
    if case.operation == "embeddings" {
        let body = json!({ "model": model, "input": "Hello." });
        let answer = gateway.post("/v1/embeddings", &body).await;
        return (replay, embeddings(&answer));
    }
    let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": "Say hello." }] });
    if case.stream {
        body["stream"] = json!(true);
        body["stream_options"] = json!({ "include_usage": true });
    }
    let answer = gateway.post("/v1/chat/completions", &body).await;
    (replay, differences(case, &answer))
}

/// Recordings of embeddings say only that there are some.
fn embeddings(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let vectors = body["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    // Numbers, or base64 where the client of the recording asked for that.
    let are_vectors = vectors.iter().all(|entry| match &entry["embedding"] {
        Value::Array(numbers) => !numbers.is_empty(),
        Value::String(base64) => !base64.is_empty(),
        _ => false,
    });
    if answer.status == 200 && body["object"] == "list" && !vectors.is_empty() && are_vectors {
        return Vec::new();
    }
    vec![format!("no embeddings: {} {}", answer.status, answer.text)]
}

fn differences(case: &Case, answer: &Answer) -> Vec<String> {
    let streamed = answer
        .headers
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    let mut heard = if streamed {
        Heard::stream(answer.text.as_bytes())
    } else {
        Heard::whole(answer.text.as_bytes())
    };
    if case.kind == "error" {
        return wrong_error(case, answer, &heard);
    }
    // A recording that stops in the middle is an error to the client, and only that.
    let cut_short = case.stream && heard.error.is_some() && answer.text.contains("\"provider_truncated\"");
    if cut_short {
        heard.error = None;
    } else if answer.status != 200 || streamed != case.stream || !heard.done {
        let end = heard.done;
        heard.odd.push(format!(
            "status {}, streamed: {streamed}, end mark: {end}",
            answer.status
        ));
    }
    heard.differences(&case.means)
}

fn wrong_error(case: &Case, answer: &Answer, heard: &Heard) -> Vec<String> {
    let Some(message) = &heard.error else {
        return vec![format!("the error is hidden: {}", answer.text)];
    };
    let mut wrong = heard.odd.clone();
    let right = |field: &str| case.means.get(field).and_then(Value::as_array);
    if let Some(statuses) = right("error_status_exact").filter(|right| !right.contains(&json!(answer.status))) {
        wrong.push(format!("status {} and not {statuses:?}", answer.status));
    }
    let kept = |text: &Value| text.as_str().is_some_and(|text| message.contains(text));
    if let Some(texts) = right("error_message").filter(|texts| !texts.iter().any(kept)) {
        wrong.push(format!("{message:?} and not {texts:?}"));
    }
    wrong
}

/// How many recordings of each host mean the same, whole and cut.
fn table(cases: &[Case], verdicts: &[(Replay, Vec<String>)], left_out: &[LeftOut]) -> String {
    let mut hosts: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for (replay, differences) in verdicts {
        let row = hosts.entry(&cases[replay.case].host).or_default();
        let at = if replay.seed == 0 { 0 } else { 2 };
        row[at] += usize::from(differences.is_empty());
        row[at + 1] += 1;
    }
    let mut text = format!("\n{:18}{:>12}{:>12}\n", "recordings of", "whole", "cut");
    let mut all = [0; 4];
    let mut line = |name: &str, row: &[usize; 4]| {
        let [whole, of_whole, cut, of_cut] = row;
        let (whole, cut) = (format!("{whole}/{of_whole}"), format!("{cut}/{of_cut}"));
        writeln!(text, "{name:18}{whole:>12}{cut:>12}").expect("a string takes what is written");
    };
    for (host, row) in &hosts {
        line(host, row);
        all.iter_mut().zip(row).for_each(|(sum, more)| *sum += more);
    }
    line("all", &all);
    for LeftOut { file, why } in left_out {
        writeln!(text, "left out: {file}: {why}").expect("a string takes what is written");
    }
    text
}
