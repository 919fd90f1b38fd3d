# The watchdog of one activation: it lies in the directory of the run, beside what arm.sh has recorded there, and activates the
# old system again unless the new one was confirmed. Works without any connection; safe to run twice, and without effect after a
# reboot, which clears the directory.
#
# States, by the files of the directory. None of these is ever taken back, and the link "decision" can be made only once.
#
#   armed       neither "begun" nor "decision"  nothing was activated
#   activating  "begun", no "decision"          the new system is being activated, or runs and is not confirmed
#   kept        decision -> keep                confirmed: the job "last" runs or will run; ended with last.status
#   back        decision -> back                rejected: the job "rollback" runs or will run; ended with rollback.status
#   dropped     decision -> drop                nothing more is changed
#
#   armed -> activating            activate.sh, which makes "begun" and stops when there is a decision by then
#   armed, activating -> back      a timer whose time is up; the runner
#   armed, activating -> dropped   the runner: nothing was activated, or someone else has switched the machine
#   activating -> kept             the runner, over a fresh connection
#
# From kept on only the job "last" changes the machine: it sets profile and boot loader, or restores both and the old system.
# Its unit stops the timers; a timer that fires in kept runs the job itself, which happens once however often.
#
#   watchdog.sh arm NAME SECONDS   starts the timer NAME: a unit that waits, and then starts another with "watchdog.sh fire NAME"
#   watchdog.sh wait NAME SECONDS  what the first of the two does; to stop it stops nothing that has begun. Where the activation ends in
#                                  time, "activation" goes on waiting, as "confirm"
#   watchdog.sh fire NAME          what a timer does: "activation" rolls back while the activation has not ended, "confirm",
#                                  "login" and "health" always
#   watchdog.sh keep               activating -> kept, and starts the job "last"; exit code 7: decided otherwise before
#   watchdog.sh back               -> back, and rolls back; exit code 7: decided otherwise before
#   watchdog.sh drop               -> dropped; exit code 7: decided otherwise before
#   watchdog.sh last               runs the job "last" in its unit
#   watchdog.sh late               runs it elsewhere
#   watchdog.sh restore            activates the old system; exit code 9: neither the old nor the new system runs, so that nothing
#                                  was changed
#
# Files: run, kind (switch, boot, test, or plain: see last.sh and activate.sh), profile (the system profile), current (the link to
# the running system), lock (of switch-to-configuration), new-running, previous-link (of the profile), previous-profile,
# previous-running (store paths, or empty), activate.window (seconds from the end of the activation to the confirmation), reserve (room in
# /run for a rollback or the last step), job.sh, last.sh, switch.sh; activation.pid is made here (the process of the first timer).

set -u
cd -- "${0%/*}" || exit 1
for file in run kind current new-running previous-link previous-profile previous-running; do
  # Nothing is known of what to roll back to.
  [ -e "$file" ] || exit 1
done
load run run
load kind kind
directory=$PWD

# Runs a command again with more room in /run, where it fails.
with_room() {
  "$@" && return
  [ -e reserve ] || return
  rm -f reserve
  "$@"
}

# Not a timer of systemd: each `systemctl daemon-reload` restarts its time (seen with systemd 252, 257 and 262), and a system
# that reloads again and again would never roll back.
timer() {
  unit=nix-flake-deploy-$run-$1-timer
  set -- systemd-run --quiet --unit="$unit" --service-type=exec -- /bin/sh "$directory/watchdog.sh" wait "$1" "$2"
  "$@" && return
  # One whose answer was lost is there already.
  ! systemctl is-active --quiet "$unit.service" || return 0
  with_room "$@"
}

# Sets "up" to the seconds since the start of the machine.
read_uptime() {
  read -r up _ </proc/uptime
  up=${up%.*}
}

# Waits for the time of a timer, and sets the name under which it fires.
wait_for() {
  name=$1
  if [ "$name" != activation ]; then
    sleep "$2"
    return
  fi
  # Where it cannot be written, job.sh starts another timer.
  { echo "$$" >activation.pid; } 2>/dev/null
  read_uptime
  deadline=$((up + $2))
  until [ -e activate.status ]; do
    read_uptime
    left=$((deadline - up))
    [ "$left" -gt 0 ] || return 0
    # The activation holds this lock until it ends. Before it begins, or where it was killed, nobody does.
    flock --shared --wait "$left" activate.alive true 2>/dev/null
    [ -e activate.status ] || sleep 1 || return
  done
  name=confirm
  load window activate.window
  sleep "$window"
}

