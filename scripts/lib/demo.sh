# shellcheck shell=bash
# Starts a demo of one's own on a free port, and stops it when the script ends. To be sourced after packages.sh.

demo_pid=
demo_folder=

# shellcheck disable=SC2317 # called by the trap
stop_demo() {
  if [ -n "$demo_pid" ]; then
    kill -INT "$demo_pid" 2>/dev/null || true
    wait "$demo_pid" 2>/dev/null || true
  fi
  rm -rf "$demo_folder"
}

# start_demo LOG sets `ready` to the line of JSON that the demo prints. SOTAY_PROGRAM names the program; otherwise it is built.
# Budgets would end long runs; they have tests of their own.
start_demo() {
  local program=${SOTAY_PROGRAM:-}
  if [ -z "$program" ]; then
    need_rust
    cargo build --locked >&2
    program=${CARGO_TARGET_DIR:-target}/debug/sotay
  fi
  need_postgres
  demo_folder=$(mktemp -d /tmp/sotay-demo.XXXXXX)
  trap stop_demo EXIT
  SOTAY_DATA_DIR=$demo_folder SOTAY_REQUESTS_PER_MINUTE=1000000 SOTAY_ANONYMOUS_REQUESTS_PER_MINUTE=1000000 \
    "$program" demo --json --port 0 >"$demo_folder/ready.json" 2>"$1" &
  demo_pid=$!
  for _ in $(seq 1200); do
    if [ -s "$demo_folder/ready.json" ]; then break; fi
    kill -0 "$demo_pid" 2>/dev/null || fail "The demo did not start: $1"
    sleep 0.1
  done
  # shellcheck disable=SC2034 # for the script that sources this
  ready=$(cat "$demo_folder/ready.json")
}
