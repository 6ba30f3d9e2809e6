//! Reading options from an environment in which some of them are wrong: those are what `check` is there to find,
//! so they are told beside everything else instead of ending the command.

use clap::{
    ArgMatches, Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

/// The options of `carillon check`, and what of the environment could not be read: the variable, and why.
/// A wrong command line ends the process, as it does for every command.
pub(crate) fn parse(mut command: Command, arguments: &[String]) -> (ArgMatches, Vec<(String, String)>) {
    let mut unreadable = Vec::new();
    loop {
        let error = match command.clone().try_get_matches_from(arguments) {
            Ok(matches) => return (matches, unreadable),
            Err(error) => error,
        };
        let Some((id, variable)) = wrong_variable(&command, &error, arguments) else { error.exit() };
        unreadable.push((variable, why(&error)));
        command = command.mut_subcommand("check", |check| check.mut_arg(id, |arg| arg.env(None::<&str>)));
    }
}

/// The argument that the error is about, and its variable, if it is the environment that is wrong.
fn wrong_variable(command: &Command, error: &clap::Error, arguments: &[String]) -> Option<(String, String)> {
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else { return None };
    let long = shown.split([' ', '=', '[']).next()?.strip_prefix("--")?;
    let said = |argument: &String| {
        argument.strip_prefix("--").is_some_and(|rest| rest == long || rest.starts_with(&format!("{long}=")))
    };
    if arguments.iter().any(said) {
        return None;
    }
    let arg = command.find_subcommand("check")?.get_arguments().find(|arg| arg.get_long() == Some(long))?;
    let variable = arg.get_env().filter(|name| std::env::var_os(name).is_some())?;
    Some((arg.get_id().to_string(), variable.to_string_lossy().into_owned()))
}

/// Why, without the value: it may be a secret.
fn why(error: &clap::Error) -> String {
    match (error.kind(), std::error::Error::source(error)) {
        (_, Some(source)) => source.to_string(),
        (ErrorKind::ArgumentConflict, None) => "it contradicts another variable".to_owned(),
        (ErrorKind::InvalidValue, None) => "it is none of the values that there are".to_owned(),
        (kind, None) => kind.as_str().unwrap_or("it can't be read").to_owned(),
    }
}
