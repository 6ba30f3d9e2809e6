//! Each connection is a file descriptor.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Those that the process has anyway.
const SPARE: u64 = 100;

/// Asks for as many as are needed.
///
/// # Errors
/// More than the system allows this user.
pub(super) fn allow(connections: u32) -> anyhow::Result<()> {
    let wanted = u64::from(connections) + SPARE;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let allowed = maximum.is_none_or(|maximum| maximum >= wanted);
    anyhow::ensure!(
        allowed,
        "{connections} connections need {wanted} open files, and the system allows {}: ulimit -n {wanted}, \
         or fewer --connections",
        maximum.unwrap_or_default()
    );
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })?;
    Ok(())
}
