# Tells the machine that the run is alive. Unless it is told again in time, the machine removes what the run has left. May be run
# again, and is, as long as the run lasts. A user without root has no units: what such a run leaves, the next one removes.
# Arguments: RUN SECONDS EXPIRE_SCRIPT FINISH_SCRIPT. Exit codes: 0, 1 when the unit cannot be started, 3 the machine does not know the
# run (any more).

renew_lease() {
  run=$1
  [ "$uid" -eq 0 ] || return 0
  enter_directory "$run" || return 3
  unit=nix-flake-deploy-$run-lease
  # Where the files are there, the unit may be.
  if [ -e expire.sh ] && systemctl is-active --quiet "$unit.service"; then
    systemctl try-restart "$unit.service"
    return
  fi
  printf '%s' "$4" >finish.sh && printf '%s' "$3" >expire.sh || return 1
  systemd-run --quiet --unit="$unit" --description="nix-flake-deploy: removes what a dead run has left" --service-type=exec \
    -- /bin/sh "$dir/expire.sh" wait "$2"
}

main() {
  renew_lease "$@"
}
