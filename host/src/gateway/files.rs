//! Settings that may be the path of a file, as key files are handed out: the adapter that may have one sees what it holds.

use std::path::Path;

use serde_json::{Map, Value};

use crate::transport::key_file;

/// Puts the content of each of the `files` among the settings in its place: an object if it is one, else a text. What holds an object
/// already, also as text, stays. The error names the setting and never what a file holds.
pub(super) fn read(settings: &mut Map<String, Value>, files: &[String]) -> Result<(), String> {
    for name in files {
        let Some(Value::String(text)) = settings.get(name) else {
            continue;
        };
        let content = match object(text) {
            Some(object) => object,
            None => {
                let read = key_file::read_blocking(Path::new(text));
                let wrong = |reason| format!("its `{name}` cannot be read: {}: {reason}", key_file::shown(text));
                let text = read.map_err(wrong)?;
                object(&text).unwrap_or(Value::String(text))
            }
        };
        settings.insert(name.clone(), content);
    }
    Ok(())
}

fn object(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn read_one(setting: &Value) -> Result<Value, String> {
        let mut settings = Map::from_iter([("key".to_owned(), setting.clone()), ("other".to_owned(), json!("/x"))]);
        read(&mut settings, &["key".to_owned(), "absent".to_owned()])?;
        assert_eq!(settings["other"], "/x", "only what the adapter may have is read");
        Ok(settings["key"].clone())
    }

    #[test]
    fn a_path_becomes_what_the_file_holds_and_an_object_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &str| {
            let path = folder.path().join(name);
            fs::write(&path, content).unwrap();
            json!(path)
        };
        let key = json!({"private_key": "k"});
        assert_eq!(read_one(&file("a.json", &key.to_string())), Ok(key.clone()));
        assert_eq!(read_one(&file("a.pem", "text\n")), Ok(json!("text\n")));
        assert_eq!(read_one(&key), Ok(key.clone()));
        assert_eq!(read_one(&json!(key.to_string())), Ok(key));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_told_by_setting_and_path() {
        let folder = tempfile::tempdir().unwrap();
        let large = folder.path().join("large");
        fs::write(&large, vec![b'x'; 2 << 20]).unwrap();
        for (path, why) in [(json!("/nowhere/at/all.json"), "/nowhere"), (json!(large), "longer")] {
            let error = read_one(&path).unwrap_err();
            assert!(error.contains("`key`") && error.contains(why), "{error}");
        }
    }
}
