//! A unit's file, with what all units have in common.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};

/// The settings of a unit, in the order in which systemd reads them.
pub(super) struct Unit {
    pub(super) name: String,
    settings: Vec<(String, String)>,
}

/// Where the units are.
pub(super) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/systemd")
}

/// The names of the files there that end like this.
pub(super) fn files(end: &str) -> anyhow::Result<Vec<String>> {
    let names = fs::read_dir(directory())?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: Vec<String> = names.collect::<std::io::Result<_>>()?;
    Ok(names.into_iter().filter(|name| name.ends_with(end)).collect())
}

impl Unit {
    pub(super) fn read(file: &str) -> anyhow::Result<Self> {
        let mut settings = Vec::new();
        for path in [file, "carillon-.service.d/carillon.conf"] {
            let text = fs::read_to_string(directory().join(path)).with_context(|| path.to_owned())?;
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            let pairs = lines.filter_map(|line| line.split_once('='));
            settings.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        Ok(Self { name: file.to_owned(), settings })
    }

    /// The binary that it starts, if it starts one.
    pub(super) fn program(&self) -> Option<String> {
        let (program, _) = self.command().ok()?;
        program.strip_prefix("/usr/local/bin/").map(str::to_owned)
    }

    /// What it starts, and with which arguments.
    pub(super) fn command(&self) -> anyhow::Result<(String, Vec<String>)> {
        let mut words = self.last("ExecStart")?.split(' ').map(str::to_owned);
        Ok((words.next().context("no program")?, words.collect()))
    }

    /// The variables that it sets, of its first instance, with its state in this directory.
    pub(super) fn environment(&self, state: &Path) -> Vec<(String, String)> {
        let set = self.settings.iter().filter(|(name, _)| name == "Environment");
        let state = state.display().to_string();
        let variables = set.filter_map(|(_, value)| value.split_once('='));
        variables
            .map(|(name, value)| (name.to_owned(), value.replace("%i", "1").replace("%S", &state)))
            .collect()
    }

    /// The variables of the example of the file that it reads, without a value where everyone chooses their own.
    pub(super) fn environment_file(&self) -> anyhow::Result<Vec<(String, String)>> {
        let named = ("EnvironmentFile".to_owned(), "-/etc/carillon/carillon.env".to_owned());
        ensure!(self.settings.contains(&named), "{} reads no {}", self.name, named.1);
        let text = fs::read_to_string(directory().join("carillon.env"))?;
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        lines.map(|line| pair(line).with_context(|| line.to_owned())).collect()
    }

    pub(super) fn seconds(&self, setting: &str) -> anyhow::Result<u32> {
        Ok(self.last(setting)?.parse()?)
    }

    /// What is read last counts.
    fn last(&self, setting: &str) -> anyhow::Result<&str> {
        let found = self.settings.iter().rev().find(|(name, _)| name == setting);
        Ok(&found.with_context(|| format!("{} has no {setting}", self.name))?.1)
    }
}
