//! What `postmaster.pid` says about a cluster, and whether it is still true.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};

const PID_FILE: &str = "postmaster.pid";

/// The state of a cluster's server.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Postmaster {
    /// None runs; a crash may have left the folder of its socket behind.
    Absent { leftover: Option<PathBuf> },
    /// One is starting or stopping.
    Busy,
    /// One says that it accepts connections.
    Ready { socket: PathBuf },
}

impl Postmaster {
    /// Reads the state of the cluster's server.
    pub(super) fn of(cluster: &Path) -> Self {
        let Ok(text) = fs::read_to_string(cluster.join(PID_FILE)) else {
            return Self::Absent { leftover: None };
        };
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        // Process id, data directory, start time, port, socket folder, address, shared memory, state.
        let socket = lines.get(4).filter(|socket| !socket.is_empty()).map(PathBuf::from);
        let pid = lines.first().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
        let Some(pid) = pid else { return Self::Busy };
        if !is_alive(pid, cluster) {
            return Self::Absent { leftover: socket };
        }
        match (socket, lines.get(7)) {
            (Some(socket), Some(&"ready")) => Self::Ready { socket },
            _ => Self::Busy,
        }
    }
}

/// Removes the file of a dead server: its process id may belong to another process by now, and PostgreSQL would then
/// refuse to start. For the cluster's owner only.
pub(super) fn forget(cluster: &Path) {
    // Failing is harmless: PostgreSQL judges the file by itself when it starts.
    let _ = fs::remove_file(cluster.join(PID_FILE));
}

/// Whether the process exists and is this cluster's server, which works inside the cluster's folder.
fn is_alive(pid: Pid, cluster: &Path) -> bool {
    if test_kill_process(pid) == Err(rustix::io::Errno::SRCH) {
        return false;
    }
    let works_in = fs::metadata(format!("/proc/{}/cwd", pid.as_raw_nonzero()));
    match (works_in, fs::metadata(cluster)) {
        (Ok(works_in), Ok(cluster)) => (works_in.dev(), works_in.ino()) == (cluster.dev(), cluster.ino()),
        // No /proc (macOS), or not allowed to look (a container): the process id has to do.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster_with(pid: u32, state: &str) -> tempfile::TempDir {
        let cluster = tempfile::tempdir().unwrap();
        let text = format!("{pid}\n/data\n1795180000\n5432\n/tmp/sotay-gone\n\n 1 2\n{state}   \n");
        fs::write(cluster.path().join("postmaster.pid"), text).unwrap();
        cluster
    }

    #[test]
    fn a_dead_server_leaves_its_socket_folder() {
        let cluster = cluster_with(4_194_303, "ready");
        assert_eq!(Postmaster::of(cluster.path()), Postmaster::Absent { leftover: Some("/tmp/sotay-gone".into()) });
        forget(cluster.path());
        assert_eq!(Postmaster::of(cluster.path()), Postmaster::Absent { leftover: None });
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_id_that_now_belongs_to_another_program_is_no_server() {
        let cluster = cluster_with(std::process::id(), "ready");
        assert!(matches!(Postmaster::of(cluster.path()), Postmaster::Absent { .. }));
    }
}
