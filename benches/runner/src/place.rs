//! The folder of a run on a real disk, removed at its end; and the account that runs PostgreSQL.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

/// The unprivileged account that runs PostgreSQL, which refuses to run as root.
#[derive(Debug, Clone, Copy)]
pub struct Account {
    pub uid: u32,
    pub gid: u32,
}

pub struct Place {
    folder: Option<TempDir>,
    pub path: PathBuf,
    pub account: Option<Account>,
}

impl Place {
    pub fn new() -> Result<Self, String> {
        // Not in memory, where fsync costs nothing, and short, as the path of a socket is.
        let parent = ["/var/tmp", "/tmp"].into_iter().map(Path::new).find(|p| p.is_dir()).ok_or("no /var/tmp")?;
        let folder = tempfile::Builder::new().prefix("sotay-bench.").tempdir_in(parent).map_err(|e| e.to_string())?;
        let path = folder.path().to_owned();
        // PostgreSQL's account must be able to pass through.
        fs::set_permissions(&path, Permissions::from_mode(0o755)).map_err(|e| e.to_string())?;
        let account = if rustix::process::geteuid().is_root() { Some(account()?) } else { None };
        Ok(Self { folder: Some(folder), path, account })
    }

    /// A new folder in it, of PostgreSQL's account.
    pub fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.path.join(name);
        fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        if let Some(Account { uid, gid }) = self.account {
            chown(&path, Some(uid), Some(gid)).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        Ok(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Servers on their way out may still write a file or two.
        let Some(folder) = self.folder.take() else { return };
        let path = folder.keep();
        for _ in 0..50 {
            if fs::remove_dir_all(&path).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        eprintln!("bench: {} could not be removed", path.display());
    }
}

fn account() -> Result<Account, String> {
    let passwd = fs::read_to_string("/etc/passwd").map_err(|e| e.to_string())?;
    let find = |name: &str| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2);
        Some(Account { uid: numbers.next()?.parse().ok()?, gid: numbers.next()?.parse().ok()? })
    };
    ["postgres", "nobody"].into_iter().find_map(find).ok_or("no account to run PostgreSQL as".to_owned())
}
