# Starts a job and follows it. It is sent behind start.sh and follow.sh. May be run again, as both.
# Arguments: RUN JOB OFFSET JOB_SCRIPT COMMAND [ARG...]. With another OFFSET than 0, the job was started before. Prints what follow.sh prints.
# Exit codes: those of follow.sh; 1 the job could not be started.

start_once() {
  run=$1 job=$2 offset=$3
  shift 3
  # After a restart of the machine, a job that was started before is not found.
  enter_directory "$run" || return 3
  [ "$offset" -ne 0 ] || start_job "$run" "$job" "$@" || return 1
}

main() {
  start_once "$@" || return
  follow_job "$1" "$2" "$3"
}
