//! `carillon …`, run to its end, or watched while it runs.

use std::process::Stdio;

use anyhow::{Context, bail, ensure};
use carillon_testkit::{DEADLINE, carillon};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::{Duration, timeout},
};

use crate::suite::authority;

/// The longest that a command may run that is not watched: some send for seconds, on a busy machine.
const LONGEST: Duration = Duration::from_secs(90);

/// A command line, and what it finds in its environment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Invocation {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    input: Option<String>,
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) output: String,
    pub(crate) complaints: String,
}

/// A command that runs. It is killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Invocation {
    /// `carillon` with these arguments.
    pub(crate) fn of(arguments: &[&str]) -> Self {
        Self { arguments: arguments.iter().map(|&text| text.to_owned()).collect(), ..Self::default() }
    }

    /// With more arguments.
    pub(crate) fn with(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&text| text.to_owned()));
        self
    }

    /// With a variable of the environment.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this on its standard input.
    pub(crate) fn input(mut self, text: &str) -> Self {
        self.input = Some(text.to_owned());
        self
    }

    /// Runs it to its end.
    pub(crate) async fn run(self) -> anyhow::Result<Ended> {
        let mut command = self.command()?;
        let mut child = command.spawn().context("starting carillon")?;
        let mut input = child.stdin.take().context("its input")?;
        input.write_all(self.input.unwrap_or_default().as_bytes()).await.ok();
        drop(input);
        let output = timeout(LONGEST, child.wait_with_output()).await;
        let output = output.with_context(|| format!("carillon {:?} did not end", self.arguments))??;
        Ok(Ended {
            code: output.status.code().context("it was killed")?,
            output: String::from_utf8(output.stdout)?,
            complaints: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs it to its end, and expects this exit code.
    pub(crate) async fn exits(self, code: i32) -> anyhow::Result<Ended> {
        let shown = self.arguments.clone();
        let ended = self.run().await?;
        ensure!(ended.code == code, "carillon {shown:?} exited with {}, not {code}: {ended:?}", ended.code);
        Ok(ended)
    }

    /// Starts it.
    pub(crate) fn start(self) -> anyhow::Result<Running> {
        let mut child = self.command()?.spawn().context("starting carillon")?;
        let output = BufReader::new(child.stdout.take().context("its output")?).lines();
        Ok(Running { child, output })
    }

    fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::from(carillon()?);
        command.envs(authority().map(|file| ("SSL_CERT_FILE", file)));
        command.args(&self.arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Ok(command)
    }
}

impl Ended {
    /// The one object that it has printed.
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.output).with_context(|| format!("not one object: {self:?}"))
    }

    /// The objects that it has printed, one in each line.
    pub(crate) fn objects(&self) -> anyhow::Result<Vec<Value>> {
        let object = |line: &str| serde_json::from_str(line).with_context(|| format!("not JSON: {line}"));
        self.output.lines().map(object).collect()
    }

    /// Checks that it says this on standard error.
    pub(crate) fn complains(&self, text: &str) -> anyhow::Result<()> {
        ensure!(self.complaints.contains(text), "it does not say {text:?}: {self:?}");
        Ok(())
    }
}

impl Running {
    /// The next line, as JSON, that is wanted; those before are passed over.
    pub(crate) async fn object(
        &mut self,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        loop {
            let line = timeout(DEADLINE, self.output.next_line()).await;
            let Some(line) = line.with_context(|| format!("no {what} in time"))?? else {
                bail!("it ended without {what}");
            };
            let object = serde_json::from_str(&line).with_context(|| format!("not JSON: {line}"))?;
            if wanted(&object) {
                return Ok(object);
            }
        }
    }

    /// Interrupts it, as Ctrl-C does, and waits until it ends: its exit code.
    pub(crate) async fn interrupt(mut self) -> anyhow::Result<i32> {
        let id = self.child.id().context("it has ended by itself")?;
        let done = Command::new("kill").args(["-INT", &id.to_string()]).status().await?;
        ensure!(done.success(), "kill: {done}");
        self.code().await
    }

    /// Waits until it ends by itself: its exit code.
    pub(crate) async fn code(&mut self) -> anyhow::Result<i32> {
        let status = timeout(LONGEST, self.child.wait()).await.context("it did not end")??;
        status.code().context("it was killed")
    }
}
