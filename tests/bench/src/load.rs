//! The client in front of every contender: a number of connections, each asking again as soon as it is answered. One thread.
//!
//! `bench load` reads a [`Plan`] as JSON from its input and prints a [`Summary`] as JSON. Every answer is read whole and checked.

mod tally;

use tally::Tally;
pub(crate) use tally::{Summary, quantile};

use crate::request::MARK;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use memchr::memmem::{Finder, find};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// An answer that takes longer has hung.
const PATIENCE: Duration = Duration::from_secs(15);
const AFTER_AN_ERROR: Duration = Duration::from_millis(10);
const LARGEST_ANSWER: usize = 1 << 20;

/// What to send, where to, how long.
#[derive(Serialize, Deserialize)]
pub(crate) struct Plan {
    /// host and port
    pub(crate) address: String,
    /// the request's target
    pub(crate) path: String,
    /// beside host and content-type
    pub(crate) headers: Vec<(String, String)>,
    /// the request's body
    pub(crate) body: String,
    /// how many connections ask at a time
    pub(crate) connections: usize,
    /// not counted, in seconds
    pub(crate) warm_up_s: f64,
    /// counted, in seconds
    pub(crate) measure_s: f64,
    /// what the end of a whole stream looks like; `None`: the answer is no stream
    pub(crate) end_of_stream: Option<String>,
}

/// Reads a plan, carries it out, prints the summary.
pub(crate) async fn answer_one_plan() -> Result<(), String> {
    crate::run::end_with_parent();
    let plan: Plan = serde_json::from_reader(std::io::stdin()).map_err(|error| format!("no plan: {error}"))?;
    let summary = carry_out(plan).await;
    println!(
        "{}",
        serde_json::to_string(&summary).map_err(|error| error.to_string())?
    );
    Ok(())
}

async fn carry_out(plan: Plan) -> Summary {
    let measured = Duration::from_secs_f64(plan.measure_s);
    let begin = Instant::now() + Duration::from_secs_f64(plan.warm_up_s);
    let run = Rc::new(Run {
        begin,
        end: begin + measured,
        tally: RefCell::default(),
        plan,
    });
    let connections: Vec<_> = (0..run.plan.connections)
        .map(|_| tokio::task::spawn_local(Rc::clone(&run).ask_until_the_end()))
        .collect();
    for connection in connections {
        // A panic in one connection shows as missing answers and on the standard error.
        let _ = connection.await;
    }
    run.tally.take().sum_up(measured)
}

struct Run {
    begin: Instant,
    end: Instant,
    tally: RefCell<Tally>,
    plan: Plan,
}

type Link = SendRequest<Full<Bytes>>;

/// One right answer.
struct Answered {
    sent: Instant,
    first_byte: Instant,
    whole: Instant,
    events: u64,
}

impl Run {
    async fn ask_until_the_end(self: Rc<Self>) {
        let body = Bytes::from(self.plan.body.clone());
        let (mut link, mut received) = (None, Vec::with_capacity(64 << 10));
        while Instant::now() < self.end {
            let patience = Instant::now() + PATIENCE;
            let answered = timeout_at(patience, self.ask(&mut link, body.clone(), &mut received)).await;
            match answered.unwrap_or_else(|_| Err("no answer in time".to_owned())) {
                Ok(answered) => self.count(&answered),
                Err(reason) => {
                    self.tally.borrow_mut().fail(reason);
                    link = None;
                    tokio::time::sleep(AFTER_AN_ERROR).await;
                }
            }
        }
    }

    fn count(&self, answered: &Answered) {
        if (self.begin..=self.end).contains(&answered.whole) {
            let (first_byte, whole) = (answered.first_byte - answered.sent, answered.whole - answered.sent);
            self.tally.borrow_mut().count(first_byte, whole, answered.events);
        }
    }

    async fn ask(&self, link: &mut Option<Link>, body: Bytes, received: &mut Vec<u8>) -> Result<Answered, String> {
        let mut open = match link.take().filter(|link| !link.is_closed()) {
            Some(open) => open,
            None => connect(&self.plan.address).await?,
        };
        open.ready().await.map_err(|error| format!("connection: {error}"))?;
        let mut request = Request::post(&self.plan.path)
            .header(HOST, &self.plan.address)
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in &self.plan.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let sent = Instant::now();
        let reply = open
            .send_request(request)
            .await
            .map_err(|error| format!("send: {error}"))?;
        let status = reply.status();
        let first_byte = read(reply.into_body(), received).await?;
        let whole = Instant::now();
        let events = self.check(status, received)?;
        *link = Some(open);
        Ok(Answered {
            sent,
            first_byte: first_byte.unwrap_or(whole),
            whole,
            events,
        })
    }

    /// The number of events, if the answer is right and whole.
    fn check(&self, status: StatusCode, received: &[u8]) -> Result<u64, String> {
        let end = self.plan.end_of_stream.as_deref();
        let is_whole = end.is_none_or(|end| find(received, end.as_bytes()).is_some());
        if status != StatusCode::OK || find(received, MARK.as_bytes()).is_none() || !is_whole {
            let shown = String::from_utf8_lossy(received.get(..300).unwrap_or(received)).into_owned();
            return Err(format!("{status}, {} bytes: {shown}", received.len()));
        }
        Ok(end.map_or(0, |_| Finder::new("data:").find_iter(received).count() as u64))
    }
}

async fn connect(address: &str) -> Result<Link, String> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| format!("connect: {error}"))?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let (link, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("handshake: {error}"))?;
    tokio::task::spawn_local(connection);
    Ok(link)
}

/// Fills `received`; the moment its first byte came.
async fn read(mut body: hyper::body::Incoming, received: &mut Vec<u8>) -> Result<Option<Instant>, String> {
    received.clear();
    let mut first_byte = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| format!("body: {error}"))?.into_data() else {
            continue;
        };
        first_byte.get_or_insert_with(Instant::now);
        received.extend_from_slice(&data);
        if received.len() > LARGEST_ANSWER {
            return Err("an answer without end".to_owned());
        }
    }
    Ok(first_byte)
}
