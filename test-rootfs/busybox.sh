#!/usr/bin/env bash
# Makes test-rootfs/busybox: a root filesystem of Debian's busybox-static, the same every time, and at once where it is there already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
busybox=$(command -v busybox)

# Made by this recipe from this busybox? Then nothing is to do.
key=$(cat busybox.sh "$busybox" | cksum)
[ -d busybox ] && [ "$(cat .busybox.key 2> /dev/null)" = "$key" ] && exit 0

umask 022
root=$(mktemp -d .busybox.XXXXXX)
trap 'rm -rf --one-file-system "$root"' EXIT
chmod 755 "$root"
mkdir -p "$root"/{bin,sbin,usr/{bin,sbin},dev,etc,home/user,lib,mnt,opt,proc,root,run,srv,sys,tmp,var/{log,tmp}}
chmod 700 "$root/root"
chmod 1777 "$root"/{tmp,var/tmp}

cp "$busybox" "$root/bin/busybox"
chmod 755 "$root/bin/busybox"
"$busybox" --list-full | while read -r applet; do
  case $applet in
    bin/busybox | linuxrc) ;;
    usr/*) mkdir -p "$root/${applet%/*}" && ln -s ../../bin/busybox "$root/$applet" ;;
    bin/*) ln -s busybox "$root/$applet" ;;
    *) ln -s ../bin/busybox "$root/$applet" ;;
  esac
done

cat > "$root/etc/passwd" << 'END'
root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
user:x:1000:1000:A user:/home/user:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
END
cat > "$root/etc/group" << 'END'
root:x:0:
daemon:x:1:
adm:x:4:user
tty:x:5:
disk:x:6:root
audio:x:29:user
staff:x:50:user
user:x:1000:
nogroup:x:65534:
END
cat > "$root/etc/hosts" << 'END'
127.0.0.1	localhost
::1	localhost
END
echo container > "$root/etc/hostname"
: > "$root/etc/resolv.conf"
echo "export PS1='\\u@\\h:\\w\\$ '" > "$root/etc/profile"
if [ "$(id -u)" = 0 ]; then chown 1000:1000 "$root/home/user"; fi
find "$root" -exec touch --no-dereference --date=@0 {} +

# By renames, so that nobody finds half of it; the key comes last, and without it everything is made again.
rm -f .busybox.key
if [ -e busybox ]; then
  old=$(mktemp -d .busybox.XXXXXX)
  mv busybox "$old/old"
  mv "$root" busybox
  rm -rf --one-file-system "$old"
else
  mv "$root" busybox
fi
printf '%s\n' "$key" > .busybox.key
