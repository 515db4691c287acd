# What the guests of a self-test do on a machine with a shell of POSIX. What a trial means stands in `ask.rs`.
# 40: what was tried worked; 41: it was refused; 43: there are no means to try it.
name=$1
shift

# Ends by itself, so that nothing stays behind where nothing is held.
spin() {
    i=0
    while [ "$i" -lt 40000000 ]; do i=$((i + 1)); done
}

# Each call holds the standard input of the one before.
nest() {
    if [ "$1" -gt 0 ]; then nest $(($1 - 1)) < /dev/null; else echo deep; fi
}

start_many() {
    i=0
    while [ "$i" -lt "$1" ]; do
        (echo started; exec sleep 3) &
        i=$((i + 1))
    done
}

connect() {
    if command -v nc; then
        nc -w 2 "$1" "$2" < /dev/null
    elif command -v bash; then
        bash -c 'exec 3<> "/dev/tcp/$0/$1"' "$1" "$2"
    elif command -v python3; then
        python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)' "$1" "$2"
    else
        exit 43
    fi > /dev/null 2>&1
}

beat='trap "" TERM HUP INT; i=0; while [ $i -lt 600 ]; do echo x >> beat; i=$((i + 1)); sleep 0.05; done'
done=41

case $name in
exit) exit "$1" ;;
abort) kill -ABRT $$ ;;
spin) spin; exit 40 ;;
spin_many)
    n=0
    while [ "$n" -lt "$1" ]; do
        spin &
        n=$((n + 1))
    done
    wait
    ;;
sleep) sleep "$1" ;;
tick)
    n=0
    while [ "$n" -lt "$2" ]; do
        echo tick
        sleep "$1"
        n=$((n + 1))
    done
    ;;
memory)
    text=xxxxxxxx
    size=8
    while [ "$size" -lt $(($1 / 4)) ]; do
        text=$text$text
        size=$((size * 2))
    done
    sleep 0.3
    exit 40
    ;;
print) head -c "$1" /dev/zero | tr '\0' x ;;
copy_out) cat; exit "$1" ;;
copy_err) cat >&2; exit "$1" ;;
file)
    head -c "$1" /dev/zero 2> /dev/null > fill
    [ "$(wc -c < fill)" -eq "$1" ] || exit 41
    sleep 1
    exit 40
    ;;
files)
    i=0
    while [ "$i" -lt "$1" ]; do
        true 2> /dev/null > "made$i" || exit 41
        i=$((i + 1))
    done
    sleep 1
    exit 40
    ;;
open)
    [ "$(nest "$1" 2> /dev/null)" = deep ] && exit 40
    exit 41
    ;;
processes)
    (start_many "$1") 2> /dev/null || exit 41
    exit 40
    ;;
stack)
    size=$(ulimit -s)
    [ "$size" = unlimited ] && exit 40
    [ "$size" -gt $(($1 / 1024)) ] && exit 40
    again='eval "$again"'
    eval "$again"
    exit 40
    ;;
environment) env ;;
read)
    for path; do cat "$path" 2> /dev/null && done=40; done
    exit "$done"
    ;;
write)
    for path; do (echo overwritten > "$path") 2> /dev/null && done=40; done
    exit "$done"
    ;;
link)
    n=0
    for path; do
        ln -s "$path" "out$n" 2> /dev/null
        cat "out$n" 2> /dev/null && done=40
        [ -e "out$n" ] && (echo overwritten > "out$n") 2> /dev/null && done=40
        n=$((n + 1))
    done
    exit "$done"
    ;;
connect)
    while IFS=: read -r interface rest; do
        case $interface in
        *'|'* | *[[:blank:]]lo | lo) ;;
        *) echo "interface $interface" ;;
        esac
    done < /proc/net/dev
    connect "$1" "$2" && exit 40
    exit 41
    ;;
leave)
    sh -c "$beat" "$1" < /dev/null > /dev/null 2>&1 &
    command -v setsid > /dev/null && setsid sh -c "$beat" "$1" < /dev/null > /dev/null 2>&1 &
    until [ -s beat ]; do sleep 0.05; done
    [ "$2" = false ] || sleep 30
    ;;
watch)
    before=$(wc -c < beat) || exit 43
    sleep 0.4
    [ "$before" = "$(wc -c < beat)" ] && exit 41
    exit 40
    ;;
*) exit 43 ;;
esac
