//! A private Postgres server: a temporary directory, a free port, and gone with its owner.

use std::{
    env, fs,
    net::TcpListener,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{LazyLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Long enough for a loaded machine.
const START: Duration = Duration::from_secs(60);

/// A server with durable writes turned off, unless it was asked for them.
pub(crate) struct Postgres {
    directory: TempDir,
    port: u16,
    durable: bool,
    process: Option<Child>,
}

impl Postgres {
    /// Starts a server. Panics with what is missing if it can't.
    pub(crate) fn start(durable: bool) -> Self {
        let directory = tempfile::Builder::new().prefix("carillon-pg-").tempdir().expect("a directory");
        if is_root() {
            let (user, group) = postgres_user();
            chown(directory.path(), Some(user), Some(group)).expect("the directory for user postgres");
        }
        let data = directory.path().join("data");
        let mut initdb = as_postgres(&program("initdb"), directory.path());
        initdb.args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"]);
        check(&initdb.arg(&data).output().expect("initdb runs"));
        let mut server = Self { directory, port: 0, durable, process: None };
        // Another process may take the port between finding and using it.
        for _ in 0..5 {
            server.port = free_port();
            server.spawn();
            if server.is_ready() {
                return server;
            }
            server.stop();
        }
        panic!("Postgres does not start:\n{}", server.log());
    }

    /// The address of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes a new, empty database.
    pub(crate) fn create_database(&self, name: &str) {
        let mut createdb = Command::new(program("createdb"));
        createdb.args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string(), name]);
        check(&createdb.output().expect("createdb runs"));
    }

    /// Ends it at once, as `kill` would, and waits until it is gone.
    pub(crate) fn stop(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let mut stop = as_postgres(&program("pg_ctl"), self.directory.path());
        stop.args(["stop", "-m", "immediate", "-w", "-t", "60", "-D"])
            .arg(self.directory.path().join("data"));
        let _ = stop.output();
        let _ = process.kill();
        let _ = process.wait();
    }

    /// Starts it again, on the same port with the same data.
    pub(crate) fn start_again(&mut self) {
        self.spawn();
        assert!(self.is_ready(), "Postgres does not start again:\n{}", self.log());
    }

    fn spawn(&mut self) {
        let directory = self.directory.path();
        let log = fs::File::options().create(true).append(true).open(directory.join("log")).expect("a log");
        let mut command = as_postgres(&program("postgres"), directory);
        command.arg("-D").arg(directory.join("data")).arg("-k").arg(directory);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-c", "max_connections=200"]);
        command.arg("-c").arg(if self.durable { "fsync=on" } else { "fsync=off" });
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(spawn_from_keeper(command));
    }

    fn is_ready(&mut self) -> bool {
        let deadline = Instant::now() + START;
        let mut ask = Command::new(program("pg_isready"));
        ask.args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        while Instant::now() < deadline {
            if self.process.as_mut().is_none_or(|process| !matches!(process.try_wait(), Ok(None))) {
                return false;
            }
            if ask.status().expect("pg_isready runs").success() {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Postgres refuses to run as root, so user `postgres` runs it then. It dies with this process.
fn as_postgres(program: &Path, directory: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=KILL", "--"]);
        command.arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(directory);
    command
}

/// `--pdeathsig` fires when the thread that started the server ends, so one that never ends does.
fn spawn_from_keeper(command: Command) -> Child {
    type Order = (Command, mpsc::Sender<std::io::Result<Child>>);
    static KEEPER: LazyLock<mpsc::Sender<Order>> = LazyLock::new(|| {
        let (orders, inbox) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, reply) in inbox {
                let _ = reply.send(command.spawn());
            }
        });
        orders
    });
    let (reply, child) = mpsc::channel();
    KEEPER.send((command, reply)).expect("the keeper lives");
    child.recv().expect("the keeper answers").expect("postgres and setpriv (package util-linux) can be run")
}

fn is_root() -> bool {
    // Whoever owns this process's entry runs it.
    fs::metadata("/proc/self").is_ok_and(|entry| entry.uid() == 0)
}

fn postgres_user() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = users.lines().find_map(|line| {
        let mut fields = line.strip_prefix("postgres:")?.split(':').skip(1);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    });
    found.expect("run as root, the tests need the user `postgres`, which the package postgresql makes")
}

/// On the PATH, or where Debian puts it; the newest version wins.
fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    debian.sort();
    let found = env::split_paths(&path).chain(debian.into_iter().rev()).map(|place| place.join(name));
    found.into_iter().find(|program| program.is_file()).unwrap_or_else(|| {
        panic!("{name} is missing: install Postgres 15 or later (Debian: apt install postgresql)")
    })
}

/// Below the range from which outgoing connections get theirs, so that it stays free during a restart.
fn free_port() -> u16 {
    (0..200)
        .map(|_| rand::random_range(20_000..32_000))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

fn check(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
