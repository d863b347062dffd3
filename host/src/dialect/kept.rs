//! A provider's own state (signatures of thoughts, encrypted reasoning) for clients that drop it. An adapter hands it out in fields of its
//! own of a message and its calls, which clients of Messages and Responses get in blocks and items of their API; a client that sends
//! them back is served by that alone. Many send back only texts and calls. For them it is kept here for a while, and put back into the
//! chat's message before the adapter sees it.
//!
//! It is found again by what such a client does send back: the calls (ids, names, arguments), who asked which provider, and what the
//! message before it says. So no other client, provider or conversation gets it, also where a provider counts its ids from nought.
//! Answers without calls need nothing back. Nothing here waits: what is not there is left out, and the call goes on without.
//!
//! `shelf` is where it lies, for a bounded time and within bounded memory; `answer` reads it, `request` puts it back.

mod answer;
mod request;
mod shelf;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    call::{Call, Operation},
    config::Adapters,
    error::Result,
    gateway::shown_key,
    reply::Reply,
};
use shelf::Shelf;

/// What a state is found by.
type Key = [u8; 32];

/// Fields that were not OpenAI's, each with its JSON text.
type Own = Vec<(Box<str>, Box<str>)>;

/// The state of one message.
#[derive(Debug, Default)]
struct State {
    message: Own,
    /// By their ids.
    calls: Vec<(Box<str>, Own)>,
}

/// What is kept of all conversations. Clones share it.
#[derive(Clone, Debug)]
pub struct Kept(Arc<Mutex<Shelf>>);

/// Who asks whom, and after which message the answer comes.
pub struct Asker(Sha256);

/// A call of a message, as far as it is known by it.
struct Named<'a> {
    id: &'a str,
    name: &'a str,
    /// Escaped as the client or the adapter wrote them, without quotes.
    arguments: &'a str,
}

impl Kept {
    /// An empty one, with the operator's bounds.
    pub fn new(settings: &Adapters) -> Self {
        Self(Arc::new(Mutex::new(Shelf::new(settings.state, settings.state_bytes))))
    }

    /// The same with other bounds, which hold for what is there, too.
    pub fn bounded(self, settings: &Adapters) -> Self {
        self.shelf(|shelf| shelf.bound(settings.state, settings.state_bytes, Instant::now()));
        self
    }

    /// What `call` has to be so that its provider finds its own state in it, if that is another one; and who asks. `None` for calls
    /// whose answer has no state to keep: nothing can be called.
    pub fn restore(&self, call: &Call, provider: &str) -> Result<Option<(Asker, Option<Call>)>> {
        if call.operation != Operation::Chat || call.field("tools").is_none() {
            return Ok(None);
        }
        let Some((after, messages)) = request::restore(self, call, &who(call, provider)) else {
            return Ok(None);
        };
        let restored = messages.map(|messages| call.with("messages", &messages)).transpose()?;
        Ok(Some((Asker(after), restored)))
    }

    /// The same reply; what it hands out is kept when it is complete.
    pub fn watch(&self, reply: Reply, asker: Asker) -> Reply {
        answer::watch(self.clone(), reply, asker.0)
    }

    fn put(&self, key: Key, state: State) {
        self.shelf(|shelf| shelf.put(key, state, Instant::now()));
    }

    fn get(&self, key: &Key) -> Option<Arc<State>> {
        self.shelf(|shelf| shelf.get(key, Instant::now()))
    }

    fn is_empty(&self) -> bool {
        self.shelf(|shelf| shelf.is_empty())
    }

    /// For a moment: nothing that takes time is done under the lock.
    fn shelf<T>(&self, act: impl FnOnce(&mut Shelf) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Who asks whom: the client by the key it shows, the provider by its id.
fn who(call: &Call, provider: &str) -> Sha256 {
    let mut hash = Sha256::new();
    add(&mut hash, shown_key(&call.headers).unwrap_or_default());
    add(&mut hash, provider);
    hash
}

/// The key of a message with these calls, after what `after` has taken in.
fn key<'a>(mut after: Sha256, calls: impl Iterator<Item = Named<'a>>) -> Key {
    for Named { id, name, arguments } in calls {
        add(&mut after, id);
        add(&mut after, name);
        let text: String = serde_json::from_str(&["\"", arguments, "\""].concat()).unwrap_or_default();
        // A client may have parsed the arguments and written them again.
        add(
            &mut after,
            &serde_json::from_str(&text).map_or(text, |value: Value| value.to_string()),
        );
    }
    after.finalize().into()
}

/// Takes in a text with its length, so that no two texts are taken for others.
fn add(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_known_by_what_its_arguments_say_however_they_are_written() {
        let of = |arguments: &str| {
            let named = Named {
                id: "c",
                name: "f",
                arguments,
            };
            key(Sha256::new(), [named].into_iter())
        };
        let known = of(r#"{\"city\":\"K\u00f6ln\",\"n\":1}"#);
        for same in [
            r#"{\"city\": \"K\\u00f6ln\", \"n\": 1}"#,
            r#"{\"city\":\"Köln\",\"n\":1}"#,
        ] {
            assert_eq!(of(same), known, "{same}");
        }
        for other in [r#"{\"city\":\"Bonn\",\"n\":1}"#, r#"{\"city\":\"Köln\"}"#, "", "{"] {
            assert_ne!(of(other), known, "{other}");
        }
    }
}
