# Runs a command and records its end, with or without a connection: a unit starts it, follow.sh watches it.
# It is put into the directory of the run and started there. POSIX sh.
# Arguments: JOB [COMMAND [ARG...]]; without a command it is the one in JOB.command (written by start.sh). Output goes to JOB.log and not to the journal, which misses what old versions of
# nixos-rebuild print. While it is alive it holds the lock of JOB.alive; the exit code is in JOB.status from its end on.
# When JOB.window exists, the run must confirm within that many seconds from the end of the command: a timer is started where that of the
# activation is gone.
# Exit code: that of the command. A job that has ended is not run again.

# A build may print without end, and its log is in /run: of one beyond 64 MiB, all but the first 32 MiB and the last one gives its room
# back. What was shown stays where it was.
save_room() {
  while sleep 5; do
    size=$(stat -c %s -- "$job.log") || return
    [ "$size" -le 67108864 ] || fallocate --punch-hole --offset 33554432 --length "$((size - 34603008))" "$job.log" || return
  done
}

job=$1
shift
exec 9>"$job.alive" >>"$job.log" 2>&1 </dev/null
flock 9
# shellcheck disable=SC1090 # start.sh writes it
[ "$#" -gt 0 ] || . "./$job.command"
! load code "$job.status" || exit "$code"
# The room for the exit code is taken now: /run may be full then.
{ echo 255 >"$job.status.new"; } 2>/dev/null
saver=
case $job in
  build | download)
    save_room >/dev/null 2>&1 9>&- &
    saver=$!
    ;;
esac
"$@" 9>&-
code=$?
[ -z "$saver" ] || kill "$saver" 2>/dev/null
# Before the end is recorded: from here on the machine rolls back unless it is reached again.
if load window "$job.window"; then
  load timer activation.pid
  kill -0 "$timer" 2>/dev/null || /bin/sh ./watchdog.sh arm confirm "$window"
fi
# Over what is there, which takes no more room; where there is none of it, with that which arm.sh has reserved.
{ printf '%-3s\n' "$code" 1<>"$job.status.new"; } 2>/dev/null || { rm -f reserve && echo "$code" >"$job.status.new"; }
mv -- "$job.status.new" "$job.status"
exit "$code"
