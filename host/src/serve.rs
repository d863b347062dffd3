//! Starting the gateway: read, check, load, and only then listen.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    task::{JoinError, JoinHandle},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    adapter::{Limits, Runtime, StartError},
    config::{self, Config, ConfigError},
    gateway::{Gateway, Provider},
    memory,
    reload::{Adapters, Pace, Reload, Settings, Status, Watching, catalogue::Fresh, fit::Need},
    server::{self, App},
    telemetry::Telemetry,
    transport,
};

/// A start that takes no longer says nothing of it.
const SILENCE: Duration = Duration::from_millis(500);

/// What the command line may say; each wins over the configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The configuration file; none: discover.
    pub config: Option<PathBuf>,
    /// Where to listen.
    pub listen: Option<String>,
    /// The adapters folder.
    pub adapters: Option<PathBuf>,
    /// Where the gateway keeps what it may lose: compiled adapters.
    pub data: PathBuf,
}

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Adapters cannot run here.
    #[error("adapters cannot run on this machine: {0}")]
    Runtime(#[from] StartError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// As configured.
        address: String,
        /// The system's reason.
        reason: io::Error,
    },
    /// Anything else the system refuses.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// The gateway without its listener: what `serve` starts, and what commands that try a provider use.
pub struct Core {
    /// The application.
    pub app: Arc<App>,
    /// The adapters directory, loaded and not watched yet.
    pub reload: Reload,
    /// What keeps the catalogue of models fresh.
    pub fresh: Fresh,
    /// Where adapters run.
    pub runtime: Runtime,
    /// What clients are spoken to with, if a certificate is configured.
    pub tls: Option<TlsAcceptor>,
}

/// Reads the configuration, looks around if it says so, and applies what the command line says.
pub async fn configure(options: &Options) -> Result<Config, ConfigError> {
    let mut config = match &options.config {
        Some(file) => Config::load(file)?,
        None => Config {
            discover: true,
            ..Config::default()
        },
    };
    if let Some(listen) = &options.listen {
        config.server.listen.clone_from(listen);
    }
    if let Some(dir) = &options.adapters {
        config.adapters.dir.clone_from(dir);
    }
    if config.discover {
        config::discover::add(&mut config).await;
    }
    Ok(config)
}

/// Loads the certificate and the adapters, and builds the first snapshot.
pub async fn prepare(config: Config, options: &Options) -> Result<Core, Error> {
    let tls = config.server.tls.as_ref().map(server::acceptor).transpose();
    let tls = tls.map_err(|problem| ConfigError {
        file: options.config.as_deref().unwrap_or(Path::new("")).display().to_string(),
        problems: vec![problem],
    })?;
    let telemetry = Arc::new(Telemetry::default());
    let runtime = Runtime::new(&limits(&config.adapters))?;
    let adapters = Arc::new(Adapters::default());
    let settings = Settings {
        dir: config.adapters.dir.clone(),
        cache: Some(options.data.join("compiled")),
        needs: config
            .providers
            .iter()
            .filter_map(|provider| Need::of(provider))
            .collect(),
        pace: Pace::default(),
    };
    let opening = (settings, adapters.clone(), runtime.clone(), telemetry.clone());
    let opening = tokio::task::spawn_blocking(move || Reload::open(opening.0, opening.1, opening.2, opening.3));
    let reload = told_of(opening, &adapters).await.map_err(io::Error::other)?;
    let gateway = Gateway::build(
        Arc::new(config),
        runtime.clone(),
        telemetry.clone(),
        &adapters.current(),
        None,
    );
    let catalogue = gateway.catalogue.clone();
    let fresh = Fresh::open(&gateway.config.catalogue, catalogue, telemetry.clone(), &options.data);
    Ok(Core {
        fresh,
        app: App::new(gateway, telemetry, adapters),
        reload,
        runtime,
        tls,
    })
}

