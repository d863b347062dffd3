//! The generated bindings of `wit/adapter.wit`, version 0.1. Only this file knows them by their generated names; only `guest` calls
//! them. A second version of the contract is a second file like this.

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "generated code"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "adapter-full",
        exports: { default: async },
    });
}

pub(super) use generated::exports::witgate::adapter::{auth, jobs, meta, models, streaming, transform};
pub(super) use generated::witgate::adapter::{host_crypto, host_log, types};
pub(super) use types::{
    Body, Context, Failure, Fetch, HttpRequest, HttpResponse, Part, PartData, Payload, Resumption, Step,
};

/// The interfaces every adapter exports.
pub(super) const REQUIRED: [&str; 2] = ["meta", "transform"];

/// The package, and the track of versions this file speaks: 0.1.0 and what stays compatible with it.
pub(super) const PACKAGE: &str = "witgate:adapter";
pub(super) const VERSION: &str = "0.1.";

/// Where the exports of one component are. An optional interface that is absent is `None`.
#[derive(Clone)]
pub(super) struct Exports {
    pub(super) meta: meta::GuestIndices,
    pub(super) transform: transform::GuestIndices,
    pub(super) streaming: Option<streaming::GuestIndices>,
    pub(super) auth: Option<auth::GuestIndices>,
    pub(super) models: Option<models::GuestIndices>,
    pub(super) jobs: Option<jobs::GuestIndices>,
}

impl Exports {
    /// Looks every interface up by its name and version; what else a component exports does not matter.
    pub(super) fn probe<T>(pre: &wasmtime::component::InstancePre<T>) -> wasmtime::Result<Self> {
        Ok(Self {
            meta: meta::GuestIndices::new(pre)?,
            transform: transform::GuestIndices::new(pre)?,
            streaming: streaming::GuestIndices::new(pre).ok(),
            auth: auth::GuestIndices::new(pre).ok(),
            models: models::GuestIndices::new(pre).ok(),
            jobs: jobs::GuestIndices::new(pre).ok(),
        })
    }
}
