# Takes the lock of the machine for this run, records what to go back to, and starts the timer that goes back unless the
# activation ends in time. May be run again.
# Arguments: RUN OPERATION ACTIVATION_SECONDS CONFIRM_SECONDS CLEAR_SECONDS GUARD NAME JOB_SCRIPT WATCHDOG_SCRIPT FINISH_SCRIPT
# SWITCH_SCRIPT ACTIVATE_SCRIPT.
# GUARD is "yes", or "no" for a run that is not to go back by itself; NAME says who runs it. Prints the facts of the system
# before, with "link", or "holder": who is in the way.
# Exit codes: 0, 1 when the watchdog cannot be started, 5 another run holds the lock, 6 somebody runs nixos-rebuild by hand.

# A lock is held as long as a timer or a service of its run is there: one of a dead run frees itself.
holder_lives() {
  [ -n "$(systemctl list-units --plain --no-legend --no-pager --state=active,activating,deactivating \
    "nix-flake-deploy-$1-lock*" "nix-flake-deploy-$1-activat*" "nix-flake-deploy-$1-confirm*" "nix-flake-deploy-$1-health*" "nix-flake-deploy-$1-back*" 2>/dev/null)" ]
}

# Only what root runs can change the system: no other user of the machine can hold a deployment up. Not in the way is what deploys
# another machine from this one (nixos-rebuild with --target-host, and the ssh below it), and what a container on this machine does.
by_hand() {
  here=$(readlink /proc/self/ns/pid)
  ps -eo pid=,uid=,args= | while read -r pid owner args; do
    [ "$owner" = 0 ] || continue
    case ${args%% *} in ssh | */ssh) continue ;; esac
    case $args in
      *' --target-host'*) continue ;;
      *nixos-rebuild*' switch'* | *nixos-rebuild*' boot'* | *nixos-rebuild*' test'* | *bin/switch-to-configuration\ *) ;;
      *) continue ;;
    esac
    if [ "$(readlink "/proc/$pid/ns/pid")" = "$here" ]; then
      printf 'root runs "%.100s" (process %s)' "$args" "$pid"
      return
    fi
  done
  # The unit stays loaded after its end on some machines, and holds nobody up then.
  systemctl list-units --state=active,activating,deactivating --plain --no-legend --no-pager 'nixos-rebuild-switch-to-configuration*' 2>/dev/null |
    while read -r unit _; do
      printf 'the unit %s is active' "$unit"
      return
    done
}

main() {
  run=$1 operation=$2
  dir=$(run_directory "$run")
  cd -- "$dir" || return 1
  exec 8>"$base/mutex"
  flock 8
  held=$(cat "$base/lock" 2>/dev/null || true)
  if [ -n "$held" ] && [ "${held%% *}" != "$run" ] && holder_lives "${held%% *}"; then
    printf 'holder=another run of this action: %s\n' "${held#* }"
    return 5
  fi
  if [ ! -e armed ]; then
    hand=$(by_hand)
    if [ -n "$hand" ]; then
      printf 'holder=%s\n' "$hand"
      return 6
    fi
    printf '%s %s, since %s\n' "$run" "$7" "$(date -u +%H:%M:%SZ)" >"$base/lock" || return 1
    printf '%s' "$8" >job.sh && printf '%s' "$9" >watchdog.sh && printf '%s' "${10}" >finish.sh &&
      printf '%s' "${11}" >switch.sh && printf '%s' "${12}" >activate.sh || return 1
    printf '%s' "$run" >run
    printf '%s' "$operation" >operation
    printf '%s' "$system_profile" >profile
    readlink -- "$system_profile" >previous-link 2>/dev/null
    resolve "$system_profile" >previous-profile
    resolve /run/current-system >previous-running
    [ -s previous-running ] && ln -sfn -- "$(cat previous-running)" "$gcroots/$run/running"
    [ -s previous-profile ] && ln -sfn -- "$(cat previous-profile)" "$gcroots/$run/profile"
    if [ "$6" = yes ]; then
      printf '%s' "$4" >activate.window
      printf '%s' "$5" >clear.window
      /bin/sh ./watchdog.sh arm activation "$3" || return 1
    else
      # Holds the lock until the activation does.
      systemd-run --quiet --unit="nix-flake-deploy-$run-lock-timer" --service-type=exec -- sleep 60 || return 1
    fi
    {
      system_state
      printf 'restarting-units=%s\n' "$(restarting_units)"
    } >before
    : >armed
  fi
  cat before
  printf 'link=%s\n' "$(cat previous-link)"
}
