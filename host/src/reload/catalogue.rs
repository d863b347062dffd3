//! Keeping the catalogue fresh: the file and the URL of `[catalogue]` are read again and again, and the last good table stays in use
//! when they cannot be. What came from the URL is also kept on disk, for the next start.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hyper::{HeaderMap, Method};
use url::Url;

use crate::{
    catalogue::{Catalogue, Table},
    config, memory,
    record::Record,
    telemetry::Telemetry,
    transport::{
        Auth, Upstream,
        egress::Policy,
        http::{Client, Outgoing},
        pieces::Pieces,
        tls::Rules,
    },
};

/// The largest list that is read; the public one has 3 MB.
const LARGEST: usize = 32 << 20;
/// How long a list may take to begin, and the longest silence in it.
const PATIENCE: Duration = Duration::from_secs(30);
/// A list that could not be read is tried again after this, or after the interval if that is shorter.
const AGAIN: Duration = Duration::from_mins(5);

/// Where tables come from.
pub struct Fresh {
    config: config::Catalogue,
    catalogue: Arc<Catalogue>,
    telemetry: Arc<Telemetry>,
    kept: PathBuf,
}

impl Fresh {
    /// Puts into use what is on this machine: what the URL said last, or the file. `data` is where the gateway keeps things.
    pub fn open(config: &config::Catalogue, catalogue: Arc<Catalogue>, telemetry: Arc<Telemetry>, data: &Path) -> Self {
        let fresh = Self {
            config: config.clone(),
            catalogue,
            telemetry,
            kept: data.join("catalogue.tsv"),
        };
        let kept = fresh.config.url.is_some() && fresh.kept.exists();
        let from = kept.then_some(&fresh.kept).or(fresh.config.file.as_ref());
        if let Some(from) = from {
            fresh.adopt(&from.display().to_string(), read(from));
        }
        fresh
    }

    /// Reads them again for as long as it is polled; at once if there is a URL.
    pub async fn keep(self) {
        let config::Catalogue { file, url, interval } = &self.config;
        if file.is_none() && url.is_none() {
            return;
        }
        let mut pause = if url.is_some() { Duration::ZERO } else { *interval };
        loop {
            tokio::time::sleep(pause).await;
            let good = self.again().await;
            pause = if good { *interval } else { AGAIN.min(*interval) };
            memory::give_back();
        }
    }

    /// True if all that was asked for was good.
    async fn again(&self) -> bool {
        if let Some(url) = &self.config.url {
            let host = url.host_str().unwrap_or_default();
            let fetched = match self.fetch(url).await {
                Ok(text) => table(text).await,
                Err(reason) => Err(reason),
            };
            // A URL may hold a key: only its host is told.
            return self.adopt(host, fetched) && self.remember();
        }
        let Some(file) = self.config.file.clone() else {
            return true;
        };
        let shown = file.display().to_string();
        let read = tokio::task::spawn_blocking(move || read(&file)).await;
        self.adopt(&shown, read.unwrap_or_else(|error| Err(error.to_string())))
    }

    fn adopt(&self, from: &str, table: Result<Table, String>) -> bool {
        match table {
            Ok(table) => {
                tracing::info!(
                    from,
                    models = table.models().count(),
                    "the catalogue of models was read"
                );
                self.catalogue.replace(table);
                true
            }
            Err(reason) => {
                tracing::warn!(from, reason, "the catalogue of models stays as it is");
                false
            }
        }
    }

    /// Keeps the table in use for the next start. Beside its place first: half a table would be none.
    fn remember(&self) -> bool {
        let aside = self.kept.with_extension("new");
        let table = self.catalogue.current().to_string();
        let made = self.kept.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = made.and_then(|()| std::fs::write(&aside, table));
        if let Err(error) = written.and_then(|()| std::fs::rename(&aside, &self.kept)) {
            tracing::debug!(%error, "the catalogue cannot be kept for the next start");
        }
        true
    }

    async fn fetch(&self, url: &Url) -> Result<String, String> {
        let upstream = upstream(url)?;
        let record = Record::open(self.telemetry.clone(), "catalogue".to_owned(), "catalogue");
        let request = Outgoing {
            method: Method::GET,
            url: url.clone(),
            headers: HeaderMap::new(),
            body: Pieces::default(),
            timeout: None,
        };
        let reply = upstream
            .send(request, &record)
            .await
            .inspect_err(|error| record.failed(error))
            .map_err(|error| error.to_string())?;
        record.note(|entry| entry.status = reply.status);
        if reply.status != 200 {
            return Err(format!("the answer has the status {}", reply.status));
        }
        let body = reply.body.whole(LARGEST).await.map_err(|error| error.to_string())?;
        String::from_utf8(body.into()).map_err(|_| "it is not valid UTF-8".to_owned())
    }
}

fn read(file: &Path) -> Result<Table, String> {
    let size = std::fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > LARGEST as u64 {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    Table::read(std::fs::read_to_string(file).map_err(|error| error.to_string())?)
}

/// It takes a tenth of a second to make a table of a list: not where requests are served.
async fn table(text: String) -> Result<Table, String> {
    tokio::task::spawn_blocking(|| Table::read(text))
        .await
        .unwrap_or_else(|error| Err(error.to_string()))
}

/// The place the list is at, as a provider without a key.
fn upstream(url: &Url) -> Result<Upstream, String> {
    let egress = Policy::new(url).map_err(|denied| denied.to_string())?;
    Ok(Upstream {
        id: "catalogue".to_owned(),
        base: url.clone(),
        key: None,
        auth: Some(Auth::None),
        headers: HeaderMap::new(),
        defaults: Vec::new(),
        timeout: PATIENCE,
        idle_timeout: PATIENCE,
        retries: 0,
        client: Client::new(egress.clone(), &Rules::default())?,
        egress,
    })
}
