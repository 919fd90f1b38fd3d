#!/bin/sh
# Ends a fleet and removes all that it has put on the host: processes, mounts, bridge, control groups, its directory.
# Arguments: DIRECTORY CONTROL_GROUP BRIDGE [wait]. With "wait" it first waits for the end of standard input, which is the
# end of the process that owns the fleet, however it ends.
directory=$1 group=$2 bridge=$3
if [ "${4-}" = wait ]; then
  cat > /dev/null
fi
[ -n "$directory" ] && [ -d "$directory" ] || exit 0

processes() {
  find "$group" -name cgroup.procs -exec cat {} + 2> /dev/null
}

tries=0
while [ -n "$(processes)" ] && [ "$tries" -lt 100 ]; do
  # shellcheck disable=SC2046 # numbers
  kill -KILL $(processes) 2> /dev/null
  sleep 0.05
  tries=$((tries + 1))
done

# The deepest first.
grep -F " $directory/" /proc/self/mounts | cut -d ' ' -f 2 | sort -r | while read -r mount; do
  umount "$mount" 2> /dev/null || umount -l "$mount" 2> /dev/null
done
# A port outlives its machine while a connection of the dead machine waits for its end.
for port in "/sys/class/net/vb-$(basename "$group")-"*; do
  if [ -e "$port" ]; then ip link delete "$(basename "$port")" 2> /dev/null; fi
done
if [ -e "/sys/class/net/$bridge" ]; then ip link delete "$bridge"; fi
for root in "$group" "/sys/fs/cgroup/systemd/$(basename "$group")" "/sys/fs/cgroup/memory/$(basename "$group")-"*; do
  if [ -d "$root" ]; then find "$root" -depth -type d -exec rmdir {} \; 2> /dev/null; fi
done
if ! grep -qF " $directory/" /proc/self/mounts; then rm -rf "$directory"; fi
