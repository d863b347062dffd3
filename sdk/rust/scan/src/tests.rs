//! It takes what serde_json takes, and nothing else.

use serde::de::IgnoredAny;

use super::{LONG, Scan};

fn valid(text: &str) -> bool {
    let mut scan = Scan::new(text);
    scan.skip().and_then(|_| scan.end()).is_ok()
}

#[test]
fn it_takes_and_refuses_what_serde_json_does() {
    let texts = [
        "{}",
        "[]",
        "[[]]",
        "{\"a\":[1,2.5,-0,0.1e+5,true,false,null,\"x\"]}",
        " [ 1 , { \"k\" : [ ] } ] ",
        "\"\\u00e9\\n\\\"\"",
        "\"tab\there\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "01",
        "-01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "nul",
        "tru",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "[1,]",
        "[1 2]",
        "{1:2}",
        "[",
        "]",
        "{\"a\":[}",
        "[}",
        "\"",
        "\"unfinished",
        "{} {}",
        "1 2",
        "",
        " ",
        "[1,,2]",
        "{,}",
        "\"eight888 and more text with é and \\\\ in it\"",
        "NaN",
        "[[[[]]]",
        "{\"a\":{\"b\":{}}}",
        "{\"a\":{\"b\":{}}",
        "-0.0",
        "00",
        "10",
        "1E5",
        "truefalse",
    ];
    for text in texts {
        let reference = serde_json::from_str::<IgnoredAny>(text).is_ok();
        assert_eq!(valid(text), reference, "{text:?}");
    }
}

#[test]
fn a_byte_changed_anywhere_is_judged_as_serde_json_judges_it() {
    let text = r#"{"id":"a\u00ff","n":[-1.5e3,0,true,null],"o":{"k":"long enough for eight"},"e":""}"#;
    for at in 0..text.len() {
        for byte in [
            b' ', b'"', b'\\', b'{', b'}', b'[', b']', b',', b':', b'0', b'9', b'x', b'\n', b'-', b'.',
        ] {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = byte;
            let changed = String::from_utf8(changed).expect("ASCII");
            let reference = serde_json::from_str::<IgnoredAny>(&changed).is_ok();
            assert_eq!(valid(&changed), reference, "{changed}");
        }
    }
}

#[test]
fn half_a_character_is_malformed_where_that_is_asked_for() {
    let strict = |text| {
        let mut scan = Scan::strict(text, 8);
        scan.skip().and_then(|_| scan.end()).is_ok()
    };
    for whole in [r#"["\ud83d\ude80"]"#, r#"["\\ud800"]"#, r#"["\u00e9 \" \n"]"#] {
        assert!(strict(whole), "{whole}");
    }
    for half in [
        r#"["\ud83d"]"#,
        r#"["\ud83d\ud83d"]"#,
        r#"["\ude80"]"#,
        r#"["\uD83Dx"]"#,
        r#"["\ud83d\n"]"#,
    ] {
        assert!(!strict(half) && valid(half), "{half}");
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(valid(&nested(128)));
    assert!(!valid(&nested(129)));
}

#[test]
fn long_strings_are_noted_while_there_is_room() {
    let (long, short) = ("l".repeat(LONG), "s".repeat(LONG - 1));
    let text = format!(r#"["{short}", "{long}", {{"{long}": "{long}\\n"}}, "{long}"]"#);
    for (room, places) in [(0, 0), (2, 2), (9, 3)] {
        let mut noted = Vec::with_capacity(room);
        let mut scan = Scan::new(&text).noting(&mut noted);
        assert!(scan.skip().is_ok());
        assert_eq!(noted.len(), places);
        assert!(noted.iter().all(|span| text[span.clone()] == long));
    }
}
