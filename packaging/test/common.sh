# shellcheck shell=bash disable=SC2154 # here, root and work are set by those who use it
# What `run` and `boot` share: the package, a Debian root to install it in, and checks that say what they looked at.

die() {
    echo "${0##*/}: $1" >&2
    exit 2
}

# needs PROGRAM=PACKAGE…
needs() {
    local need missing=
    [ "$(id -u)" = 0 ] || die "needs root: it installs a package in a root of its own"
    for need in "$@"; do
        command -v "${need%=*}" >/dev/null || missing+=" ${need#*=}"
    done
    [ -z "$missing" ] || die "apt install$missing"
}

failed=0

# check WORDS COMMAND…: runs it and says whether it was as it should be.
check() {
    local words=$1 answer
    shift
    if answer=$("$@" 2>&1); then
        echo "ok      $words"
    else
        echo "FAILED  $words: $*"
        printf '%s\n' "$answer" | tail -n 20 | sed 's/^/        /'
        failed=$((failed + 1))
    fi
}

refuses() { ! "$@"; }

# Is the answer of a command this text?
says() {
    local wanted=$1 answer
    shift
    answer=$("$@" 2>&1) || true
    [ "$answer" = "$wanted" ] || {
        echo "wanted: $wanted"
        echo "answer: $answer"
        return 1
    }
}

# Asks until the answer is 200, five minutes at most: a virtual machine may be slow.
ready() {
    local _
    for _ in $(seq 600); do
        [ "$(curl --silent --insecure --output /dev/null --write-out '%{http_code}' "$1")" != 200 ] || return 0
        sleep 0.5
    done
    echo "$1 does not answer 200"
    return 1
}

# The package SEKISHO_DEB, or one of the program SEKISHO_BIN: packed FOLDER
packed() {
    if [ -n "${SEKISHO_DEB:-}" ]; then
        realpath "$SEKISHO_DEB"
    else
        echo "making the package" >&2
        "$here/../build-deb" "$1" | tail -n 1
    fi
}

# A Debian root with some more packages: debian_root FOLDER PACKAGES,…
debian_root() {
    echo "making a Debian root (${SEKISHO_TEST_SUITE:=bookworm})"
    debootstrap --variant=minbase --include="$2" "$SEKISHO_TEST_SUITE" "$1" "${SEKISHO_TEST_MIRROR:-http://deb.debian.org/debian}" \
        >"$1.log" 2>&1 || {
        tail -n 20 "$1.log" >&2
        die "debootstrap failed"
    }
}

clean=(env --ignore-environment PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive)
in_root() { "${clean[@]}" chroot "$root" "$@"; }
as_sekisho() { "${clean[@]}" chroot --userspec=sekisho:sekisho "$root" "$@"; }

# The same package as an older version, with other sample settings: older_package PACKAGE OUT
older_package() {
    local tree=$work/older
    dpkg-deb --raw-extract "$1" "$tree"
    sed -i 's/^Version: .*/Version: 0.0.1-1/' "$tree/DEBIAN/control"
    sed -i '1s/^/# An older sample.\n/' "$tree/etc/sekisho/sekisho.toml"
    dpkg-deb --root-owner-group --build "$tree" "$2" >/dev/null
    rm -rf "$tree"
}
