//! What is known of each adapter file, for people: the admin API, the command line, the log.

use std::time::SystemTime;

use serde::Serialize;

use super::scan::Digest;

/// What has become of a file's present content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is being written, or is not whole yet.
    Waiting,
    /// It is being compiled and tested.
    Compiling,
    /// It is in service.
    Serving,
    /// It cannot be in service; the reason says why. If an older content of the file was good, that goes on serving.
    Refused,
    /// The file is gone. What it held goes on serving, because a provider needs it or because the whole directory is gone.
    FileMissing,
}

impl Status {
    /// The word the admin API uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Compiling => "compiling",
            Self::Serving => "serving",
            Self::Refused => "refused",
            Self::FileMissing => "file-missing",
        }
    }
}

/// A version of an adapter that takes calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Version {
    /// As the adapter names it; free text.
    pub version: String,
    /// SHA-256 of its file.
    pub digest: Digest,
    /// The provider `type`s it serves.
    pub types: Vec<String>,
}

/// One adapter file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct State {
    /// The adapter's name; none while the file has never been good.
    pub id: Option<String>,
    /// The path.
    pub file: String,
    /// What has become of the file's content.
    pub status: Status,
    /// Why it is not in service.
    pub reason: Option<String>,
    /// Since when the status is what it is, in milliseconds since 1970.
    pub since_unix_ms: u64,
    /// What takes calls under this id now: this file's content, or the last one of it that was good.
    pub serving: Option<Version>,
}

/// Milliseconds since 1970; 0 on a clock that is before that.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
