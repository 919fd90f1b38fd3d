# Records anew what to go back to, after a restart of the machine has cleared it.
# Arguments: RUN OPERATION LINK PROFILE RUNNING CLEAR_SECONDS JOB_SCRIPT WATCHDOG_SCRIPT FINISH_SCRIPT
# SWITCH_SCRIPT. Exit codes: 0, 1.

main() {
  dir=$(run_directory "$1")
  (umask 077 && mkdir -p -- "$base" "$dir") || return 1
  cd -- "$dir" || return 1
  printf '%s' "$1" >run && printf '%s' "$2" >operation && printf '%s' "$system_profile" >profile && printf '%s' "$3" >previous-link &&
    printf '%s' "$4" >previous-profile && printf '%s' "$5" >previous-running &&
    printf '%s' "$6" >clear.window && printf '%s' "$7" >job.sh && printf '%s' "$8" >watchdog.sh && printf '%s' "$9" >finish.sh &&
    printf '%s' "${10}" >switch.sh && : >>rollback.log && : >armed
}
