//! What a guardrail did to an invoked model's answer: the service says so beside the model's own words, which tell of no such end.

use crate::json::{Object, push_field};

/// Why an answer ended that a guardrail stopped, in Converse's word.
pub(super) const REASON: &str = "\"guardrail_intervened\"";
const KEY: &str = "amazon-bedrock-guardrailAction";

/// A guardrail has stopped the answer, or changed it.
pub(super) fn intervened(answer: &str) -> bool {
    let action = || Object::parse(answer)?.text(KEY).map(|action| action == "INTERVENED");
    answer.contains(KEY) && action().unwrap_or_default()
}

/// The answer with this reason for its end, which stands under `key`.
pub(super) fn with_reason(answer: &str, key: &str) -> Option<String> {
    let fields = Object::parse(answer)?;
    let mut out = String::from("{");
    for (name, value) in fields.0.iter().filter(|(name, _)| name != key) {
        push_field(&mut out, name, value.get());
    }
    push_field(&mut out, key, REASON);
    out.push('}');
    Some(out)
}
