//! `[providers.drop_params]`: what becomes of fields that a provider has nothing for.

use super::{read::Table, report::Report};
use crate::error::{Error, Failure, Kind, Result};

/// `[providers.drop_params]`. What neither list names is dropped if need be, and the client is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DropParams {
    /// `drop`: fields that are left out of every request.
    pub drop: Vec<String>,
    /// `refuse`: fields of which the client is to be refused rather than served without them. `*`: any.
    pub refuse: Vec<String>,
}

impl DropParams {
    pub(super) fn read(provider: &mut Table<'_>, report: &mut Report<'_>) -> Self {
        let Some(mut table) = provider.table("drop_params", report) else {
            return Self::default();
        };
        let read = Self {
            drop: table.words("drop", report),
            refuse: table.words("refuse", report),
        };
        table.end(report);
        read
    }

    /// Refuses a request of which `fields`, paths without indices, would be dropped although the operator wants that refused.
    pub fn check<'f>(&self, fields: impl IntoIterator<Item = &'f str>) -> Result<()> {
        let kept = |field: &&str| {
            let named = |name: &String| {
                let rest = field.strip_prefix(name.as_str());
                name == "*" || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            self.refuse.iter().any(named)
        };
        let Some(field) = fields.into_iter().find(kept) else {
            return Ok(());
        };
        let message = format!("'{field}' cannot be used with this model: its provider has nothing for it.");
        let mut failure = Failure::new(Kind::Unsupported, message);
        failure.param = Some(field.to_owned());
        Err(Error::Refused(Box::new(failure)))
    }
}

#[cfg(test)]
mod tests {
    use super::DropParams;

    #[test]
    fn what_may_not_be_dropped_is_refused_by_name_and_so_is_what_is_in_it() {
        let some = DropParams {
            refuse: vec!["seed".to_owned(), "messages".to_owned()],
            ..DropParams::default()
        };
        assert!(some.check(["user", "seeds"]).is_ok());
        let error = some.check(["user", "messages.name"]).expect_err("refused");
        assert_eq!(error.param(), Some("messages.name"));
        let all = DropParams {
            refuse: vec!["*".to_owned()],
            ..DropParams::default()
        };
        assert_eq!(all.check(["user"]).expect_err("refused").param(), Some("user"));
        assert!(all.check([]).is_ok());
    }
}
