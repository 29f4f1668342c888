#!/bin/sh
# A private PostgreSQL for tests.
#
#   private-postgres.sh serve            starts a throw-away server and prints one line: its address
#                                        (postgres://user:password@127.0.0.1:port). It runs until standard
#                                        input ends, so it goes away with whoever started it, however that
#                                        one ends. Then the server is stopped and its folder removed.
#
# On failure: a line on standard error that says what is missing, and status 1.
# Used by scripts/test (one server for a whole run) and embedded in the crate sekisho-testkit.
set -eu

fail() {
    echo "private-postgres: $*" >&2
    exit 1
}

# Debian keeps the server's programs outside PATH, one folder a version: take the newest.
find_program() {
    if command -v "$1" >/dev/null 2>&1; then
        command -v "$1"
        return
    fi
    for folder in $(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null | sort -Vr); do
        if [ -x "$folder/$1" ]; then
            echo "$folder/$1"
            return
        fi
    done
    fail "$1 not found in PATH or below /usr/lib/postgresql: install PostgreSQL (Debian, Ubuntu: apt-get install postgresql)"
}

# PostgreSQL refuses to run as root.
as_server_user() {
    if [ -z "$server_user" ]; then
        "$@"
    elif command -v runuser >/dev/null 2>&1; then
        runuser -u "$server_user" -- "$@"
    else
        setpriv --reuid "$server_user" --regid "$server_group" --clear-groups -- "$@"
    fi
}

stop() {
    trap '' INT TERM HUP
    if [ -f "$folder/data/postmaster.pid" ]; then
        # Immediate: nothing in this server is worth keeping. pg_ctl reads the process id from the data folder.
        as_server_user "$pg_ctl" --pgdata "$folder/data" --mode immediate --wait stop >/dev/null 2>&1 || :
    fi
    rm -rf "$folder"
}

serve() {
    # Assignments on lines of their own: they carry the status of find_program.
    initdb=$(find_program initdb)
    pg_ctl=$(find_program pg_ctl)
    server_user=
    if [ "$(id -u)" = 0 ]; then
        server_user=postgres
        id "$server_user" >/dev/null 2>&1 || server_user=nobody
        server_group=$(id -g "$server_user")
    fi

    folder=$(mktemp -d "${TMPDIR:-/tmp}/sekisho-pg.XXXXXX")
    trap stop EXIT
    trap 'exit 1' INT TERM HUP
    [ -z "$server_user" ] || chown "$server_user" "$folder"
    cd "$folder"

    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    (umask 077 && echo "$password" >password)
    [ -z "$server_user" ] || chown "$server_user" password
    # Locale C: text sorts by bytes, as in SQLite.
    if ! as_server_user "$initdb" --pgdata "$folder/data" --username sekisho --pwfile "$folder/password" \
        --auth password --encoding UTF8 --locale C --no-sync </dev/null >initdb.log 2>&1; then
        cat initdb.log >&2
        fail "initdb failed in $folder (a folder that the user ${server_user:-$(id -un)} can reach is needed: set TMPDIR)"
    fi

    attempt=1
    while :; do
        port=$(($(od -An -N2 -tu2 /dev/urandom) % 16000 + 16384))
        options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=400"
        options="$options -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_wal_size=256MB"
        if as_server_user "$pg_ctl" --pgdata "$folder/data" --log "$folder/data/server.log" --wait --timeout 60 \
            --options "$options" start </dev/null >/dev/null 2>&1; then
            break
        fi
        if [ "$attempt" -ge 5 ]; then
            tail -n 20 "$folder/data/server.log" >&2 || :
            fail "the server did not start after $attempt attempts"
        fi
        attempt=$((attempt + 1)) # the port may have been taken
    done

    echo "postgres://sekisho:$password@127.0.0.1:$port"
    cat >/dev/null # until standard input ends
}

case "${1:-}" in
serve)
    serve
    ;;
*)
    fail "usage: private-postgres.sh serve"
    ;;
esac
