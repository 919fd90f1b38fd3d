# Ends the build and the downloads of the run, if they still go on, and removes what the run has left on the machine: its directory, its roots,
# its lock, and what systemd remembers of its units. A machine that has rolled back on its own and that no run returns to runs it, too.
# Where the last step is not done yet, nothing is removed: the machine does that itself, later.
# Arguments: RUN. Exit code: 0.

# Whether the last step still goes on: it is begun once, and then nothing else changes the machine.
is_in_last_step() {
  case $units in unknown | *"$prefix-last.service"*) ;; *) return 1 ;; esac
  [ "$(readlink "$dir/decision")" = keep ] && [ -e "$dir/last.log" ] && [ ! -e "$dir/last.status" ] &&
    systemctl is-active --quiet "$prefix-last.service"
}

# Stops the units of the run but for its lease. Most often it has no other by now.
stop_units() {
  case $units in unknown | *" failed "* | *"$prefix-"[!l]* | *"$prefix-l"[!e]*) ;; *) return 0 ;; esac
  forget=yes
  # Patterns: systemd 262 stops nothing at all when one of several units is not there.
  set -- "$prefix-build*" "$prefix-download*" "$prefix-*-timer.service"
  # After a rollback or the last step, what has not quite ended has nothing more to do.
  if [ -e "$dir/rollback.log" ] || [ -e "$dir/last.log" ]; then
    set -- "$@" "$prefix-activation*.service" "$prefix-confirm*.service" "$prefix-login*.service" "$prefix-health*.service" "$prefix-last*.service"
  fi
  systemctl stop "$@" 2>/dev/null
}

main() {
  [ -n "$1" ] || return 0
  find_directory "$1"
  prefix=nix-flake-deploy-$1 forget=
  if [ "$uid" -eq 0 ]; then
    units=$(systemctl list-units --all --plain --no-legend --no-pager "$prefix-*" 2>/dev/null) || units=unknown
    ! is_in_last_step || return 0
    stop_units
  elif [ ! -e "$dir/build.status" ] && load pid "$dir/build.pid"; then
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
  load held "$base/lock"
  case $held in "$1 "*) lock=$base/lock ;; *) lock= ;; esac
  if [ "$uid" -eq 0 ]; then roots=${gcroots:?}/$1; else roots=; fi
  rm -rf -- ${lock:+"$lock"} "$dir" ${roots:+"$roots"}
  # The mutex is removed with the last run; a run that waits for it has a directory there.
  if [ "$(ls -A -- "$base" 2>/dev/null)" = mutex ]; then rm -f -- "$base/mutex"; fi
  rmdir -- "$base" ${roots:+"$gcroots"} 2>/dev/null
  if [ "$uid" -eq 0 ]; then
    [ -z "$forget" ] || systemctl reset-failed "$prefix-*" 2>/dev/null
    # Last, since it may be what runs this.
    systemctl stop "$prefix-lease*" 2>/dev/null
  fi
  return 0
}
