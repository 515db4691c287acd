#!/usr/bin/env bash
# Makes the images that the tests run in, on the spot, and imports them into the engine: no registry is asked.
#
#   images.sh [busybox|python…]
#
# Each image bears the digest of what it was made of, and is made again only when that changed. The file that was
# imported is kept, so that another engine has it in a second.
set -euo pipefail
. "$(dirname "$0")/client.sh"

label=org.bailiwick.test.made-of
suite=bookworm
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
busybox=$(command -v busybox || true)

# Says what an image is made of: this script, and what it puts into it.
made_of() {
    case $1 in
    busybox) cat "$0" "$busybox" ;;
    python) cat "$0" && uname -m ;;
    esac | sha256sum | cut -c1-32
}

make_busybox() {
    local applet
    mkdir -p "$1"/{bin,dev,etc,proc,root,sys,tmp,usr/bin,var}
    chmod 1777 "$1/tmp"
    cp "$busybox" "$1/bin/busybox"
    for applet in $("$busybox" --list); do
        [[ -e $1/bin/$applet ]] || ln -s busybox "$1/bin/$applet"
    done
    ln -s ../../bin/env "$1/usr/bin/env"
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$1/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$1/etc/group"
}

make_python() {
    local mirror log=$1.log
    # The mirror is the one that this system uses already.
    mirror=$(apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(REPO_URI)' 2>/dev/null |
        sed -n 's/^Packages Debian //p' | grep -v security | head -n 1 || true)
    debootstrap --variant=minbase --include=python3-minimal,libpython3-stdlib "$suite" "$1" \
        "${mirror:-http://deb.debian.org/debian}" >"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        fail 'debootstrap made no Debian' 'look whether the mirror of apt can be reached, then try again'
    }
    rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/var/log/* "$1"/dev/* \
        "$1"/usr/share/{doc,info,locale,man,zoneinfo}
}

# Makes the file that becomes the image, complete or not at all.
make() {
    local name=$1 file=$2 root
    root=$(mktemp -d "$work/$name.XXXXXX")
    trap 'rm -rf "$root" "$root.log" "$root.tar"' EXIT
    chmod 0755 "$root"
    "make_$name" "$root"
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C "$root" -cf "$root.tar" .
    rm -f "$work/$name"-*.tar
    mv "$root.tar" "$file"
    rm -rf "$root" "$root.log"
    trap - EXIT
}

import() {
    local name=$1 file=$2 answer changes
    changes=$(printf '&changes=%s' "LABEL%20$label=$3" "ENV%20PATH=$path" 'CMD%20%5B%22/bin/sh%22%5D')
    answer=$(api "/images/create?fromSrc=-&repo=bailiwick-test/$name&tag=latest$changes" \
        -X POST -H 'Content-Type: application/x-tar' -H 'Expect:' -T "$file")
    [[ $answer == *'"status":"sha256:'* ]] ||
        fail "the engine did not take the image $name: $answer" 'look into its log; there may be no space left'
}

image() {
    local name=$1 inputs file
    inputs=$(made_of "$name")
    if [[ $(api "/images/bailiwick-test/$name:latest/json") == *"\"$label\":\"$inputs\""* ]]; then
        return
    fi
    file=$work/$name-$inputs.tar
    [[ -e $file ]] || make "$name" "$file"
    import "$name" "$file" "$inputs"
    printf 'bailiwick-test/%s: made\n' "$name"
}

answers || fail 'no container engine answers' 'start dockerd, or set DOCKER_HOST'
mkdir -p "$work"
# Two at once would make everything twice.
exec 9>"$work/images.lock"
flock 9
(($# > 0)) || set -- busybox python
for name; do
    case $name in
    busybox) [[ -n $busybox ]] || fail 'there is no busybox' 'install the package busybox-static' ;;
    python)
        command -v debootstrap >/dev/null || fail 'there is no debootstrap' 'install the package debootstrap'
        ;;
    *) fail "no image is called $name" 'busybox and python are' ;;
    esac
    image "$name"
done
