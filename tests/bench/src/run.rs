//! A run: every contender started in turn, measured in every scenario, stopped; in several rounds, so that what else the machine
//! does meanwhile falls on all of them.

mod contender;
mod machine;
mod options;
mod report;
mod scenario;
pub(crate) mod train;

use crate::load::{Plan, Summary};
use crate::{control, mock, request};
use bytes::Bytes;
use contender::{Contender, Places, Route};
use http_body_util::Full;
use hyper::{Request, StatusCode};
use machine::Processors;
use options::Options;
use scenario::{Kind, Scenario};
use serde::Serialize;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

/// With nothing compiled yet, and a program that counts what it does.
const LONGEST_START: Duration = Duration::from_mins(5);
const BETWEEN_TRIES: Duration = Duration::from_millis(1);
/// Long enough for what a program still does after it is ready.
const UNTIL_IDLE: Duration = Duration::from_secs(2);

/// One contender in one round.
#[derive(Serialize)]
struct Visit {
    contender: String,
    /// from its start to the first right answer
    ready_ms: Option<f64>,
    /// PSS after the start, before any load
    idle_mb: Option<f64>,
    measurements: Vec<Measurement>,
    failure: Option<String>,
}

impl Visit {
    fn take(&mut self, adapter: Option<&str>, measured: Result<Measurement, String>) {
        match measured {
            Ok(measurement) => self.measurements.push(Measurement {
                adapter: adapter.map(str::to_owned),
                ..measurement
            }),
            Err(reason) => self.failure = Some(reason),
        }
    }
}

/// One scenario of a visit.
#[derive(Serialize)]
struct Measurement {
    /// the adapter, where adapters are compared
    adapter: Option<String>,
    #[serde(serialize_with = "as_text")]
    scenario: Scenario,
    load: Summary,
    /// the contender's processor time for one request, in microseconds
    processor_us: Option<f64>,
}

fn as_text<S: serde::Serializer>(scenario: &Scenario, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(scenario)
}

/// Makes the kernel end us when our parent ends: no server or load outlives the run, however that ends.
pub(crate) fn end_with_parent() {
    // Where it is refused we are ended by the runner, unless that is killed.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
}

/// Measures what the options ask for and reports it. Ctrl-C stops everything.
pub(crate) async fn measure(arguments: &[String]) -> Result<(), String> {
    let options = Options::parse(arguments)?;
    let places = Places::new(&options.nginx)?;
    let contenders = Contender::list(&places, &options.only)?;
    let processors = Processors::choose()?;
    processors.take_the_rest()?;
    let mut provider = start_ourselves("mock")
        .spawn()
        .map_err(|error| format!("the mock did not start: {error}"))?;
    let visits = tokio::select! {
        visits = all_rounds(&options, &places, &contenders, &processors) => visits,
        _ = tokio::signal::ctrl_c() => Err("interrupted".to_owned()),
        ended = provider.wait() => Err(format!("the mock ended: {ended:?}; is {} in use?", mock::LISTEN)),
    };
    machine::end(provider).await;
    report::tell(&options, &places, &contenders, &visits?)
}

/// This very program in another role.
fn start_ourselves(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_else(|_| "bench".into()));
    command.arg(role).process_group(0).kill_on_drop(true);
    command
}

async fn all_rounds(
    options: &Options,
    places: &Places,
    contenders: &[Contender],
    processors: &Processors,
) -> Result<Vec<Visit>, String> {
    let mut visits = Vec::new();
    for contender in contenders {
        // Once unmeasured: compile caches and the page cache are then warm for everybody.
        if let Ok((Some(process), _)) = start(contender, places, processors).await {
            machine::end(process).await;
        }
    }
    for round in 1..=options.rounds {
        for contender in contenders {
            println!("round {round}: {}", contender.name);
            visits.push(visit(contender, options, places, processors).await);
        }
    }
    Ok(visits)
}

async fn visit(contender: &Contender, options: &Options, places: &Places, processors: &Processors) -> Visit {
    let name = contender.name.clone();
    let mut visit = Visit {
        contender: name,
        ready_ms: None,
        idle_mb: None,
        measurements: Vec::new(),
        failure: None,
    };
    let process = match start(contender, places, processors).await {
        Ok((process, ready)) => {
            visit.ready_ms = process.is_some().then_some(ready.as_secs_f64() * 1e3);
            process
        }
        Err(reason) => {
            println!("  failed: {reason}");
            visit.failure = Some(reason);
            return visit;
        }
    };
    let id = process.as_ref().and_then(Child::id);
    if let Some(id) = id {
        tokio::time::sleep(UNTIL_IDLE).await;
        visit.idle_mb = Some(machine::memory_mb(id));
    }
    for scenario in &options.scenarios {
        let Some(route) = contender.route(scenario.translated) else {
            continue;
        };
        let measured = load(contender, route, *scenario, options.seconds, id).await;
        visit.take(None, measured);
    }
    for (adapter, route) in contender.adapters().filter(|_| options.adapters) {
        println!("  {adapter}");
        for scenario in options.of_adapters() {
            let measured = load(contender, &route, scenario, options.seconds, id).await;
            visit.take(Some(adapter), measured);
        }
    }
    if let Some(process) = process {
        machine::end(process).await;
    }
    visit
}

