//! Witgate's adapter for Anthropic's Messages API. The README says what becomes of what.
//!
//! A chat goes through `request` to the provider and comes back through `response`, or event by event through `stream`; both collect
//! `usage`, the reason why it ended (`stop`) and the blocks that the next request must bring back (`kept`). `adapter` is who asks
//! Anthropic itself.
//!
//! Others have Claude too, behind their own URLs and credentials. Their adapters use this crate as a library, without its feature
//! `export`: [`ask`] and [`relay`] send to their URLs what Anthropic would get, or [`chat`] and [`messages`] make bodies that begin as
//! theirs do; [`answer`], or [`message`] alone, and [`Events`] read what comes back. One that has a form of its own for Claude's messages
//! shares what holds for those in any form: [`Kept`], [`Annotations`], [`structured`], [`push_input_schema`], [`thoughts_are_missing`].
//!
//! Text is parsed once, borrowed, and copied as it stands, still escaped, where it is not looked at. That is why both sides' JSON is
//! read here into types of our own: those of the SDK's `openai` unescape each text, which is pleasant, exact to the value, and slower.

mod adapter;
mod annotations;
mod describe;
mod endpoint;
mod error;
mod kept;
mod model;
mod models;
mod request;
mod response;
mod stop;
mod stream;
pub mod structured;
mod usage;

use witgate_sdk::json::text as json;

pub use adapter::{Anthropic, ask, relay};
pub use annotations::{Annotations, Source};
pub use error::from_reply as failure;
pub use kept::{Kept, Place};
pub use model::{LEAST_BUDGET, Model as Claude};
pub use request::{Asked, DROPPED, Translated, chat, messages, push_input_schema, thoughts_are_missing};
pub use response::{answer, message};
pub use stream::Events;
