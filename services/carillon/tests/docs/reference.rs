//! `docs/reference.md` lists every option of every binary, as clap has it.

mod option;
mod page;
mod program;

use carillon_gateway::{LimitArgs, Mode};

use crate::page::is_current;
use program::{Program, commands, one_process, processes};

#[test]
fn the_page_lists_every_option() {
    let (processes, one_process, commands) = (processes(), one_process(), commands());
    let options = processes.iter().chain(&commands).flat_map(|program| &program.options);
    let silent: Vec<_> = options.filter(|option| option.help.is_empty()).map(|option| &option.name).collect();
    assert!(silent.is_empty(), "options without a word of help: {silent:?}");
    is_current("reference.md", &page::page(&processes, &one_process, &commands));
}

/// What `--help` says about a limit in each mode is what holds.
#[test]
fn the_help_tells_the_limits_of_each_mode() {
    let gateway = carillon_service::command_line::<carillon_gateway::Args>("gateway");
    let figures = |mode| LimitArgs::default().figures(mode);
    for ((name, production), (_, development)) in
        figures(Mode::Production).into_iter().zip(figures(Mode::Development))
    {
        let argument = gateway.get_arguments().find(|argument| argument.get_long() == Some(name));
        let help = argument.and_then(clap::Arg::get_help).map(ToString::to_string).unwrap_or_default();
        let said = format!("[production: {production}; development: {development}]");
        assert!(help.contains(&said), "--{name} says {help}, not {said}");
    }
}

/// A program of this name, for the page's own tests.
fn find<'a>(programs: &'a [Program], name: &str) -> &'a Program {
    programs.iter().find(|program| program.name == name).expect("a program")
}

#[test]
fn the_page_has_what_the_programs_have() {
    let (processes, up, commands) = (processes(), one_process(), commands());
    let page = page::page(&processes, &up, &commands);
    for wanted in [
        "| `--listen ADDRESS` | `CARILLON_LISTEN` | `127.0.0.1:8000` |",
        "| `--connections-per-address COUNT` | `MAX_CONNECTIONS_PER_IP` | 5; development: 10000 |",
        "| `--drain-seconds SECONDS` | `CARILLON_DRAIN_SECONDS` | `10` |",
        "| `--drain-seconds SECONDS` | `CARILLON_DRAIN_SECONDS` | `0` |",
        "| `--database-url URL` | `CARILLON_DATABASE_URL` | required |",
    ] {
        assert!(page.contains(wanted), "the page lacks {wanted}");
    }
    for program in processes.iter().chain([&up]).chain(&commands) {
        assert!(page.contains(&format!("# {}\n", program.name)), "no section of {}", program.name);
        for option in &program.options {
            assert!(page.contains(&option.row()), "{} of {} is not on the page", option.name, program.name);
        }
    }
    assert!(!page.contains("--instrumentation"), "what is hidden is no option");
    assert!(find(&commands, "carillon check").options.len() > find(&processes, "gateway").options.len());
}
