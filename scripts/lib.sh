# lib.sh - what quickstart, check and others share. SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # shared with who includes this

# Debian's and Ubuntu's packages: to build, to run, to test. Those of
# backends are for ./configure to find.
build_packages='gcc libc6-dev make pkg-config autoconf automake libtool
    libfcgi-dev libjson-c-dev libsodium-dev nettle-dev uuid-dev libyaml-dev
    liblmdb-dev libcrypt-dev libcurl4-gnutls-dev'
backend_packages='libldap-dev libpam0g-dev libpq-dev'
run_packages='nginx spawn-fcgi multiwatch openssl curl'
test_packages='libcmocka-dev python3 shellcheck postgresql slapd
    libpam-wrapper mandoc groff-base debian-archive-keyring apache2
    libapache2-mod-fcgid lighttpd caddy systemd strace iproute2 libfaketime
    python3-yaml python3-jsonschema openapi-specification'
analyze_packages='clang clang-tools cppcheck'
coverage_packages='gcovr'
memcheck_packages='valgrind libc6-dbg'
fuzz_packages='clang libclang-rt-dev'
package_packages='debhelper dpkg-dev fakeroot lintian mmdebstrap rpm'

me=$(basename "$0")

say() { printf '%s: %s\n' "$me" "$*"; }
complain() { say "$@" >&2; }
die() {
    complain "$@"
    exit 1
}

# Install those of the packages that are not there. Elsewhere than on Debian
# and its kin nothing is installed: configure and the tests say what is missing.
install_packages() {
    command -v dpkg-query >/dev/null || return 0
    missing=''
    for package in "$@"; do
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
        installed) ;;
        *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0

    root=''
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            die "run this as root, there is no sudo: apt-get install$missing"
        root=sudo
    fi
    say "installing:$missing"
    apt_log=$(mktemp)
    # shellcheck disable=SC2086 # these are words
    { $root apt-get update -q &&
        $root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
            --no-install-recommends $missing; } </dev/null >"$apt_log" 2>&1 || {
        cat "$apt_log" >&2
        rm -f "$apt_log"
        die "cannot install:$missing"
    }
    rm -f "$apt_log"
}

# Where to build: in a folder of the tree; or, when the tree cannot be written
# or was configured in place, under the user's cache.
choose_work() { # sets work
    if [ -w "$top" ] && [ ! -e "$top/config.status" ] &&
        { [ ! -e "$top/build" ] || [ -O "$top/build" ]; }; then
        work=$top/build
        mkdir -p "$work"
    else
        work=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/xivo-auth
        mkdir -p "$work" 2>/dev/null || work=$(mktemp -d)
    fi
}

# That folder, with a copy of the tree when it is not in the tree.
prepare_tree() { # sets src and work
    choose_work
    src=$top
    if [ "$work" != "$top/build" ]; then
        src=$work/source
        say "building in $work"
        mkdir -p "$src"
        # With their times, so that what is built stays built.
        tar -C "$top" -cf - --exclude=./build --exclude=./.git \
            --exclude='*.o' --exclude='*.lo' --exclude='*.la' \
            --exclude='.libs' --exclude='.deps' --exclude=./config.status \
            --exclude=./config.h --exclude=./Makefile --exclude=./stamp-h1 \
            --exclude=./libtool . | tar -C "$src" -xf -
        chmod -R u+w "$src"
    fi
    [ -x "$src/configure" ] || quietly "$work/autogen.log" "$src/autogen.sh" ||
        die 'autogen.sh failed'
}

# What configure may find, with versions.
libraries() {
    # shellcheck disable=SC2086 # these are words
    ! command -v dpkg-query >/dev/null ||
        dpkg-query -W $build_packages $backend_packages libcmocka-dev \
            2>/dev/null || true
}

# Build in a folder of $work: build_in FOLDER CONFIGURE-OPTION...
build_in() {
    folder=$work/$1
    shift
    mkdir -p "$folder"
    (
        cd "$folder" || exit 1
        # Configured with other options, elsewhere, or when other libraries
        # were there: begin anew.
        now=$(printf '%s\n' "$src $*" && libraries)
        if [ ! -e Makefile ] || [ "$(cat .options 2>/dev/null)" != "$now" ]
        then
            quietly configure.log "$src/configure" "$@" || exit 1
            printf '%s\n' "$now" >.options
        fi
        quietly make.log make -j"$(nproc)" || exit 1
    )
}

# Run a command with its words in a file; show them when it fails.
quietly() { # quietly FILE COMMAND...
    quiet_log=$1
    shift
    "$@" >"$quiet_log" 2>&1 </dev/null && return 0
    tail -n 40 "$quiet_log" >&2
    complain "failed: $* (all of it: $quiet_log)"
    return 1
}
