#!/usr/bin/env bash
# A machine of its own for engines, in which a command then runs: no network but a loopback, nothing in /run, /var/lib and /var/log, a copy of
# /etc to write to, and its own processes, host name and shared memory. All of that ends with the command; only cgroups are the host's.
#
# usage: machine.sh DIRECTORY COMMAND…     the directory is empty, and the root of whatever is written
set -euo pipefail
directory=$1
shift

inside='
set -euo pipefail
directory=$1
shift
mount -t tmpfs -o mode=755 engines "$directory"
cp -a /etc "$directory/etc"
mkdir "$directory"/{lib,log,run,tmp}
chmod 1777 "$directory/tmp"
mount --bind "$directory/etc" /etc
mount --bind "$directory/run" /run
mount --bind "$directory/lib" /var/lib
mount --bind "$directory/log" /var/log
mkdir -m 1777 /run/lock
mount -t tmpfs -o mode=1777 shm /dev/shm
# As an init system leaves it: engines ask for that.
mount --make-rshared /
hostname engines
echo 127.0.1.1 engines >> /etc/hosts
ip link set lo up
status=0
ENGINES_MACHINE=$directory TMPDIR=$directory/tmp "$@" || status=$?
exit "$status"
'
exec unshare --mount --propagation private --net --uts --ipc --pid --fork --kill-child --mount-proc \
  bash -c "$inside" machine "$directory" "$@"
