#!/usr/bin/env bash
# Runs a command beside a second engine, which is reached over tcp and does not see the files of its clients.
#
#   apart.sh COMMAND…
#
# The command finds the engine's address in BAILIWICK_TEST_DOCKER_APART, and in BAILIWICK_TEST_DOCKER_APART_BASE a
# directory that for the engine is another one, empty. Its containers reach nothing. The engine ends with the command.
set -euo pipefail
. "$(dirname "$0")/client.sh"

apart=$work/apart
base=$apart/base
bridge=bailiwick-apart
mkdir -p "$base"
# Two of them would share the data.
exec 8>"$apart/lock"
flock 8
# One whose script was killed still has them.
if stale=$(cat "$apart/engine.pid" 2>/dev/null) && grep -qsF -- "$apart/data" "/proc/$stale/cmdline"; then
    kill "$stale"
    timeout 30 tail --pid "$stale" -f /dev/null
fi
# Short: the sockets of an engine lie in it.
run=$(mktemp -d)

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

stop() {
    if [[ -n $engine ]]; then
        kill "$engine" 2>/dev/null || true
        wait "$engine" 2>/dev/null || true
    fi
    busybox ip link del "$bridge" 2>/dev/null || true
    rm -rf "$base" "$run"
}

engine=
trap stop EXIT
export BAILIWICK_TEST_DOCKER_APART BAILIWICK_TEST_DOCKER_APART_BASE=$base
BAILIWICK_TEST_DOCKER_APART=tcp://127.0.0.1:$(free_port)
DOCKER_HOST=$BAILIWICK_TEST_DOCKER_APART
# A bridge of its own, in a network for documents that nobody routes: without one the engine takes, or deletes, that of
# the machine's engine.
busybox ip link show "$bridge" >/dev/null 2>&1 || busybox ip link add name "$bridge" type bridge
busybox ip addr replace 192.0.2.1/24 dev "$bridge" 2>/dev/null || busybox ip addr add 192.0.2.1/24 dev "$bridge"
busybox ip link set "$bridge" up
# In a mount namespace of its own, where the base is covered by nothing.
start "$apart/engine.log" unshare --mount --propagation private -- \
    sh -c 'mount -t tmpfs apart "$1" && shift && exec "$@"' sh "$base" \
    dockerd --host "$DOCKER_HOST" --tls=false --data-root "$apart/data" --exec-root "$run" \
    --pidfile "$apart/engine.pid" --bridge "$bridge" --iptables=false --ip-forward=false 8>&-
DOCKER_HOST=$DOCKER_HOST bash "$(dirname "$0")/images.sh" busybox
status=0
env -u DOCKER_HOST "$@" 8>&- || status=$?
exit "$status"
