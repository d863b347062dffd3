//! A call's arguments that come in pieces: each tells the JSON path of the value it belongs to, as `$.stops[0].name`.

use crate::json::{Object, between_quotes, push_comma, push_string, string};

/// Values that lie deeper than this are left out: no reader of JSON would take them.
const MAX_DEPTH: usize = 100;

/// The arguments so far.
#[derive(Debug)]
pub(super) struct Arguments(Value);

/// A value as it grows.
#[derive(Debug, Default)]
enum Value {
    /// nothing has come of it
    #[default]
    Nothing,
    /// a piece of a JSON string: still escaped, without its quotes
    Text(String),
    /// any other JSON text
    Whole(String),
    /// Elements with their numbers, in their order. A number that is left out is no element: it takes no room.
    List(Vec<(usize, Value)>),
    Object(Vec<(String, Value)>),
}

/// One step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Element(usize),
}

impl Default for Arguments {
    fn default() -> Self {
        Self(Value::Object(Vec::new()))
    }
}

impl Arguments {
    /// Takes in arguments that came whole.
    pub(super) fn add_whole(&mut self, args: &str) {
        for (name, value) in Object::parse(args).unwrap_or_default().0 {
            *self.0.step(Step::Name(name.into_owned())) = Value::Whole(value.get().to_owned());
        }
    }

    /// Takes in a piece: a `partialArgs` entry.
    pub(super) fn add(&mut self, piece: &Object<'_>) {
        let path = piece.text("jsonPath").unwrap_or_default();
        // `$.list[]` ends a list, and is all that comes of an empty one.
        let (path, list) = path.strip_suffix("[]").map_or((&*path, false), |path| (path, true));
        let value = ["stringValue", "numberValue", "boolValue"]
            .iter()
            .find_map(|key| piece.get(key));
        let value = value.or_else(|| piece.0.iter().any(|(key, _)| key == "nullValue").then_some("null"));
        let steps = steps(path);
        // A piece may say that its value begins, and not yet what it is.
        if steps.is_empty() || steps.len() > MAX_DEPTH || value.is_none() && continues(piece) {
            return;
        }
        let place = steps.into_iter().fold(&mut self.0, Value::step);
        match (value, &mut *place) {
            (Some(value), place) => place.add(value),
            // The end of a value that has come, or a value without any inside.
            (None, Value::Nothing) if list => *place = Value::List(Vec::new()),
            (None, Value::Nothing) => *place = Value::Object(Vec::new()),
            (None, _) => {}
        }
    }

    /// The arguments as JSON text.
    pub(super) fn to_json(&self) -> String {
        let mut out = String::new();
        self.0.push(&mut out);
        out
    }
}

/// There is more to come of what this piece is of.
pub(super) fn continues(piece: &Object<'_>) -> bool {
    piece.get("willContinue") == Some("true")
}

impl Value {
    /// The value that this step leads to.
    fn step(&mut self, step: Step) -> &mut Self {
        match step {
            Step::Name(name) => {
                if !matches!(self, Self::Object(_)) {
                    *self = Self::Object(Vec::new());
                }
                let Self::Object(entries) = self else { return self };
                // Pieces follow each other mostly.
                let known = entries.iter().rposition(|(own, _)| *own == name);
                let at = known.unwrap_or_else(|| {
                    entries.push((name, Self::Nothing));
                    entries.len() - 1
                });
                &mut entries[at].1
            }
            Step::Element(number) => {
                if !matches!(self, Self::List(_)) {
                    *self = Self::List(Vec::new());
                }
                let Self::List(elements) = self else { return self };
                let found = elements.binary_search_by_key(&number, |(own, _)| *own);
                let at = found.unwrap_or_else(|at| {
                    elements.insert(at, (number, Self::Nothing));
                    at
                });
                &mut elements[at].1
            }
        }
    }

    /// Takes in a piece, which is JSON text: a text goes on, anything else is new.
    fn add(&mut self, value: &str) {
        match (between_quotes(value), self) {
            (Some(text), Self::Text(so_far)) => so_far.push_str(text),
            (Some(text), place) => *place = Self::Text(text.to_owned()),
            (None, place) => *place = Self::Whole(value.to_owned()),
        }
    }

    fn push(&self, out: &mut String) {
        match self {
            Self::Nothing => out.push_str("null"),
            Self::Text(text) => {
                out.push('"');
                out.push_str(text);
                out.push('"');
            }
            Self::Whole(value) => out.push_str(value),
            Self::List(elements) => {
                out.push('[');
                for (_, value) in elements {
                    push_comma(out);
                    value.push(out);
                }
                out.push(']');
            }
            Self::Object(entries) => {
                out.push('{');
                for (name, value) in entries {
                    push_comma(out);
                    push_string(out, name);
                    out.push(':');
                    value.push(out);
                }
                out.push('}');
            }
        }
    }
}

