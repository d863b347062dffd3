//! Whose a call is. A provider may tell of what its own tools do in the form of a client's call: xAI's searches are `custom_tool_call`s.
//! Where the client lets the provider run tools, such a call is the client's only if it declared a custom tool of this name. Of
//! functions none is known that a provider calls for itself.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::{Object, push_comma, push_string, string};

/// The client's custom tools. They matter only beside tools that the provider runs: else, and where nothing is known of the request,
/// every call is the client's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    /// their names
    custom: Vec<String>,
    /// there are tools that the provider runs
    beside: bool,
}

impl Declared {
    /// Notes the name of a custom tool.
    pub(crate) fn add_custom(&mut self, tool: &Object<'_>) {
        self.custom.extend(tool.text("name").map(Cow::into_owned));
    }

    /// Notes a tool that is in the API's own form already.
    pub(crate) fn add_own(&mut self, tool: &Object<'_>) {
        match tool.text("type").as_deref() {
            Some("custom") => self.add_custom(tool),
            Some("function") => {}
            Some("namespace") => {
                let list = tool.get("tools").and_then(|tools| serde_json::from_str(tools).ok());
                let list: Vec<Object<'_>> = list.unwrap_or_default();
                let custom = list
                    .iter()
                    .filter(|tool| tool.text("type").as_deref() == Some("custom"));
                custom.for_each(|tool| self.add_custom(tool));
            }
            _ => self.beside = true,
        }
    }

    /// Notes that the provider searches.
    pub(crate) fn add_search(&mut self) {
        self.beside = true;
    }

    /// Is a call of the custom tool with this name, which is JSON text, the client's?
    pub(crate) fn has_custom(&self, name: Option<&RawValue>) -> bool {
        let name = name.and_then(|name| string(name.get()));
        !self.beside || name.is_some_and(|name| self.custom.iter().any(|custom| *custom == name))
    }

    /// What the answer's reader must know: the names on a line of their own where they matter, then `body`.
    pub(crate) fn to_state(&self, body: &str) -> String {
        if !self.beside {
            return body.to_owned();
        }
        let mut out = String::from("[");
        for name in &self.custom {
            push_comma(&mut out);
            push_string(&mut out, name);
        }
        out.push_str("]\n");
        out.push_str(body);
        out
    }

    /// Reads what [`to_state`](Self::to_state) wrote.
    pub(crate) fn of_state(state: &str) -> (Self, &str) {
        let names = state.split_once('\n').filter(|_| state.starts_with('['));
        let Some((names, body)) = names else {
            return (Self::default(), state);
        };
        let custom = serde_json::from_str(names).unwrap_or_default();
        (Self { custom, beside: true }, body)
    }
}
