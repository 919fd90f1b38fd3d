# Starts a job and follows it. It is sent behind start.sh and follow.sh. May be run again, as both.
# Arguments: RUN JOB OFFSET JOB_SCRIPT COMMAND [ARG...]. With another OFFSET than 0, the job was started before. Prints what follow.sh prints.
# Exit codes: those of follow.sh; 1 the job could not be started.

main() {
  run=$1 job=$2 offset=$3
  shift 3
  # After a restart of the machine, a job that was started before is not found.
  cd -- "$(run_directory "$run")" 2>/dev/null || return 3
  if [ "$offset" -eq 0 ]; then start_job "$run" "$job" "$@" || return 1; fi
  follow_job "$run" "$job" "$offset"
}
