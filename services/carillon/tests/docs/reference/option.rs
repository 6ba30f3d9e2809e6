//! One option, in the words of `--help`.

use carillon_gateway::{LimitArgs, Mode};
use clap::Arg;

/// An option, or an argument without a flag.
#[derive(Clone)]
pub(crate) struct Described {
    /// The flag with the name of its value, or that name alone.
    pub(crate) name: String,
    /// What it is listed under in `--help`.
    pub(crate) heading: Option<String>,
    pub(crate) help: String,
    environment: String,
    default: String,
}

impl Described {
    pub(crate) fn of(argument: &Arg) -> Self {
        let help = argument.get_long_help().or_else(|| argument.get_help()).map(ToString::to_string);
        let help = help.unwrap_or_default();
        Self {
            name: name(argument),
            heading: argument.get_help_heading().map(ToOwned::to_owned),
            environment: argument.get_env().map(|name| code(&name.to_string_lossy())).unwrap_or_default(),
            default: default(argument),
            help: one_line(&without_limits(&help)) + &values(argument),
        }
    }

    /// Its row in a table.
    pub(crate) fn row(&self) -> String {
        format!("| {} | {} | {} | {} |", code(&self.name), self.environment, self.default, self.help)
    }
}

fn name(argument: &Arg) -> String {
    let value = argument.get_value_names().map(|names| names.join(" ")).unwrap_or_default();
    let takes_value = argument.get_action().takes_values();
    match argument.get_long() {
        Some(long) if takes_value => format!("--{long} {value}"),
        Some(long) => format!("--{long}"),
        None => value,
    }
}

/// The default; of a limit that of each mode.
fn default(argument: &Arg) -> String {
    let of = |mode| {
        let figures = LimitArgs::default().figures(mode);
        figures.into_iter().find(|(name, _)| argument.get_long() == Some(*name)).map(|(_, figure)| figure)
    };
    if let (Some(production), Some(development)) = (of(Mode::Production), of(Mode::Development)) {
        return format!("{production}; development: {development}");
    }
    if argument.is_required_set() {
        return "required".to_owned();
    }
    if !argument.get_action().takes_values() {
        return String::new();
    }
    let values: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if values.is_empty() || values == [""] { String::new() } else { code(&values.join(",")) }
}

/// The table has them in a column of their own.
fn without_limits(help: &str) -> String {
    let Some((before, rest)) = help.split_once(" [production:") else { return help.to_owned() };
    let after = rest.split_once(']').map_or("", |(_, after)| after);
    format!("{before}{after}")
}

/// The values that there are, and what each means.
fn values(argument: &Arg) -> String {
    let values = argument.get_possible_values();
    if values.is_empty() || !argument.get_action().takes_values() {
        return String::new();
    }
    let shown = values.iter().filter(|value| !value.is_hide_set()).map(|value| {
        let help = value.get_help().map(|help| format!(" ({})", one_line(&help.to_string())));
        format!("`{}`{}", value.get_name(), help.unwrap_or_default())
    });
    format!(". One of {}", shown.collect::<Vec<_>>().join(", "))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// A cell of a table has one line, and no bar.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
