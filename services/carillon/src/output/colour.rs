//! Colour, on terminals whose users want it.

use std::{
    env,
    io::{IsTerminal, stdout},
    sync::LazyLock,
};

/// What a text is coloured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    /// As it should be.
    Green,
    /// Worth a look.
    Yellow,
    /// Wrong.
    Red,
    /// Less important.
    Grey,
    /// A heading.
    Bold,
}

/// Whether standard output is a terminal, and `NO_COLOR` (no-color.org) is not set.
static WANTED: LazyLock<bool> = LazyLock::new(|| {
    let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    stdout().is_terminal() && !unwanted && !dumb
});

impl Colour {
    /// The text in this colour, if colours are wanted.
    pub(crate) fn paint(self, text: &str) -> String {
        if !*WANTED || text.is_empty() {
            return text.to_owned();
        }
        let code = match self {
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Red => "31",
            Self::Grey => "90",
            Self::Bold => "1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
