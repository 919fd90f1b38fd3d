# Makes a decision, or gives the watchdog a new time.
# Arguments: RUN reached SECONDS (over the connection from before the activation: sshd has answered a new one, whose login is not over)
# | RUN hold SECONDS (over the new connection) | RUN present (over the new connection, and the decision follows at once: the timers go on) | RUN keep (the new system) | RUN drop (nothing is changed any more) | RUN look (before
# the rollback is followed, which the watchdog may have begun: decides nothing, and puts off that the machine removes the run).
# Prints the facts of the system.
# Exit codes: 0, 3 the machine does not know the run (any more), 7 too late: it was decided otherwise.

# Starts a timer, and stops those of before: the new one stands before the old ones go. Arguments: NAME SECONDS [OLD].
replace_timers() {
  /bin/sh ./watchdog.sh arm "$1" "$2" || return 1
  for old in activation confirm ${3-}; do
    systemctl stop "nix-flake-deploy-$run-$old-timer*" 2>/dev/null
  done
  return 0
}

main() {
  run=$1
  enter_directory "$run" && [ -e armed ] || return 3
  if [ "$2" = reached ]; then
    [ ! -L decision ] || return 7
    if [ -e activate.window ] && ! systemctl is-active --quiet "nix-flake-deploy-$1-login-timer.service" "nix-flake-deploy-$1-health-timer.service"; then
      replace_timers login "$3" || return 1
    fi
  elif [ "$2" = hold ]; then
    [ ! -L decision ] || [ "$(readlink decision)" = keep ] || return 7
    if [ -e activate.window ] && ! systemctl is-active --quiet "nix-flake-deploy-$1-health-timer.service"; then
      replace_timers health "$3" login || return 1
    fi
  elif [ "$2" = present ]; then
    [ ! -L decision ] || [ "$(readlink decision)" = keep ] || return 7
  elif [ "$2" = keep ] || [ "$2" = drop ]; then
    /bin/sh ./watchdog.sh "$2" || return
  else
    case $(readlink decision) in keep | drop) return 7 ;; esac
    # There to be followed before it begins.
    : >>rollback.log
    systemctl try-restart "nix-flake-deploy-$1-lease.service" 2>/dev/null
  fi
  system_state
}
