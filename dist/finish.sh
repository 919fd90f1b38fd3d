# Ends the build and the downloads of the run, if they still go on, and removes what the run has left on the machine: its directory, its roots,
# its lock, and what systemd remembers of its units. A machine that has rolled back on its own and that no run returns to runs it, too.
# Where the last step is not done yet, nothing is removed: the machine does that itself, later.
# Arguments: RUN. Exit code: 0.

main() {
  [ -n "$1" ] || return 0
  dir=$(run_directory "$1")
  if [ "$(readlink "$dir/decision")" = keep ] && [ -e "$dir/last.log" ] && [ ! -e "$dir/last.status" ] &&
    systemctl is-active --quiet "nix-flake-deploy-$1-last.service"; then
    return 0
  fi
  if [ "$uid" -eq 0 ]; then
    # Patterns: systemd 262 stops nothing at all when one of several units is not there.
    # After a rollback or the last step, a unit that has not quite ended would start another timer.
    if [ -e "$dir/rollback.log" ] || [ -e "$dir/last.log" ]; then
      systemctl stop "nix-flake-deploy-$1-activation*.service" "nix-flake-deploy-$1-confirm*.service" "nix-flake-deploy-$1-login*.service" \
        "nix-flake-deploy-$1-health*.service" "nix-flake-deploy-$1-last*.service" 2>/dev/null
    fi
    systemctl stop "nix-flake-deploy-$1-build*" "nix-flake-deploy-$1-download*" "nix-flake-deploy-$1-*-timer.service" 2>/dev/null
  elif [ ! -e "$dir/build.status" ] && pid=$(cat -- "$dir/build.pid" 2>/dev/null); then
    # dash takes a "--" after -TERM for a process.
    kill -s TERM -- "-$pid" 2>/dev/null
  fi
  # Compressed paths that were still on their way when the connection was lost.
  for pack in "/var/tmp/nix-flake-deploy-pack-$1-"*; do
    [ ! -e "$pack" ] || rm -rf -- "$pack"
  done
  if [ -z "$base" ]; then
    rm -rf -- "$dir"
    return 0
  fi
  held=
  { read -r held <"$base/lock"; } 2>/dev/null
  case $held in "$1 "*) lock=$base/lock ;; *) lock= ;; esac
  if [ "$uid" -eq 0 ]; then roots=${gcroots:?}/$1; else roots=; fi
  rm -rf -- ${lock:+"$lock"} "$dir" ${roots:+"$roots"}
  # The mutex is removed with the last run; a run that waits for it has a directory there.
  if [ "$(ls -A -- "$base" 2>/dev/null)" = mutex ]; then rm -f -- "$base/mutex"; fi
  rmdir -- "$base" ${roots:+"$gcroots"} 2>/dev/null
  if [ "$uid" -eq 0 ]; then
    systemctl reset-failed "nix-flake-deploy-$1-*" 2>/dev/null
    # Last, since it may be what runs this.
    systemctl stop "nix-flake-deploy-$1-lease*" 2>/dev/null
  fi
  return 0
}
