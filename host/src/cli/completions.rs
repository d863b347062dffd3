//! `witgate completions`: completions for a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Arguments, Outcome};

/// Print completions for a shell.
#[derive(Args)]
#[command(after_help = "Examples:
  witgate completions bash > ~/.local/share/bash-completion/completions/witgate
  witgate completions zsh > ~/.zfunc/_witgate
  witgate completions fish > ~/.config/fish/completions/witgate.fish")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    #[expect(clippy::unnecessary_wraps, reason = "every command ends with an outcome")]
    pub(super) fn run(self) -> Outcome {
        clap_complete::generate(self.shell, &mut Arguments::command(), "witgate", &mut std::io::stdout());
        Ok(())
    }
}
