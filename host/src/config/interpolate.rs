//! `${NAME}` and `${NAME:-default}` in text values: the value of an environment variable. `$${` is a literal `${`.

use super::{
    node::{Node, Text, Value},
    report::Report,
};

/// Fills in the variables of all text below `node`. `path` is for messages.
pub(super) fn fill(node: &mut Node, path: &str, report: &mut Report<'_>) {
    let line = node.line;
    match &mut node.value {
        Value::Text(text) => fill_text(text, line, path, report),
        Value::List(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                fill(item, &format!("{path}[{at}]"), report);
            }
        }
        Value::Table(fields) => {
            for field in fields {
                let below = if path.is_empty() {
                    field.key.clone()
                } else {
                    format!("{path}.{}", field.key)
                };
                fill(&mut field.node, &below, report);
            }
        }
        _ => {}
    }
}

fn fill_text(text: &mut Text, line: usize, path: &str, report: &mut Report<'_>) {
    let mut out = String::new();
    let mut rest = text.text.as_str();
    let mut only = None;
    while let Some(at) = rest.find("${") {
        let (before, reference) = rest.split_at(at);
        if let Some(escaped) = before.strip_suffix('$') {
            out.push_str(escaped);
            out.push_str("${");
            rest = reference.get(2..).unwrap_or_default();
            continue;
        }
        out.push_str(before);
        let Some((reference, after)) = reference.get(2..).and_then(|inner| inner.split_once('}')) else {
            let remedy = "close it with `}`, or write `$${` for a literal `${`";
            report.problem(line, path, "has a `${` that does not end", remedy);
            return;
        };
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name.trim(), Some(default)),
            None => (reference.trim(), None),
        };
        match value(name, default, report) {
            Some(value) => out.push_str(&value),
            None => {
                let message = format!("needs the environment variable {name}, which is not set");
                let remedy = format!("set {name}, or write `${{{name}:-default}}`");
                report.problem(line, path, message, remedy);
                out.push_str(name);
            }
        }
        let alone = rest.len() == text.text.len() && before.is_empty() && after.is_empty();
        only = alone.then(|| name.to_owned());
        rest = after;
    }
    out.push_str(rest);
    *text = Text {
        text: out,
        variable: only,
    };
}

/// As in a shell, `:-` also stands in for a variable that is empty.
fn value(name: &str, default: Option<&str>, report: &Report<'_>) -> Option<String> {
    let set = (report.environment)(name);
    match default {
        Some(default) => Some(
            set.filter(|value| !value.is_empty())
                .unwrap_or_else(|| default.to_owned()),
        ),
        None => set,
    }
}
