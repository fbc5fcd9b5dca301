#!/usr/bin/env bash
# Succeeds when the program on this machine says that it is ready. Uses bash alone: the image has no curl.
#
#   deploy/healthcheck.sh [PORT]     default: 8080
set -euo pipefail

exec 3<>"/dev/tcp/127.0.0.1/${1:-8080}"
printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
read -r -t 4 _version status _reason <&3
[ "$status" = 200 ]
