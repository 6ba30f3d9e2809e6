//! The page, out of what the programs understand.

use std::fmt::Write as _;

use super::{option::Described, program::Program};

const HEAD: &str = "# Options

<!-- Written by `make docs` out of the programs' own command lines; a test fails if it isn't current. -->

Every option of every program. Each is a flag, and most are a variable of the environment, over which the flag goes. Lists are
separated by commas. A flag without a value is on where its variable is `true`. What the options mean together is in
[configuration.md](configuration.md); `--help` of each program says the same as this page.

An option that several programs have is listed once, before the programs' own. Secrets belong into variables or files: flags are seen
by everyone who may list processes.

Variables that have no flag in `--help`:

| variable | of | |
| --- | --- | --- |
| `USE_PRODUCTION_WEBSOCKET_MIDDLEWARE` | gateway, carillon up | `true`: as `--mode production`, `false`: as `--mode development`, where neither that nor its variable is set |
| `DEBUG` | gateway, carillon up | the same the other way round, where that isn't set either |
| `CARILLON_BOOTSTRAP_ADMIN_PASSWORD` | auth, carillon up | the password of `--bootstrap-admin` |
| `CARILLON_PASSWORD` | commands | the password of `--login` |
| `NO_COLOR` | commands | anything: no colours |
| `OTEL_…` | every process | [tracing](tracing.md) |
| `AWS_…`, `GOOGLE_…`, `AZURE_…` | gateway, chat, carillon up | credentials of a [store of files](configuration.md#files) |
";

/// The page.
pub(crate) fn page(processes: &[Program], one_process: &Program, commands: &[Program]) -> String {
    let mut page = HEAD.to_owned();
    let every = |option: &&Described| processes.iter().all(|process| process.has(option));
    let first = processes.first().expect("a process");
    let _ = write!(page, "\n## Every process\n\nThe gateway and every service.\n");
    table(&mut page, first.options.iter().filter(every).map(|option| (option, None)));
    let several = several(processes, |option| !every(&option));
    let _ = write!(page, "\n## More than one process\n");
    table(&mut page, several.iter().map(|(option, names)| (option, Some(names.join(", ")))));
    for process in processes {
        own(&mut page, "##", process, |option| holders(processes, option).len() > 1);
    }
    own(&mut page, "##", one_process, |option| !holders(processes, option).is_empty());
    taken(&mut page, one_process, processes);
    let _ = write!(page, "\n## Commands\n\n[commands.md](commands.md) shows each at work.\n");
    let known = |option: &Described| !holders(processes, option).is_empty();
    let shared = self::several(commands, |option| !known(option));
    let short = |names: &[&str]| names.join(", ").replace("carillon ", "");
    table(&mut page, shared.iter().map(|(option, names)| (option, Some(short(names)))));
    for command in commands {
        own(&mut page, "###", command, |option| known(option) || holders(commands, option).len() > 1);
        if command.options.iter().any(known) {
            taken(&mut page, command, processes);
        }
    }
    page
}

/// The programs that have this very option.
fn holders<'a>(programs: &'a [Program], option: &Described) -> Vec<&'a str> {
    programs.iter().filter(|program| program.has(option)).map(|program| program.name.as_str()).collect()
}

/// What more than one program has, and which do.
fn several(programs: &[Program], wanted: impl Fn(&Described) -> bool) -> Vec<(Described, Vec<&str>)> {
    let mut found: Vec<(Described, Vec<&str>)> = Vec::new();
    for option in programs.iter().flat_map(|program| &program.options).filter(|option| wanted(option)) {
        let names = holders(programs, option);
        if names.len() > 1 && !found.iter().any(|(known, _)| known.row() == option.row()) {
            found.push((option.clone(), names));
        }
    }
    found
}

/// A program's section, without what is listed elsewhere, in the groups of `--help`.
fn own(page: &mut String, level: &str, program: &Program, is_elsewhere: impl Fn(&Described) -> bool) {
    let _ = write!(page, "\n{level} {}\n\n{}.\n", program.name, program.about.trim_end_matches('.'));
    let mut headings: Vec<Option<&str>> = vec![None];
    for option in program.options.iter().filter(|option| !is_elsewhere(option)) {
        if !headings.contains(&option.heading.as_deref()) {
            headings.push(option.heading.as_deref());
        }
    }
    for heading in headings {
        let of = |option: &&Described| option.heading.as_deref() == heading && !is_elsewhere(option);
        let mut rows = program.options.iter().filter(of).peekable();
        if rows.peek().is_none() {
            continue;
        }
        if let Some(heading) = heading {
            let _ = write!(page, "\n**{heading}**\n");
        }
        table(page, rows.map(|option| (option, None)));
    }
}

/// Which of the processes' options it has as well.
fn taken(page: &mut String, program: &Program, processes: &[Program]) {
    let mut parts = Vec::new();
    for process in processes {
        let (has, lacks): (Vec<_>, Vec<_>) = process.options.iter().partition(|option| program.has(option));
        let flag = |option: &&Described| format!("`{}`", option.name.split(' ').next().unwrap_or_default());
        let lacks = lacks.iter().map(flag).collect::<Vec<_>>();
        match (has.is_empty(), lacks.as_slice()) {
            (true, _) => {}
            (false, []) => parts.push(format!("all of {}", process.name)),
            (false, lacks) if lacks.len() < has.len() => {
                parts.push(format!("those of {} but {}", process.name, lacks.join(", ")));
            }
            (false, _) => {
                let has = has.iter().map(flag).collect::<Vec<_>>();
                parts.push(format!("of {} {}", process.name, has.join(", ")));
            }
        }
    }
    let _ = write!(page, "\nIt has processes' options too: {}.\n", parts.join("; "));
}

fn table<'a>(page: &mut String, rows: impl Iterator<Item = (&'a Described, Option<String>)>) {
    let mut rows = rows.peekable();
    let has_programs = rows.peek().is_some_and(|(_, programs)| programs.is_some());
    let (head, rule) = if has_programs { (" of |", " --- |") } else { ("", "") };
    // Writing to a string cannot fail.
    let _ = write!(page, "\n| option | variable | default | |{head}\n| --- | --- | --- | --- |{rule}\n");
    for (option, programs) in rows {
        let _ = writeln!(
            page,
            "{}{}",
            option.row(),
            programs.map(|programs| format!(" {programs} |")).unwrap_or_default()
        );
    }
}
