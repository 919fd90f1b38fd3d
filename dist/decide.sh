# Makes a decision, or gives the watchdog a new time.
# Arguments: RUN hold SECONDS | RUN keep (the new system) | RUN drop (nothing is changed any more) | RUN look (before the rollback is
# followed, which the watchdog may have begun: decides nothing, and puts off that the machine clears the run away). Prints the
# facts of the system.
# Exit codes: 0, 3 the machine does not know the run (any more), 7 too late: it was decided otherwise.

main() {
  dir=$(run_directory "$1")
  cd -- "$dir" 2>/dev/null && [ -e armed ] || return 3
  if [ "$2" = hold ]; then
    [ ! -L decision ] || [ "$(readlink decision)" = keep ] || return 7
    # The new timer stands before the old one goes.
    if [ -e activate.window ] && ! systemctl is-active --quiet "nix-flake-deploy-$1-health-timer.service"; then
      /bin/sh ./watchdog.sh arm health "$3" || return 1
      # Patterns: systemd 262 stops nothing at all when one of several units is not there.
      systemctl stop "nix-flake-deploy-$1-confirm-timer*" "nix-flake-deploy-$1-activation-timer*" 2>/dev/null
    fi
  elif [ "$2" = keep ] || [ "$2" = drop ]; then
    /bin/sh ./watchdog.sh "$2" || return
  else
    case $(readlink decision) in keep | drop) return 7 ;; esac
    # There to be followed before it begins.
    : >>rollback.log
    systemctl try-restart "nix-flake-deploy-$1-clear-timer.service" 2>/dev/null
  fi
  system_state
}
