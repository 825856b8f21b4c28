#!/usr/bin/env bash
# Gives the environment's interpreter a newer C library, inside the project only.
#
# The wheels of tensorflow-data-validation and ml-metadata need glibc >= 2.38. On an
# older Debian-like host this unpacks Debian 13's libc6, libstdc++6 and libgcc-s1
# beside the environment and points the environment's own copy of the interpreter at
# them. Needs apt-get, no root. Usage: glibc.sh ENVIRONMENT PATCHELF
set -euo pipefail

readonly environment=$1 patchelf=$2
readonly needed=2.38 suite=trixie
readonly work="$environment/glibc"

host=$(getconf GNU_LIBC_VERSION | cut -d' ' -f2)
if [ "$(printf '%s\n%s\n' "$needed" "$host" | sort -V | head -n 1)" = "$needed" ]; then
    exit 0
fi

fail() {
    echo "setup: this host has glibc $host, the TFX wheels need $needed: $1" >&2
    echo "setup: remedy: use Debian 13, Ubuntu 24.04 or newer." >&2
    exit 3
}
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    fail "and there is no apt-get here to bring a newer one beside the environment."
. /etc/os-release
[ "$ID" = debian ] || fail "and $ID is not Debian, so its package source is unknown."

# The mirror is whatever this host already uses, with the newer suite.
mirror=$( (cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
    /etc/apt/sources.list.d/*.sources 2>/dev/null || true) |
    sed -nE 's/^(URIs:|deb( \[[^]]*\])?) +([a-z+]+:[^ ]*debian\/?)( .*)?$/\3/p' | head -n 1)
[ -n "$mirror" ] || fail "and no Debian mirror is named in /etc/apt."

echo "setup: glibc $host is older than $needed: unpacking Debian 13's beside the environment"
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
: >"$work/status"
options=(-qq -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status"
    -o "Dir::Cache=$work" -o "Dir::Cache::archives=$work/archives"
    -o "Dir::Etc::sourcelist=$work/sources.list" -o "Dir::Etc::sourceparts=/dev/null"
    -o "Acquire::Languages=none" -o "APT::Architecture=amd64"
    -o "APT::Sandbox::User=" -o "Acquire::Retries=3")
apt-get "${options[@]}" update || fail "and apt-get could not read $mirror."
(cd "$work/archives" && apt-get "${options[@]}" download libc6 libstdc++6 libgcc-s1) ||
    fail "and apt-get could not download it from $mirror."
for package in "$work"/archives/*.deb; do
    dpkg-deb --extract "$package" "$work/root"
done
rm -rf "$work/lists" "$work/archives" "$work"/*.bin "$work/status"

libraries="$work/root/usr/lib/x86_64-linux-gnu"
python="$environment/bin/python"
original=$(readlink -f "$python")
prefix=$(dirname "$(dirname "$original")")
copy="$environment/bin/python.patched"
cp "$original" "$copy"
chmod u+w "$copy"
"$patchelf" --set-interpreter "$libraries/ld-linux-x86-64.so.2" "$copy"
"$patchelf" --force-rpath \
    --set-rpath "$libraries:$prefix/lib:/usr/lib/x86_64-linux-gnu:/lib/x86_64-linux-gnu" "$copy"
# Without these two TensorFlow would load the host's older libstdc++ first.
"$patchelf" --add-needed libstdc++.so.6 --add-needed libgcc_s.so.1 "$copy"
"$copy" -c "import ssl, sqlite3, ctypes" || fail "and the interpreter does not start with it."
mv -f "$copy" "$python"
ln -sf python "$environment/bin/python3"
ln -sf python "$environment/bin/python3.11"
