# Starts a build and follows it, then compares what it has built with the system that runs. It is sent behind start.sh, follow.sh, run.sh and
# difference.sh. May be run again, as those.
# Arguments: RUN JOB OFFSET BEFORE SECONDS LINES JOB_SCRIPT COMMAND [ARG...]: BEFORE is the system that runs, or empty where nothing is to be
# compared; SECONDS and LINES are those of difference.sh, the others those of run.sh.
# Prints what follow.sh prints, without the facts of the system. On standard error, behind them, the line "difference" and what difference.sh
# prints, where the build has made another system.
# Exit codes: those of run.sh.

main() {
  run=$1 job=$2 offset=$3 before=$4 seconds=$5 lines=$6
  shift 6
  start_once "$run" "$job" "$offset" "$@" || return
  show_job "$run" "$job" "$offset" || return
  if [ -n "$before" ] && [ -n "$result" ] && [ "$before" != "$result" ]; then
    echo difference >&2
    difference "$before" "$result" "$seconds" "$lines" >&2
  fi
  return 0
}
