#!/usr/bin/env bash
# Starts the container engine of this machine where none answers, and leaves it running.
#
#   engine.sh
set -euo pipefail
. "$(dirname "$0")/client.sh"

! answers || exit 0
[[ -z ${DOCKER_HOST:-} ]] || fail "no container engine answers at $DOCKER_HOST" 'start it, or unset DOCKER_HOST'
[[ $(id -u) == 0 ]] || fail 'no container engine answers' 'start dockerd, or run this as root'
command -v dockerd >/dev/null || fail 'there is no dockerd' 'install the package docker.io'
# What an init system would have done.
grep -q ' cgroup2\? ' /proc/mounts || cgroupfs-mount ||
    fail 'no cgroups are mounted' 'install the package cgroupfs-mount, or mount them'

mkdir -p "$work"
start "$work/engine.log" dockerd
