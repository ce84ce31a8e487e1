#!/bin/busybox sh
# What a program in a container sees of it: sections of lines. It stands in a root filesystem as `sh`, so that an unchanged bundle runs it.
b=/bin/busybox
section() { echo "== $1"; }

section mounts
$b cat /proc/self/mountinfo
section status
$b grep -E '^(Umask|Uid|Gid|Groups|NSpid|NSsid|Cap|NoNewPrivs|Seccomp|Cpus_allowed|SigBlk|SigIgn|SigCgt|CoreDumping|THP)' /proc/$$/status
section process
echo "command: $($b tr '\0' ' ' </proc/$$/cmdline)"
echo "directory: $($b readlink /proc/$$/cwd), root: $($b readlink /proc/$$/root)"
echo "parent, group, session, terminal: $($b cut -d ' ' -f 4-7 /proc/$$/stat)"
echo "nice, scheduling: $($b cut -d ' ' -f 19,40,41 /proc/$$/stat)"
echo "personality: $($b cat /proc/$$/personality), score for want of memory: $($b cat /proc/$$/oom_score_adj)"
echo "label: $($b cat /proc/$$/attr/current 2>/dev/null)"
section limits
$b cat /proc/$$/limits
section environment
$b tr '\0' '\n' </proc/$$/environ
section descriptors
for fd in /proc/$$/fd/*; do echo "${fd##*/}: $($b readlink "$fd"), $($b grep flags "/proc/$$/fdinfo/${fd##*/}")"; done
section devices
$b find /dev -exec $b stat -c '%n: %F %a %u:%g %t:%T' {} + | $b sort
$b find /dev -type l -exec $b sh -c 'for link; do echo "$link -> $($b readlink "$link")"; done' sh {} + | $b sort
section access
for device in null zero full random urandom tty; do $b head -c 0 /dev/$device 2>&1 && echo "/dev/$device can be read"; done
for path in / /proc/sys/vm /proc/sys/kernel /proc/irq /proc/bus /sys /sys/fs/cgroup /dev /dev/shm /tmp /data /scratch; do
  if [ -e $path ]; then $b touch $path/.written 2>/dev/null && { echo "$path can be written"; $b rm -f $path/.written; } || echo "$path cannot be written"; fi
done
for path in /proc/acpi /proc/asound /proc/bus /proc/fs /proc/irq /proc/kcore /proc/keys /proc/latency_stats /proc/scsi /proc/sched_debug \
  /proc/timer_list /proc/timer_stats /sys/firmware; do
  [ -e $path ] && echo "$path: $($b stat -c '%F %a' $path), $($b ls $path 2>/dev/null | $b wc -l) entries, $($b head -c 1 $path 2>/dev/null | $b wc -c) bytes"
done
section 'kernel settings'
for file in kernel/hostname kernel/domainname net/ipv4/ping_group_range net/ipv4/ip_unprivileged_port_start kernel/shmmax; do
  echo "$file: $($b cat /proc/sys/$file)"
done
section cgroups
$b cat /proc/$$/cgroup
section 'cgroup files'
for file in memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes memory/memory.swappiness memory/memory.oom_control pids/pids.max \
  cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpuset/cpuset.cpus cpuset/cpuset.mems devices/devices.list freezer/freezer.state \
  blkio/blkio.bfq.weight net_cls/net_cls.classid \
  memory.max memory.swap.max memory.low memory.high pids.max cpu.max cpu.weight cpuset.cpus cpuset.mems io.weight cgroup.freeze cgroup.procs; do
  [ -r /sys/fs/cgroup/$file ] && $b sed "s|^|$file: |" /sys/fs/cgroup/$file
done
section namespaces
for namespace in /proc/$$/ns/*; do echo "${namespace##*/}: $($b readlink "$namespace")"; done
section network
$b ip -o link 2>/dev/null
section 'root directory'
$b ls -1 -A /
for file in /etc/hostname /etc/hosts /etc/resolv.conf /run/.containerenv; do [ -e $file ] && echo "$file: $($b cat $file)"; done
$b ls -A /scratch 2>/dev/null
echo '== end'
