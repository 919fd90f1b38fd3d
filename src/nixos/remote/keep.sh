# Confirms the new system, or gives the watchdog a new time.
# Arguments: RUN hold SECONDS | RUN keep | RUN look (only asks). Prints the facts of the system.
# Exit codes: 0, 3 the machine does not know the run (any more), 7 too late: the watchdog goes back or has gone.

main() {
  dir=$(run_directory "$1")
  cd -- "$dir" 2>/dev/null && [ -e armed ] || return 3
  if [ "$2" = hold ]; then
    [ ! -e decision ] || [ "$(readlink decision)" = keep ] || return 7
    # The new timer stands before the old one goes.
    if [ -e activate.window ] && ! systemctl is-active --quiet "nix-flake-deploy-$1-health.timer"; then
      /bin/sh ./watchdog.sh arm health "$3" || return 1
      systemctl stop "nix-flake-deploy-$1-confirm.timer" "nix-flake-deploy-$1-activation.timer" 2>/dev/null
    fi
  elif [ "$2" = keep ]; then
    /bin/sh ./watchdog.sh keep || return
  fi
  system_state
}