disarm() {
  # Patterns: systemd 262 stops nothing at all when one of several units is not there.
  systemctl stop "nix-flake-deploy-$run-activation-timer*" "nix-flake-deploy-$run-confirm-timer*" "nix-flake-deploy-$run-login-timer*" \
    "nix-flake-deploy-$run-health-timer*" 2>/dev/null
  return 0
}

# Makes the decision, or says whether it was made that way before.
decide() {
  ln -s "$1" decision 2>/dev/null || [ "$(readlink decision)" = "$1" ]
}

keep() {
  decide keep || return 7
  case $kind in
    switch | boot)
      start_last
      return 0
      ;;
  esac
  disarm
}

# Starts the unit of the job "last", unless the job has ended. A second unit of the job waits for the first and then does nothing. Where
# no unit can be started, the timers go on: the next one runs the job.
start_last() {
  [ ! -e last.status ] || return 0
  unit=nix-flake-deploy-$run-last
  if [ -e last.log ]; then
    ! systemctl is-active --quiet "$unit.service" || return 0
    systemctl reset-failed "$unit.service" 2>/dev/null
  fi
  # There to be followed before it begins.
  : >>last.log
  with_room systemd-run --quiet --unit="$unit" --service-type=exec --property=WorkingDirectory="$directory" -- \
    /bin/sh "$directory/watchdog.sh" last && return 0
  setsid nohup /bin/sh ./watchdog.sh late >/dev/null 2>&1 </dev/null &
}

# To stop the timers takes longer than the step where it goes well.
last_in_unit() {
  disarm &
  last
  wait
}

late() {
  last
  disarm
}

last() {
  rm -f reserve
  case $kind in
    switch) /bin/sh ./job.sh last /bin/sh ./last.sh run ;;
    boot) /bin/sh ./job.sh last /bin/sh ./last.sh end ;;
  esac
  return 0
}

roll_back() {
  decide back || return 7
  rm -f reserve
  /bin/sh ./job.sh rollback /bin/sh ./watchdog.sh restore
  disarm
}

restore() {
  # What still activates must not go on beside the rollback. One that ignores SIGTERM takes a while, in which a follower must
  # see that the rollback has begun.
  if [ ! -e activate.status ]; then
    systemctl stop "nix-flake-deploy-$run-activate*.service" 2>/dev/null
  fi
  if [ ! -e begun ]; then
    echo "nothing was activated: there is nothing to roll back"
    return 0
  fi
  [ "$kind" != boot ] || exec /bin/sh ./last.sh undo
  # Wait for a switch by someone else, which decides what the machine runs.
  load lock lock
  if [ -e "$lock" ]; then flock --shared --wait 120 "$lock" true; fi
  # Also where the old system seems to run: a killed activation may have replaced /etc by then.
  load old previous-running
  load new new-running
  load current current
  now=$(readlink -f -- "$current")
  if [ "$now" != "$old" ] && [ "$now" != "$new" ]; then
    echo "nix-flake-deploy: the machine runs $now, which is neither the old nor the new system: nothing was changed"
    return 9
  fi
  echo "rolling back: $old/bin/switch-to-configuration test"
  # The checks of the old system would refuse to leave a new one that was activated in spite of its own.
  NIXOS_NO_CHECK=1 /bin/sh ./switch.sh "$old" test
}

case $1 in
  arm) timer "$2" "$3" ;;
  wait)
    wait_for "$2" "$3" || exit
    systemd-run --quiet --unit="nix-flake-deploy-$run-$name" --service-type=exec -- /bin/sh "$directory/watchdog.sh" fire "$name" ||
      exec /bin/sh ./watchdog.sh fire "$name"
    ;;
  fire)
    if [ "$2" = activation ] && [ -e activate.status ] && [ ! -L decision ]; then
      # It has ended just now.
      load window activate.window
      timer confirm "$window"
      exit
    fi
    case $(readlink decision) in
      keep) late ;;
      drop) ;;
      *)
        roll_back
        code=$?
        if [ "$code" -eq 7 ] && [ "$(readlink decision)" = keep ]; then late; fi
        ;;
    esac
    exit 0
    ;;
  keep) keep ;;
  back) roll_back ;;
  drop)
    decide drop || exit 7
    disarm
    ;;
  last) last_in_unit ;;
  late) late ;;
  restore) restore ;;
esac
