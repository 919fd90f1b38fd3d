# Removes what a run has left on the machine when its runner has shown no sign of life for some time: killed, or cut off for good.
# It is put into the directory of the run and started there by the script lease, which the runner calls again and again: that restarts
# its unit, and so the time. POSIX sh.
#
#   expire.sh wait SECONDS fires each time that so many seconds are over
#   expire.sh fire         nothing while a unit of the activation is active: those act by themselves. An activation that nobody
#                          decides any more, since its timers were killed too, is rolled back; else all that is left is removed
#
# Files: those of watchdog.sh where the run was armed, clear.window (seconds for which the result is kept for a runner that was cut off, from
# the end of a rollback or of the last step), finish.sh.

set -u
cd -- "${0%/*}" || exit 1
directory=$PWD
run=${directory##*/}

# If systemd does not answer, something may be active.
is_active() {
  units=$(holding_units "$run") || return 0
  [ -n "$units" ]
}

is_awaited() {
  [ -e clear.window ] || return 1
  for status in rollback.status last.status; do
    [ -e "$status" ] || continue
    age=$(($(date +%s) - $(stat -c %Y -- "$status")))
    # The clock may have been set back meanwhile.
    load window clear.window
    [ "$age" -lt 0 ] || [ "$age" -ge "$window" ] || return 0
  done
  return 1
}

is_undecided() {
  [ -e begun ] && [ -e activate.window ] && [ ! -e rollback.status ] && [ ! -e last.status ] || return 1
  case $(readlink decision) in
    drop) return 1 ;;
    keep)
      # Of a test, only the decision is left.
      load kind kind
      [ "$kind" != test ]
      ;;
  esac
}

fire() {
  ! is_active || return 0
  if is_undecided; then
    /bin/sh ./watchdog.sh fire health
    return
  fi
  ! is_awaited || return 0
  # In the journal, which outlives the directory.
  echo "the runner has shown no sign of life: removing what its run has left; end of the logs:"
  for log in build.log activate.log rollback.log last.log; do
    [ ! -e "$log" ] || tail -n 100 "$log"
  done
  exec /bin/sh ./finish.sh
}

case $1 in
  wait) while sleep "$2" && [ -e "$directory" ]; do (fire); done ;;
  fire) fire ;;
esac
