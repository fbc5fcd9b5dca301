//! The folder of a private cluster, and the account that runs it.

use std::env;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use super::Error;

/// Room for "/.s.PGSQL.5432" and its lock file behind a socket folder: a socket's path ends at 107 bytes.
const LONGEST_SOCKET_FOLDER: usize = 80;

/// What socket folders are called, so that a leftover one can be told from anything else.
const SOCKET_FOLDER_PREFIX: &str = "sotay-";

/// The unprivileged account that runs PostgreSQL when this process is root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The folder of a private cluster.
#[derive(Debug)]
pub(super) struct ClusterDir {
    pub(super) folder: PathBuf,
    /// `None`: the account of this process.
    pub(super) account: Option<Account>,
}

impl ClusterDir {
    /// Creates the folder, open to its owner alone; elsewhere if the account could not reach it.
    pub(super) fn prepare(wanted: &Path) -> Result<Self, Error> {
        let wanted = std::path::absolute(wanted).map_err(Error::io(wanted))?;
        let account = if rustix::process::geteuid().is_root() { Some(account()?) } else { None };
        let folder = match &account {
            Some(account) => reachable_folder(wanted, account)?,
            None => wanted,
        };
        make_private(&folder, account.as_ref())?;
        Ok(Self { folder, account })
    }

    /// PostgreSQL's own data directory.
    pub(super) fn cluster(&self) -> PathBuf {
        self.folder.join("cluster")
    }
}

/// `postgres` if there is one, else `nobody`.
fn account() -> Result<Account, Error> {
    let path = Path::new("/etc/passwd");
    let passwd = fs::read_to_string(path).map_err(Error::io(path))?;
    ["postgres", "nobody"].iter().find_map(|name| find_account(&passwd, name)).ok_or(Error::NoAccount)
}

fn find_account(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { name: name.to_owned(), uid, gid })
    })
}

fn reachable_folder(wanted: PathBuf, account: &Account) -> Result<PathBuf, Error> {
    let parent = wanted.parent().unwrap_or(&wanted);
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    if is_reachable(parent, account).map_err(Error::io(parent))? {
        return Ok(wanted);
    }
    let name = wanted.file_name().unwrap_or_default().to_string_lossy();
    let folder = Path::new("/var/lib/sotay").join(format!("{name}-{:016x}", fingerprint(&wanted)));
    let parent = Path::new("/var/lib/sotay");
    DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(Error::io(parent))?;
    tracing::warn!(
        wanted = %wanted.display(), used = %folder.display(), account = account.name,
        "PostgreSQL does not run as root, and the account that runs it cannot enter the wanted folder: using another"
    );
    Ok(folder)
}

/// Whether the account may pass through every folder down to this one.
fn is_reachable(folder: &Path, account: &Account) -> io::Result<bool> {
    for step in fs::canonicalize(folder)?.ancestors() {
        let about = fs::metadata(step)?;
        let needed = if about.uid() == account.uid {
            0o100
        } else if about.gid() == account.gid {
            0o010
        } else {
            0o001
        };
        if about.mode() & needed == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// FNV-1a: tells folders of the same name apart, and stays the same from one version of the program to the next.
fn fingerprint(path: &Path) -> u64 {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn make_private(folder: &Path, account: Option<&Account>) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Error::io(folder))?;
    // Mode and owner change below, which must not happen to a folder that is in use for something else.
    let mut entries = fs::read_dir(folder).map_err(Error::io(folder))?;
    if entries.next().is_some() && !folder.join("lock").exists() {
        return Err(Error::ForeignFolder(folder.to_owned()));
    }
    fs::set_permissions(folder, Permissions::from_mode(0o700)).map_err(Error::io(folder))?;
    if let Some(account) = account {
        chown(folder, Some(account.uid), Some(account.gid)).map_err(Error::io(folder))?;
    }
    Ok(())
}

/// A new folder for the Unix socket: short, and open to the account alone.
///
/// Its name is random because others may write in `/tmp`; PostgreSQL notes it in `postmaster.pid`, where a second
/// process finds it.
pub(super) fn new_socket_folder(account: Option<&Account>) -> Result<PathBuf, Error> {
    let parent = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let parent = parent.filter(|parent| account.is_none() && parent.is_dir() && is_plain(parent));
    let parent = parent.unwrap_or_else(|| PathBuf::from("/tmp"));
    let random = uuid::Uuid::now_v7().simple().to_string();
    let folder = parent.join(format!("{SOCKET_FOLDER_PREFIX}{}", &random[20..]));
    DirBuilder::new().mode(0o700).create(&folder).map_err(Error::io(&folder))?;
    if let Some(account) = account {
        chown(&folder, Some(account.uid), Some(account.gid)).map_err(Error::io(&folder))?;
    }
    Ok(folder)
}

/// The path goes into a URL and through a shell as it is.
fn is_plain(path: &Path) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.len() + SOCKET_FOLDER_PREFIX.len() < LONGEST_SOCKET_FOLDER - 12
        && bytes.starts_with(b"/")
        && bytes.iter().all(plain)
}

/// Removes a socket folder that no server uses any more. What cannot be removed is only litter.
pub(super) fn remove_socket_folder(folder: &Path) {
    let ours =
        folder.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(SOCKET_FOLDER_PREFIX.as_bytes()));
    if !ours {
        return;
    }
    for name in [".s.PGSQL.5432", ".s.PGSQL.5432.lock"] {
        let _ = fs::remove_file(folder.join(name));
    }
    if let Err(error) = fs::remove_dir(folder)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(folder = %folder.display(), %error, "cannot remove the socket folder");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_an_account_by_its_whole_name() {
        let passwd =
            "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:8::/:/bin/sh\npostgres:x:101:104:,,,:/var/lib:/bin/bash\n";
        let found = find_account(passwd, "postgres");
        assert_eq!(found, Some(Account { name: "postgres".to_owned(), uid: 101, gid: 104 }));
        assert_eq!(find_account(passwd, "nobody"), None);
    }

    #[test]
    fn a_home_that_only_root_may_enter_is_not_reachable() {
        let folder = tempfile::tempdir().unwrap();
        let stranger = Account { name: "stranger".to_owned(), uid: 4_000_000, gid: 4_000_000 };
        fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        assert!(!is_reachable(folder.path(), &stranger).unwrap());
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        assert!(is_reachable(folder.path(), &stranger).unwrap());
    }

    #[test]
    fn a_runtime_folder_with_odd_characters_or_a_long_name_is_not_used() {
        assert!(is_plain(Path::new("/run/user/1000")));
        assert!(!is_plain(Path::new("/run/user/a b")));
        assert!(!is_plain(Path::new("/run/$(id)")));
        assert!(!is_plain(Path::new("run")));
        assert!(!is_plain(&Path::new("/").join("x".repeat(70))));
    }

    #[test]
    fn a_folder_with_other_files_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("letter.txt"), "mine").unwrap();
        assert!(matches!(make_private(folder.path(), None), Err(Error::ForeignFolder(_))));
    }
}
