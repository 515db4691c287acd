# What the scripts beside share: how an engine is asked, started and waited for. Sourced, never run.

# Everything that is made on the way lies here, and may be deleted.
work=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)/target/docker

fail() {
    printf '%s: %s\nhint: %s\n' "$(basename "$0")" "$1" "$2" >&2
    exit 1
}

# Calls the engine's API: a path, then what else curl takes. DOCKER_HOST is honoured as everywhere.
api() {
    local path=$1 host=${DOCKER_HOST:-unix:///var/run/docker.sock}
    shift
    case $host in
    unix://*) curl -sS --unix-socket "${host#unix://}" "$@" "http://engine/v1.41$path" ;;
    tcp://*) curl -sS --noproxy '*' "$@" "http://${host#tcp://}/v1.41$path" ;;
    *) fail "DOCKER_HOST is $host" 'these scripts speak unix:// and tcp:// without TLS' ;;
    esac
}

answers() {
    [[ $(api /_ping --max-time 5 2>/dev/null) == OK ]]
}

# Starts an engine and waits until it answers at DOCKER_HOST: a log file, then the command that becomes the engine.
# It shares no terminal, pipe or process group with this script. `engine` is its process id.
start() {
    local log=$1 driver tries
    shift
    for driver in overlay2 vfs; do
        printf '=== %s\n' "$driver" >>"$log"
        setsid "$@" --storage-driver "$driver" </dev/null >>"$log" 2>&1 &
        engine=$!
        for ((tries = 0; tries < 300; tries++)); do
            ! answers || return 0
            # One that cannot use this driver ends at once.
            kill -0 "$engine" 2>/dev/null || break
            sleep 0.2
        done
        ! kill "$engine" 2>/dev/null || break
    done
    tail -n 20 "$log" >&2
    fail 'no container engine could be started' "read $log; an engine needs root, cgroups and the right to mount"
}
