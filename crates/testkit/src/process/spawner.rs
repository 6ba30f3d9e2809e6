//! The thread that starts every child.
//!
//! A child asks the kernel to be killed when its parent is gone (`setpriv --pdeathsig KILL`), and to
//! the kernel the parent is the *thread* that forked. Test threads come and go, so one
//! thread that lives as long as this process starts them all.

use std::{
    io,
    process::{Child, Command},
    sync::{
        LazyLock,
        mpsc::{self, Sender},
    },
    thread,
};

struct Request {
    command: Command,
    answer: Sender<io::Result<Child>>,
}

static SPAWNER: LazyLock<Sender<Request>> = LazyLock::new(|| {
    let (sender, requests) = mpsc::channel::<Request>();
    thread::spawn(move || {
        for Request { mut command, answer } in requests {
            // Nobody waits for an answer any more only if the asking thread has panicked.
            let _ = answer.send(command.spawn());
        }
    });
    sender
});

/// Starts `command` from the thread that never ends.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    let (answer, child) = mpsc::channel();
    SPAWNER.send(Request { command, answer }).map_err(io::Error::other)?;
    child.recv().map_err(io::Error::other)?
}
