//! The environment's variables, where credentials are looked for.

use std::sync::Arc;

type Find = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Variables by name: those of this process, or a test's own. Cheap to clone.
#[derive(Clone)]
pub struct Environment(Arc<Find>);

impl Environment {
    /// Those of this process.
    pub fn of_process() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    /// Those that `find` finds.
    pub fn new(find: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }

    /// What a variable says, without the blanks around it; `None` also if it says nothing.
    pub fn get(&self, name: &str) -> Option<String> {
        let value = (self.0)(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_without_words_is_as_one_that_is_not_set() {
        let environment = Environment::new(|name| (name != "UNSET").then(|| format!(" {} ", name.replace('_', ""))));
        assert_eq!(environment.get("A").as_deref(), Some("A"));
        assert_eq!(environment.get("_"), None);
        assert_eq!(environment.get("UNSET"), None);
    }
}