/// The steps of a path: `.name`, `['name']`, `["name"]` and `[0]`.
fn steps(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    while !rest.is_empty() && steps.len() <= MAX_DEPTH {
        let (step, after) = match rest.strip_prefix('[') {
            Some(inside) => bracket(inside),
            None => {
                let name = rest.strip_prefix('.').unwrap_or(rest);
                let (name, after) = name.split_at(name.find(['.', '[']).unwrap_or(name.len()));
                (Step::Name(name.to_owned()), after)
            }
        };
        steps.push(step);
        rest = after;
    }
    steps
}

/// The step in a bracket, and what stands after it.
fn bracket(inside: &str) -> (Step, &str) {
    let quote = inside.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
    let Some(quote) = quote else {
        let (inside, after) = inside.split_once(']').unwrap_or((inside, ""));
        let number = inside.parse().map(Step::Element);
        return (number.unwrap_or_else(|_| Step::Name(inside.to_owned())), after);
    };
    let mut escaped = false;
    let end = inside[1..].find(|character| {
        let ends = character == quote && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    });
    let (name, after) = inside[1..].split_at(end.unwrap_or(inside.len() - 1));
    let after = after.strip_prefix(quote).unwrap_or(after);
    // In single quotes the escapes are JSON's, but for that of the quote.
    let json = match quote {
        '"' => ["\"", name, "\""].concat(),
        _ => ["\"", &name.replace("\\'", "'").replace('"', "\\\""), "\""].concat(),
    };
    let name = string(&json).map_or_else(|| name.to_owned(), std::borrow::Cow::into_owned);
    (Step::Name(name), after.strip_prefix(']').unwrap_or(after))
}

#[cfg(test)]
mod tests {
    use super::{Arguments, MAX_DEPTH};
    use crate::json::Object;

    fn of(pieces: &[&str]) -> String {
        let mut arguments = Arguments::default();
        for piece in pieces {
            arguments.add(&Object::parse(piece).expect("a piece is an object"));
        }
        arguments.to_json()
    }

    #[test]
    fn every_value_finds_its_place() {
        let pieces = [
            r#"{"jsonPath": "$.b", "boolValue": false}"#,
            r#"{"jsonPath": "$.a[0].n", "numberValue": 0.50}"#,
            r#"{"jsonPath": "$.a[0]['x.\"y\"']", "nullValue": null}"#,
            r#"{"jsonPath": "$.a[1]", "stringValue": "\u00fc\"", "willContinue": true}"#,
            r#"{"jsonPath": "$.a[1]", "stringValue": "\ud83d", "willContinue": true}"#,
            r#"{"jsonPath": "$.a[1]", "stringValue": "\ude00"}"#,
            r#"{"jsonPath": "$.a[]"}"#,
            r#"{"jsonPath": "$[\"it's\"]", "nullValue": "NULL_VALUE", "stringValue": null}"#,
            r#"{"jsonPath": "$['it\\'s too']", "numberValue": 1}"#,
        ];
        assert_eq!(
            of(&pieces),
            r#"{"b":false,"a":[{"n":0.50,"x.\"y\"":null},"\u00fc\"\ud83d\ude00"],"it's":null,"it's too":1}"#
        );
    }

    #[test]
    fn what_has_nothing_inside_is_empty() {
        let pieces = [
            r#"{"jsonPath": "$.list[]"}"#,
            r#"{"jsonPath": "$.object"}"#,
            r#"{"jsonPath": "$.text", "willContinue": true}"#,
            r#"{"jsonPath": "$.text", "stringValue": ""}"#,
            r#"{"jsonPath": "$.text"}"#,
            r#"{"jsonPath": "$"}"#,
        ];
        assert_eq!(of(&pieces), r#"{"list":[],"object":{},"text":""}"#);
    }

    #[test]
    fn a_path_of_many_steps_or_to_a_far_element_takes_no_more_room_than_it_has_itself() {
        let deep = |steps: usize| format!(r#"{{"jsonPath": "${}", "numberValue": 1}}"#, ".a".repeat(steps));
        assert_eq!(of(&[&deep(MAX_DEPTH + 1), &deep(1_000_000)]), "{}");
        assert_eq!(of(&[&deep(MAX_DEPTH)]).matches("{\"a\":").count(), MAX_DEPTH);
        let far = r#"{"jsonPath": "$.a[4000000000]", "numberValue": 2}"#;
        let near = r#"{"jsonPath": "$.a[7]", "numberValue": 1}"#;
        assert_eq!(of(&[far, near]), r#"{"a":[1,2]}"#);
    }

    #[test]
    fn a_path_that_is_none_breaks_nothing() {
        for path in [
            "", "$.", "$[", "$['", "$[']", "$['a\\\\", "$[\\\"a", "a[0", "$.a..b", "$[-1]", "[]", "$['ü",
        ] {
            let arguments = of(&[&format!(r#"{{"jsonPath": "{path}", "numberValue": 1}}"#)]);
            assert!(
                serde_json::from_str::<serde_json::Value>(&arguments).is_ok(),
                "{path}: {arguments}"
            );
        }
    }
}
