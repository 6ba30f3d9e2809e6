//! The programs, and the options of each.

use clap::Command;

use super::option::Described;

/// A binary, or a command of one.
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) options: Vec<Described>,
}

/// The processes of a cluster.
pub(crate) fn processes() -> Vec<Program> {
    use carillon_service::command_line;
    [
        command_line::<carillon_gateway::Args>("gateway"),
        command_line::<carillon_auth::Args>("auth"),
        command_line::<carillon_notification::Args>("notification"),
        command_line::<carillon_chat::Args>("chat"),
        command_line::<carillon_ticket_presence::Args>("ticket-presence"),
        command_line::<carillon_metrics::Args>("metrics"),
    ]
    .map(|command| Program::of(String::new(), command))
    .into()
}

/// `carillon up`.
pub(crate) fn one_process() -> Program {
    let up = subcommands().find(|command| command.get_name() == "up").expect("carillon up");
    Program::of("carillon ".to_owned(), up)
}

/// The operator's commands.
pub(crate) fn commands() -> Vec<Program> {
    let others = subcommands().filter(|command| !matches!(command.get_name(), "up" | "help"));
    others.map(|command| Program::of("carillon ".to_owned(), command)).collect()
}

fn subcommands() -> impl Iterator<Item = Command> {
    carillon::command_line().get_subcommands().cloned().collect::<Vec<_>>().into_iter()
}

impl Program {
    fn of(prefix: String, command: Command) -> Self {
        let shown = command.get_arguments().filter(|argument| !argument.is_hide_set());
        let own = shown.filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"));
        Self {
            name: prefix + command.get_name(),
            about: command.get_about().map(ToString::to_string).unwrap_or_default(),
            options: own.map(Described::of).collect(),
        }
    }

    /// Whether it has this very option, whatever it is listed under.
    pub(crate) fn has(&self, option: &Described) -> bool {
        self.options.iter().any(|own| own.row() == option.row())
    }
}
