#!/usr/bin/env bash
# Makes test-rootfs/debian: a small Debian with apt, bash and Node.js, by debootstrap; at once where it is there already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
suite=bookworm

# Made by this recipe? Then nothing is to do.
key=$(cksum < debian.sh)
[ -d debian ] && [ "$(cat .debian.key 2> /dev/null)" = "$key" ] && exit 0
if [ "$(id -u)" != 0 ]; then
  echo 'test-rootfs/debian.sh: debootstrap needs root; the tests that want Debian are left out' >&2
  exit 0
fi

umask 022
root=$(mktemp -d .debian.XXXXXX)
trap 'rm -rf --one-file-system "$root"' EXIT
chmod 755 "$root"
echo 'test-rootfs: making a Debian root filesystem' >&2
if ! debootstrap --variant=minbase --include=nodejs,procps "$suite" "$root" > .debian.log 2>&1; then
  tail -n 20 .debian.log >&2
  exit 1
fi
rm -rf .debian.log "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*
echo debian > "$root/etc/hostname"

# By renames, so that nobody finds half of it; the key comes last, and without it everything is made again.
rm -f .debian.key
if [ -e debian ]; then
  old=$(mktemp -d .debian.XXXXXX)
  mv debian "$old/old"
  rm -rf --one-file-system "$old"
fi
mv "$root" debian
printf '%s\n' "$key" > .debian.key
