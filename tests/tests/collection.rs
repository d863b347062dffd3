//! Every recording of the collection that the project's truth is judged by, and which test plays it: `tests/fixtures/CASES.tsv` holds a
//! line for each, `tests/RECORDINGS.md` is the table for people. Neither may say more than is so.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use serde_json::Value;
use witgate_tests::{fixture, root};

/// A recording.
struct Row {
    provider: String,
    case: String,
    /// The test, or "" if it is left out.
    played_by: String,
    /// Why, or "" if it is played.
    left_out: String,
}

/// Folders whose lists `recorded.rs` plays.
const MEANINGS: &[&str] = &[
    "anthropic",
    "azure",
    "bedrock",
    "bedrock-invoke",
    "cohere",
    "gemini",
    "huggingface",
    "ollama",
    "replicate",
    "tgi",
    "vertex",
];

fn rows() -> Vec<Row> {
    let table = fs::read_to_string(fixture("CASES.tsv")).expect("the table is in the repository");
    let read = |line: &str| {
        let mut cells = line.split('\t').map(str::to_owned);
        let mut cell = || cells.next().unwrap_or_default();
        Row {
            provider: cell(),
            case: cell(),
            played_by: cell(),
            left_out: cell(),
        }
    };
    table.lines().skip(1).map(read).collect()
}

/// The recordings that a list names, as `provider/case`.
fn listed(list: &str, folder: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(fixture(list)).unwrap_or_default();
    let read = |line: &str| {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let file = line["file"].as_str().unwrap_or_default().to_owned();
        assert!(fixture(folder).join(&file).exists(), "{list}: {file} is not here");
        case(&format!("{folder}/{file}"))
    };
    text.lines().map(read).collect()
}

/// The folders where a provider's recordings may lie: Claude's answers at other hosts lie with Claude's, what Bedrock invokes by itself.
fn folders(provider: &str) -> Vec<&str> {
    match provider {
        "azure" | "vertex" => vec![provider, "anthropic"],
        "bedrock" => vec![provider, "bedrock-invoke"],
        _ => vec![provider],
    }
}

/// A file's path without what follows the first dot of its name.
fn case(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    format!("{folder}/{stem}").trim_start_matches('/').to_owned()
}

#[test]
fn what_is_said_to_be_played_is_in_the_list_of_the_test_that_plays_it() {
    let mut recorded = listed("openai-shaped.jsonl", "");
    for folder in MEANINGS {
        recorded.extend(listed(&format!("{folder}/meanings.jsonl"), folder));
    }
    let relayed = listed("relayed/cases.jsonl", "relayed");
    let files = fs::read_dir(fixture("responses")).expect("the folder is in the repository");
    let responses: BTreeSet<String> = files
        .map(|file| {
            case(&format!(
                "responses/{}",
                file.expect("a folder can be read").file_name().to_string_lossy()
            ))
        })
        .collect();
    let mut wrong = Vec::new();
    for Row {
        provider,
        case,
        played_by,
        left_out,
    } in rows()
    {
        let stem = case.split('.').next().unwrap_or_default();
        let is_so = match played_by.as_str() {
            "" => !left_out.is_empty(),
            "tests/tests/recorded.rs" => folders(&provider)
                .iter()
                .any(|folder| recorded.contains(&format!("{folder}/{stem}"))),
            "tests/tests/relayed.rs" => relayed.contains(&format!("relayed/{provider}-{stem}")),
            "tests/tests/responses.rs" => responses.contains(&format!("responses/{provider}-{stem}")),
            _ => fixture(&provider).is_dir() && left_out.is_empty(),
        };
        if !is_so {
            wrong.push(format!("{provider}/{case}: {played_by:?} {left_out:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_says_of_each_provider_how_many_are_played_and_why_others_are_not() {
    let file = root().join("tests/RECORDINGS.md");
    let page = page(&rows());
    if std::env::var("WITGATE_GOLDEN").is_ok_and(|how| how == "write") {
        fs::write(&file, &page).expect("a file can be written");
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        there == page,
        "tests/RECORDINGS.md is not what tests/fixtures/CASES.tsv says; WITGATE_GOLDEN=write makes it anew"
    );
}

/// The page for people.
fn page(rows: &[Row]) -> String {
    let mut providers: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut reasons: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for row in rows {
        let counts = providers.entry(&row.provider).or_default();
        counts.0 += 1;
        counts.1 += usize::from(row.left_out.is_empty());
        if !row.left_out.is_empty() {
            reasons
                .entry((&row.provider, &row.left_out))
                .or_default()
                .push(&row.case);
        }
    }
    let played = rows.iter().filter(|row| row.left_out.is_empty()).count();
    let mut text = format!(
        "# Recordings\nThe truth of the gateway is judged by a collection of {} recordings of real providers and published vectors. {played} \
         are in `tests/fixtures` and played; each that is not is listed with its reason. `tests/fixtures/CASES.tsv` names the test for each. \
         Two were answered without a body, and only their requests were kept: an error of OpenAI's, which is played, and the reply to what \
         an agent reports. Made by `tests/tests/collection.rs` (`WITGATE_GOLDEN=write`).\n\n| provider | recordings | played |\n|---|--:|--:|\n",
        rows.len()
    );
    for (provider, (all, played)) in providers {
        writeln!(text, "| {provider} | {all} | {played} |").expect("a string takes what is written");
    }
    text.push_str("\n## Left out\n| provider | recordings | reason |\n|---|---|---|\n");
    for ((provider, reason), cases) in reasons {
        let names: Vec<String> = cases.iter().map(|case| format!("`{case}`")).collect();
        writeln!(text, "| {provider} | {} | {reason} |", names.join(", ")).expect("a string takes what is written");
    }
    text
}
