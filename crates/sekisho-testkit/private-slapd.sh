#!/bin/sh
# A private LDAP directory (OpenLDAP's slapd) for tests.
#
#   private-slapd.sh serve   starts a throw-away directory and prints one line: its port, its port with TLS, its process id and its folder. The
#                            folder holds ca.pem (the authority of its certificate) and other-ca.pem (another one). It runs until standard
#                            input ends, so it goes away with whoever started it, however that one ends.
#
# On failure: a line on standard error that says what is missing, and status 1. Embedded in the crate sekisho-testkit.
set -eu

fail() {
    echo "private-slapd: $*" >&2
    exit 1
}

program=$(command -v slapd || :)
[ -n "$program" ] || [ ! -x /usr/sbin/slapd ] || program=/usr/sbin/slapd
[ -n "$program" ] || fail "slapd not found in PATH or /usr/sbin: install OpenLDAP's server (Debian, Ubuntu: apt-get install slapd)"
command -v openssl >/dev/null || fail "openssl not found: install it (Debian, Ubuntu: apt-get install openssl)"
[ "${1:-}" = serve ] || fail "usage: private-slapd.sh serve"

pid=
folder=$(mktemp -d "${TMPDIR:-/tmp}/sekisho-ldap.XXXXXX")
stop() {
    trap '' INT TERM HUP
    # A test may have stopped it in the middle: only this signal reaches it then, and nothing in it is worth keeping.
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || :
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 1' INT TERM HUP
cd "$folder"

# Debian confines /usr/sbin/slapd to its own folders (AppArmor); a copy elsewhere may read this one.
cp "$program" slapd

certificates() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 400 -subj "/CN=sekisho test CA" -keyout ca.key -out ca.pem
    openssl req -x509 -newkey rsa:2048 -nodes -days 400 -subj "/CN=another CA" -keyout other.key -out other-ca.pem
    openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
    echo "subjectAltName = DNS:localhost, IP:127.0.0.1" >san
    openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 399 -extfile san -out server.pem
}
certificates >openssl.log 2>&1 </dev/null || {
    cat openssl.log >&2
    fail "openssl made no certificates"
}

modules=$(ls -d /usr/lib/ldap /usr/lib/*/ldap /usr/lib/openldap /usr/lib64/openldap 2>/dev/null | head -n 1)
schema=/etc/ldap/schema
[ -d "$schema" ] || schema=/etc/openldap/schema
mkdir db
cat >slapd.conf <<END
include $schema/core.schema
include $schema/cosine.schema
include $schema/inetorgperson.schema
pidfile $folder/slapd.pid
modulepath $modules
moduleload back_mdb
TLSCACertificateFile $folder/ca.pem
TLSCertificateFile $folder/server.pem
TLSCertificateKeyFile $folder/server.key
TLSVerifyClient never
database mdb
suffix "dc=city,dc=test"
directory $folder/db
maxsize 67108864
dbnosync
index objectClass,uid eq
limits dn.exact="cn=reader,dc=city,dc=test" size=unlimited
limits dn.exact="cn=short,dc=city,dc=test" size=100
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=city,dc=test" read by dn.exact="cn=short,dc=city,dc=test" read by * none
END

person() { # uid, number, name, password, more lines
    printf 'dn: uid=%s,%s,dc=city,dc=test\nobjectClass: inetOrgPerson\nuid: %s\nemployeeNumber: %s\ncn: %s\nsn: x\nuserPassword: %s\n%s\n\n' \
        "$1" "${6:-ou=people}" "$1" "$2" "$3" "$4" "${5:-mail: $1@city.test}"
}
{
    printf 'dn: dc=city,dc=test\nobjectClass: domain\ndc: city\n\n'
    for unit in people old; do
        printf 'dn: ou=%s,dc=city,dc=test\nobjectClass: organizationalUnit\nou: %s\n\n' "$unit" "$unit"
    done
    for name in reader short; do
        printf 'dn: cn=%s,dc=city,dc=test\nobjectClass: applicationProcess\nobjectClass: simpleSecurityObject\ncn: %s\nuserPassword: reading\n\n' "$name" "$name"
    done
    person u1001 1001 "Sato Hanako" "ひらけ、関所の門" "$(printf 'mail: hanako@city.test\ndepartmentNumber: 21\ntitle: clerk')"
    person u2001 7777 "Somebody Else" "another-number"
    person stopped 1003 "Stopped" "stopped-stopped" "employeeType: disabled"
    person twin 1004 "Twin" "twin-twin"
    person twin 1004 "Twin" "twin-twin" "" ou=old
    number=0
    while [ "$number" -lt 1200 ]; do
        person "p$number" "5$number" "Person $number" "p"
        number=$((number + 1))
    done
} >people.ldif
if ! ./slapd -T add -q -f slapd.conf -l people.ldif >slapd.log 2>&1; then
    cat slapd.log >&2
    fail "the directory could not be filled"
fi

attempt=1
while :; do
    port=$(($(od -An -N2 -tu2 /dev/urandom) % 16000 + 16384))
    tls=$((port + 1))
    ./slapd -d 0 -f slapd.conf -h "ldap://127.0.0.1:$port/ ldaps://127.0.0.1:$tls/" </dev/null >>slapd.log 2>&1 &
    pid=$!
    waited=0
    while kill -0 "$pid" 2>/dev/null && [ "$waited" -lt 200 ]; do
        if [ -s slapd.pid ] && openssl s_client -connect "127.0.0.1:$tls" -CAfile ca.pem -verify_return_error </dev/null >openssl.log 2>&1; then
            break 2
        fi
        sleep 0.1
        waited=$((waited + 1))
    done
    kill -KILL "$pid" 2>/dev/null || :
    pid=
    if [ "$attempt" -ge 5 ]; then
        cat slapd.log openssl.log >&2
        fail "slapd did not start after $attempt attempts"
    fi
    attempt=$((attempt + 1)) # the port may have been taken
done

echo "$port $tls $pid $folder"
cat >/dev/null # until standard input ends