/// Waits for the adapters, and says so if they take a while: with a cold cache they have to be compiled.
async fn told_of<T>(mut opening: JoinHandle<T>, adapters: &Adapters) -> Result<T, JoinError> {
    tokio::select! {
        opened = &mut opening => return opened,
        () = tokio::time::sleep(SILENCE) => {}
    }
    let states = adapters.states();
    let compiling = states.iter().filter(|state| state.status == Status::Compiling).count();
    tracing::info!("compiling {compiling} adapters; what is compiled is kept for the next start");
    opening.await
}

/// Serves until the process is told to stop.
pub async fn run(options: Options) -> Result<(), Error> {
    let config = configure(&options).await?;
    for warning in &config.warnings {
        tracing::warn!(key = warning.key, line = warning.line, "{}", warning.message);
    }
    let Core {
        app,
        reload,
        fresh,
        runtime,
        tls,
    } = prepare(config, &options).await?;
    let gateway = app.gateway();
    let listener = listen(&gateway.config.server.listen).await?;
    announce(&gateway, listener.local_addr()?);
    drop(gateway);
    let settled = app.clone();
    let watching = tokio::task::spawn_blocking(move || settle(&settled, reload));
    let refreshing = tokio::spawn(fresh.keep());
    let telemetry = app.telemetry.clone();
    let account = telemetry.clone();
    let accounting = tokio::spawn(async move { account.keep().await });
    server::serve(app, listener, tls, server::stop_signal()).await;
    refreshing.abort();
    drop(watching.await);
    runtime.drain().await;
    accounting.abort();
    telemetry.close();
    Ok(())
}

/// What comes after the start, beside the first requests: letting go of what only the start needed, reading what only some requests
/// need, and watching the adapters.
fn settle(app: &Arc<App>, reload: Reload) -> Option<Watching> {
    memory::give_back();
    // SAFETY: all adapters are loaded, and those in service are held by the gateway, which nobody swaps before they are watched.
    unsafe { memory::let_go_of_code() };
    let is_secure = |provider: &Arc<Provider>| provider.base().is_some_and(|base| base.scheme() == "https");
    if app.gateway().providers.iter().any(is_secure) {
        transport::tls::read_authorities();
    }
    let swapped = Arc::clone(app);
    let watching = reload.watch(move |adapters| {
        let old = swapped.gateway();
        let new = Gateway::build(
            old.config.clone(),
            old.runtime.clone(),
            old.telemetry.clone(),
            adapters,
            Some(&old),
        );
        swapped.swap(new);
    });
    watching
        .inspect_err(|error| tracing::error!(%error, "the adapters are not watched: restart to take up changes"))
        .ok()
}

async fn listen(address: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|reason| Error::Listen {
        address: address.to_owned(),
        reason,
    })
}

/// Says what is served, and where. The line on stdout is for programs that wait for it.
#[expect(clippy::print_stdout, reason = "the address is this command's result, not its log")]
fn announce(gateway: &Gateway, address: SocketAddr) {
    for provider in &gateway.providers {
        let models = provider.config.models.len();
        match provider.unusable() {
            None => tracing::info!(
                provider = provider.id(),
                r#type = provider.config.type_,
                models,
                "serving"
            ),
            Some(reason) => tracing::warn!(
                provider = provider.id(),
                reason,
                "cannot be used; `witgate check` and `witgate adapter list` say more"
            ),
        }
    }
    if gateway.providers.is_empty() {
        tracing::warn!(
            "no provider: set a key such as OPENAI_API_KEY, start a local model server, or give --config FILE"
        );
    }
    let scheme = if gateway.config.server.tls.is_some() {
        "https"
    } else {
        "http"
    };
    println!("listening on {scheme}://{address}");
}

fn limits(adapters: &config::Adapters) -> Limits {
    Limits {
        slots: adapters.instances,
        queue: adapters.queue,
        cpu: adapters.cpu,
        memory: adapters.memory_bytes,
        output: adapters.output_bytes,
        log: adapters.log_bytes_per_s,
        wall_clock: adapters.wall_clock,
        steps: adapters.max_steps,
        reply: adapters.reply_bytes,
        wind_down: adapters.cancel,
        calls_per_instance: adapters.calls_per_instance,
    }
}
