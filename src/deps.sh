#!/bin/sh
# Gets what the build needs and this machine lacks. Says what it does and why.
#
#   src/deps.sh packages NAME...      installs Debian packages that are missing
#   src/deps.sh unpacked FOLDER NAME  unpacks a Debian package into FOLDER, without installing it: some
#                                     start a service when they are installed
#   src/deps.sh newest NAME...        brings Debian packages that are installed up to date
#   src/deps.sh sources FOLDER        unpacks Debian's cJSON and BearSSL into FOLDER/cjson, FOLDER/bearssl
#
# CJSON_SRC and BEARSSL_SRC name source folders to use instead, on other systems.

set -eu

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

can_be_root() {
    [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

packages() {
    missing=
    for name in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null || true)" = installed ] ||
            missing="$missing $name"
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        fail "These packages (by their Debian names) are missing, and there is no apt-get here:" "   $missing"
    by_hand="    apt-get update && apt-get install --no-install-recommends$missing"
    can_be_root ||
        fail "Debian packages are missing, and installing them needs root or sudo. Run by hand, as root:" "$by_hand"
    echo "Installing Debian packages that the build needs and this machine lacks:$missing"
    # shellcheck disable=SC2086 # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive sh -ec \
        'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null' apt $missing ||
        fail "That did not work (offline?). Once the machine is on line, run by hand, as root:" "$by_hand"
}

newest() {
    command -v apt-get >/dev/null || return 0
    by_hand="    apt-get update && apt-get install --only-upgrade $*"
    if ! can_be_root; then
        printf '%s\n' "Looking for newer Debian packages needs root or sudo. Run by hand, as root:" "$by_hand" >&2
        return 0
    fi
    # What it comes to without is the audit's to say.
    as_root apt-get update -qq || return 0
    older=$(apt-get -s --only-upgrade install "$@" | sed -n 's/^Inst \([^ ]*\).*/ \1/p' | tr -d '\n')
    [ -n "$older" ] || return 0
    echo "Updating what munchkin-server is linked with, and the Debian packages that go along with it:$older"
    # shellcheck disable=SC2086 # a list of names
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --only-upgrade $older >/dev/null ||
        fail "That did not work. Run by hand, as root:" "$by_hand"
}

unpacked() {
    folder=$1
    name=$2
    echo "Unpacking Debian's $name into $folder"
    mkdir -p "$folder"
    (cd "$folder" && apt-get -qq -o APT::Sandbox::User=root download "$name" && dpkg-deb -x ./*.deb . && rm ./*.deb) ||
        fail "That did not work (offline?). Run the same again once the machine is on line and 'apt-get update' has run."
}

# A source list of our own, from the binary packages' one, so that the user's is not touched.
debian_sources() {
    work=$(realpath "$1")/apt
    rm -rf "$work"/cjson-* "$work"/bearssl-*
    mkdir -p "$work/lists" "$work/cache"
    list() {
        apt-get indextargets --format 'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(RELEASE) $(COMPONENT)' \
            'Created-By: Packages' 'Origin: Debian' 'Component: main' | sort -u
    }
    list >"$work/sources.list"
    if ! [ -s "$work/sources.list" ]; then
        can_be_root || fail "apt knows no packages yet. Run by hand, as root:" "    apt-get update"
        as_root apt-get update -qq
        list >"$work/sources.list"
    fi
    set -- -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
        -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root
    apt-get "$@" update
    (cd "$work" && apt-get "$@" source cjson bearssl >/dev/null)
}

sources() {
    folder=$1
    mkdir -p "$folder"
    if ! { [ -n "${CJSON_SRC:-}" ] && [ -n "${BEARSSL_SRC:-}" ]; }; then
        echo "Fetching the sources of cJSON and BearSSL from Debian into $folder"
        debian_sources "$folder" ||
            fail "That did not work (offline?). Run 'make deps' again when the machine is on line, or set" \
                "CJSON_SRC and BEARSSL_SRC to folders with the sources of cJSON 1.7.15 and BearSSL 0.6 or later."
    fi
    ln -sfn "$(realpath "${CJSON_SRC:-$(ls -d "$folder"/apt/cjson-*/)}")" "$folder/cjson"
    ln -sfn "$(realpath "${BEARSSL_SRC:-$(ls -d "$folder"/apt/bearssl-*/)}")" "$folder/bearssl"
}

command=$1
shift
case $command in
packages | sources | unpacked | newest) "$command" "$@" ;;
*) fail "src/deps.sh does not know '$command'; see its head." ;;
esac
