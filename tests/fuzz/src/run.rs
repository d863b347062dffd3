//! One target: what once broke it, its corpus, then changed inputs until its time is over. The first input that breaks it ends it.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process,
    sync::{
        Arc, Mutex, MutexGuard,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use crate::options::Options;
use witgate_fuzz::{corpus, mutate::Mutator, targets::Target};

/// No input may take longer, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `target`; false if an input broke it.
pub(crate) fn target(target: &'static Target, options: &Options) -> bool {
    let watch = Watch::new(target);
    let start = Instant::now();
    let mut count = 0_u64;
    let mut broken = None;
    for input in inputs(target, options) {
        if let Some(name) = &input.name
            && !options.files.is_empty()
        {
            println!("{}: {}", target.name, name.display());
        }
        count += 1;
        if !watch.holds(&input.data, options.careful) {
            broken = Some(input);
            break;
        }
    }
    watch.rest();
    let took = start.elapsed().as_secs_f64();
    println!("{:<12}{count} inputs in {took:.1} s", target.name);
    let Some(input) = broken else { return true };
    let kept = match input.name {
        Some(path) => path.display().to_string(),
        None => kept(target, &input.data),
    };
    println!("{:<12}FAILED by {kept}", target.name);
    false
}

/// An input, and the file it is from.
struct Input {
    data: Vec<u8>,
    name: Option<PathBuf>,
}

fn inputs(target: &'static Target, options: &Options) -> Box<dyn Iterator<Item = Input>> {
    let named = |(name, data)| Input { data, name: Some(name) };
    let unnamed = |data| Input { data, name: None };
    if !options.files.is_empty() {
        let read = |path: PathBuf| fs::read(&path).map(|data| (path, data)).ok();
        return Box::new(options.files.clone().into_iter().filter_map(read).map(named));
    }
    let corpus = corpus::of(target);
    let mutator = Mutator::new(corpus.clone(), corpus::words(), options.seed);
    let (start, share) = (Instant::now(), options.share());
    let changed = mutator.take_while(move |_| start.elapsed() < share);
    let first = corpus::crashes(target).into_iter().map(named);
    Box::new(first.chain(corpus.into_iter().chain(changed).map(unnamed)))
}

fn kept(target: &Target, data: &[u8]) -> String {
    match corpus::keep(target, data) {
        Ok(path) => path.display().to_string(),
        Err(error) => format!("an input that could not be kept: {error}"),
    }
}

/// Looks on while inputs run, and ends the process if one does not end.
struct Watch {
    target: &'static Target,
    running: Arc<Mutex<Running>>,
    /// Dropped, it lets the thread go.
    over: Sender<()>,
    thread: thread::JoinHandle<()>,
}

/// The input that runs.
#[derive(Default)]
struct Running {
    since: Option<Instant>,
    data: Vec<u8>,
}

impl Watch {
    fn new(target: &'static Target) -> Self {
        let (over, waits) = mpsc::channel();
        let running = Arc::new(Mutex::new(Running::default()));
        let watched = Arc::clone(&running);
        let thread = thread::spawn(move || {
            while waits.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
                let running = lock(&watched);
                if running.since.is_some_and(|since| since.elapsed() > PATIENCE) {
                    let kept = kept(target, &running.data);
                    println!("{:<12}FAILED: {kept} does not end within {PATIENCE:?}", target.name);
                    process::exit(1);
                }
            }
        });
        Self {
            target,
            running,
            over,
            thread,
        }
    }

    /// True if the target takes the input without a panic.
    fn holds(&self, data: &[u8], careful: bool) -> bool {
        {
            let mut running = lock(&self.running);
            running.since = Some(Instant::now());
            running.data.clear();
            running.data.extend_from_slice(data);
        }
        let aside = corpus::folder(self.target).join("running");
        if careful {
            fs::create_dir_all(corpus::folder(self.target))
                .and_then(|()| fs::write(&aside, data))
                .expect("the folder of crashes can be written");
        }
        let held = catch_unwind(AssertUnwindSafe(|| (self.target.run)(data))).is_ok();
        if careful {
            fs::remove_file(&aside).expect("it was just written");
        }
        lock(&self.running).since = None;
        held
    }

    fn rest(self) {
        drop(self.over);
        self.thread.join().expect("the watch does not panic");
    }
}

fn lock(running: &Mutex<Running>) -> MutexGuard<'_, Running> {
    running.lock().expect("nobody panics with the lock held")
}
