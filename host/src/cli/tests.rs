//! What holds for the command line as a whole.

use clap::CommandFactory;

use super::Arguments;

#[test]
fn the_arguments_are_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn every_command_has_help_with_examples() {
    fn check(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        assert!(command.get_about().is_some(), "{path} says what it does");
        let mut below = command.get_subcommands().peekable();
        if below.peek().is_none() {
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.starts_with("Examples:\n  witgate "), "{path} has examples");
        }
        below.for_each(|command| check(command, &path));
    }
    check(&Arguments::command(), "");
}