/// Starts a contender and waits for its first right answer.
async fn start(
    contender: &Contender,
    places: &Places,
    processors: &Processors,
) -> Result<(Option<Child>, Duration), String> {
    let begin = Instant::now();
    let mut process = spawn(contender, places, processors)?;
    match first_answer(contender, process.as_mut(), begin + LONGEST_START).await {
        Ok(()) => Ok((process, begin.elapsed())),
        Err(reason) => {
            if let Some(process) = process {
                machine::end(process).await;
            }
            Err(format!(
                "no right answer: {reason}; see {}/{}.log",
                places.work.display(),
                contender.name
            ))
        }
    }
}

/// Starts a contender, if it is one that is started.
fn spawn(contender: &Contender, places: &Places, processors: &Processors) -> Result<Option<Child>, String> {
    let Some((program, arguments)) = contender.command.split_first() else {
        return Ok(None);
    };
    let log = places.work.join(format!("{}.log", contender.name));
    let log = std::fs::File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let errors = log.try_clone().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .envs(&contender.environment)
        .current_dir(&places.work);
    command.stdin(Stdio::null()).stdout(log).stderr(errors);
    processors.start_contender(&mut command).map(Some)
}

async fn first_answer(contender: &Contender, mut process: Option<&mut Child>, until: Instant) -> Result<(), String> {
    loop {
        let reason = match ask_once(contender).await {
            Ok((StatusCode::OK, body)) if body.contains(request::MARK) => return Ok(()),
            Ok((status, body)) => format!("{status} {}", body.chars().take(300).collect::<String>()),
            Err(reason) => reason,
        };
        if let Some(process) = &mut process
            && let Ok(Some(status)) = process.try_wait()
        {
            return Err(format!("it ended ({status})"));
        }
        if Instant::now() > until {
            return Err(reason);
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
}

async fn ask_once(contender: &Contender) -> Result<(StatusCode, String), String> {
    let route = &contender.chat;
    let mut asked = Request::post(&route.path)
        .header("host", &contender.address)
        .header("content-type", "application/json");
    for (name, value) in contender.headers() {
        asked = asked.header(name, value);
    }
    let body = Bytes::from(request::body(&route.model, false, request::Size::Small));
    control::send(
        &contender.address,
        asked.body(Full::new(body)).map_err(|error| error.to_string())?,
    )
    .await
}

async fn load(
    contender: &Contender,
    route: &Route,
    scenario: Scenario,
    seconds: f64,
    id: Option<u32>,
) -> Result<Measurement, String> {
    let made_of = if scenario.kind == Kind::Tools { "calls" } else { "text" };
    let streams = format!("/bench/streams/{made_of}/{}", scenario.kind.pace_us());
    control::get(mock::LISTEN, &streams).await?;
    let streams = scenario.kind.streams();
    let plan = Plan {
        address: contender.address.clone(),
        path: route.path.clone(),
        headers: contender.headers(),
        body: String::from_utf8_lossy(&request::body(&route.model, streams, scenario.kind.size())).into_owned(),
        connections: scenario.connections,
        warm_up_s: seconds / 4.0,
        measure_s: seconds,
        end_of_stream: streams.then(|| route.end.clone()),
    };
    let (used, answered) = (id.map(machine::processor_s), answered().await?);
    let load = send(&plan).await?;
    let requests = (self::answered().await? - answered).max(1.0);
    let processor_us = id
        .zip(used)
        .map(|(id, used)| (machine::processor_s(id) - used) * 1e6 / requests);
    let measurement = Measurement {
        adapter: None,
        scenario,
        load,
        processor_us,
    };
    println!("  {}", report::line(&measurement));
    Ok(measurement)
}

/// Requests that reached the mock: the denominator, so that nothing answered from elsewhere makes a contender look cheap.
async fn answered() -> Result<f64, String> {
    let text = control::get(mock::LISTEN, "/bench/requests").await?;
    text.parse().map_err(|_| format!("the mock counts `{text}`"))
}

async fn send(plan: &Plan) -> Result<Summary, String> {
    let mut command = start_ourselves("load");
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut input = process.stdin.take().ok_or("the load has no input")?;
    let plan = serde_json::to_vec(plan).map_err(|error| error.to_string())?;
    input.write_all(&plan).await.map_err(|error| error.to_string())?;
    drop(input);
    let output = process.wait_with_output().await.map_err(|error| error.to_string())?;
    serde_json::from_slice(&output.stdout).map_err(|error| format!("the load gave no summary: {error}"))
}
