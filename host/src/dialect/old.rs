//! The call of a server that has no list of them: `function_call`, as OpenAI's chats had it once. It has neither a number nor an id, and
//! an answer has but one.

use sha2::{Digest as _, Sha256};

/// Its number: no call of a list has it.
pub(super) const NUMBER: u64 = u64::MAX;

/// Its id, made of the id of the request. A client may have named that as it likes; a call's id has letters and digits, and not many.
pub(super) fn id(request: &str) -> String {
    let own = request.trim_start_matches("req_");
    let usable = own.len() <= 32
        && own
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if usable {
        return format!("call_{own}");
    }
    let digest = Sha256::digest(request);
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("call_{hex}")
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn every_request_makes_an_id_that_providers_take() {
        assert_eq!(id("req_00ff"), "call_00ff");
        let made = ["a/b", "a\"b", &"x".repeat(33)].map(id);
        for id in &made {
            let letters = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            assert!(letters && id.len() <= 40, "{id}");
        }
        assert!(made[0] != made[1]);
    }
}
