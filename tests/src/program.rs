//! The real binary, started for one test and ended with it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::mpsc,
};

use crate::{Asked, Played, Provider};

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whoever runs the tests may sit behind a proxy; loopback does not.
const NO_PROXIES: [(&str, &str); 4] = [
    ("HTTP_PROXY", ""),
    ("HTTPS_PROXY", ""),
    ("ALL_PROXY", ""),
    ("NO_PROXY", ""),
];

/// A running gateway, with a folder of its own for adapters and data.
pub struct Witgate {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// The process.
    pub child: Child,
    /// For requests to it.
    pub client: reqwest::Client,
    lines: mpsc::UnboundedReceiver<String>,
    seen: Vec<String>,
    folder: TempDir,
}

impl Witgate {
    /// Starts the gateway with `config` (TOML) and the named first-party adapters, and waits until it serves.
    pub async fn start(config: &str, adapters: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder can be made");
        std::fs::create_dir_all(folder.path().join("adapters")).expect("a folder can be made");
        for name in adapters {
            let file = format!("{name}.wasm");
            let built = crate::root().join("adapters").join(&file);
            std::fs::copy(&built, folder.path().join("adapters").join(&file))
                .unwrap_or_else(|error| panic!("{}: {error}; run `cargo xtask build` first", built.display()));
        }
        Self::start_in(folder, config, &[]).await
    }

    /// A server that answers with `play`, and the gateway before it: `mock`, of OpenAI's API, asked once.
    pub async fn before(play: impl Fn(&Asked) -> Played + Send + Sync + 'static) -> (Provider, Self) {
        let provider = Provider::start(play).await;
        let config = format!(
            "[[providers]]\nid = \"mock\"\nbase_url = \"{}/v1\"\nmax_retries = 0",
            provider.url
        );
        let gateway = Self::start(&config, &[]).await;
        (provider, gateway)
    }

    /// Starts the gateway in `folder`, which holds `adapters/` already, with more environment variables.
    pub async fn start_in(folder: TempDir, config: &str, environment: &[(&str, &str)]) -> Self {
        let mut program = Command::new(binary());
        program.envs(NO_PROXIES).envs(environment.iter().copied());
        Self::start_as(program, folder, config).await
    }

    /// Starts the gateway with no more than `descriptors` files and connections open at a time.
    #[cfg(unix)]
    pub async fn start_short_of_files(config: &str, descriptors: u32) -> Self {
        let mut shell = Command::new("sh");
        let limit = format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"");
        shell.arg("-c").arg(limit).arg(binary());
        Self::start_as(shell, TempDir::new().expect("a temporary folder can be made"), config).await
    }

    async fn start_as(mut program: Command, folder: TempDir, config: &str) -> Self {
        let file = folder.path().join("witgate.toml");
        std::fs::write(&file, config).expect("a file can be written");
        let mut child = program
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(&file)
            .arg("--adapters")
            .arg(folder.path().join("adapters"))
            .arg("--data")
            .arg(folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("target/release/witgate is built: `cargo xtask build`");
        let (sender, lines) = mpsc::unbounded_channel();
        forward(child.stdout.take().expect("stdout is piped"), sender.clone());
        forward(child.stderr.take().expect("stderr is piped"), sender);
        let client = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client can be made");
        let mut gateway = Self {
            url: String::new(),
            child,
            client,
            lines,
            seen: Vec::new(),
            folder,
        };
        let line = gateway.line_with("listening on ").await;
        let address = line.split("listening on ").nth(1).unwrap_or_default();
        gateway.url = address.split_whitespace().next().unwrap_or_default().to_owned();
        gateway
    }

    /// The adapters folder.
    pub fn adapters(&self) -> PathBuf {
        self.folder.path().join("adapters")
    }

    /// The folder of this gateway.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Waits for a line of output that contains `text`; earlier lines count.
    pub async fn line_with(&mut self, text: &str) -> String {
        if let Some(line) = self.seen.iter().find(|line| line.contains(text)) {
            return line.clone();
        }
        let waiting = async {
            while let Some(line) = self.lines.recv().await {
                self.seen.push(line.clone());
                if line.contains(text) {
                    return Some(line);
                }
            }
            None
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(Some(line)) => line,
            _ => panic!(
                "no line with `{text}` in the gateway's output:\n{}",
                self.seen.join("\n")
            ),
        }
    }

    /// All output so far.
    pub fn output(&mut self) -> String {
        while let Ok(line) = self.lines.try_recv() {
            self.seen.push(line);
        }
        self.seen.join("\n")
    }

    /// POSTs JSON; gives status, headers and the body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_text(path, body.to_string(), &[]).await
    }

    /// POSTs a body as it is, with more headers.
    pub async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>, headers: &[(&str, &str)]) -> Answer {
        let mut request = self
            .client
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.body(body)).await
    }

    /// GETs.
    pub async fn get(&self, path: &str) -> Answer {
        answer(self.client.get(format!("{}{path}", self.url))).await
    }

    /// A chat request with one user message.
    pub async fn chat(&self, model: &str, streaming: bool) -> Answer {
        let body = serde_json::json!({
            "model": model, "stream": streaming, "messages": [{ "role": "user", "content": "Say hello." }]
        });
        self.post("/v1/chat/completions", &body).await
    }

    /// Resident memory, in bytes.
    pub fn resident(&self) -> u64 {
        let pid = self.child.id().expect("the process runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() * 1024
    }
}

/// An answer of the gateway, read whole.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body.
    pub text: String,
}

impl Answer {
    /// The body as JSON; panics with the body if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text))
    }

    /// The data objects of a stream, the end mark left out.
    pub fn events(&self) -> Vec<Value> {
        let data = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .filter(|data| *data != "[DONE]");
        data.map(|data| serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}")))
            .collect()
    }

    /// The text a stream's content deltas add up to.
    pub fn streamed_text(&self) -> String {
        let events = self.events();
        events
            .iter()
            .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
            .collect()
    }

    /// `error.code`, or "".
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let reply = tokio::time::timeout(PATIENCE, request.send())
        .await
        .expect("an answer in time")
        .expect("an answer");
    let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
    let text = tokio::time::timeout(PATIENCE, reply.text())
        .await
        .expect("a body in time")
        .expect("a whole body");
    Answer { status, headers, text }
}

fn forward(output: impl tokio::io::AsyncRead + Unpin + Send + 'static, sender: mpsc::UnboundedSender<String>) {
    let mut lines = BufReader::new(output).lines();
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
}

/// The binary of the profile the tests were built with.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test.ancestors().nth(2).expect("tests are in target/PROFILE/deps");
    profile.join("witgate")
}
