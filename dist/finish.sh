# Ends the build of the run, if it still goes on, and removes what the run has left on the machine: its directory, its roots,
# and what systemd remembers of its units.
# Arguments: RUN. Exit code: 0.

main() {
  [ -n "$1" ] || return 0
  dir=$(run_directory "$1")
  if [ "$uid" -eq 0 ]; then
    systemctl stop "nix-flake-deploy-$1-build.service" 2>/dev/null
  elif [ ! -e "$dir/build.status" ] && pid=$(cat -- "$dir/build.pid" 2>/dev/null); then
    # dash takes a "--" after -TERM for a process.
    kill -s TERM -- "-$pid" 2>/dev/null
  fi
  rm -rf -- "$dir"
  rmdir -- "$base" 2>/dev/null
  if [ "$uid" -eq 0 ]; then
    rm -rf -- "${gcroots:?}/$1"
    rmdir -- "$gcroots" 2>/dev/null
    systemctl reset-failed "nix-flake-deploy-$1-*" 2>/dev/null
  fi
  return 0
}
