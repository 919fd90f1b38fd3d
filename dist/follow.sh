# Shows the log of a job from a byte on until the job has ended, then reports how it ended and the state of the system.
# May be run again, from where it stopped, after the connection was lost.
# Arguments: RUN JOB OFFSET. Prints the bytes of the log; on standard error the facts "exit" (the job's exit code, or "lost"
# when it ended without one), "result" (what the link result points to) and those of the system; before them, every 10 s, a line
# that says that the job is still followed.
# Exit codes: 0 the job has ended, 3 job not found.

# What is in the log behind the byte that was shown last, to which descriptor 7 has come.
show_new() {
  [ -s "$job.log" ] || return 0
  if [ "$offset" -eq 0 ]; then cat <&7; else tail -c "+$((offset + 1))" <&7; fi
  offset=0
}

say_alive() {
  read -r now _ </proc/uptime
  now=${now%.*}
  [ "$now" -ge "$next" ] || return 0
  echo "$job is still followed" >&2
  next=$((now + 10))
}

# Shows the log, and reports how the job ended.
show_job() {
  job=$2 offset=$3 next=0
  enter_directory "$1" && [ -e "$job.log" ] && command exec 7<"$job.log" || return 3
  missed=0
  until [ -e "$job.status" ]; do
    # The run was removed: no more output will follow.
    [ -e "$job.log" ] || return 3
    show_new
    say_alive
    # Waits for the end of the job, at most a fifth of a second.
    held=no
    { { flock --shared --wait 0.2 8 || held=yes; } 8>>"$job.alive"; } 2>/dev/null
    if [ "$held" = no ] && [ ! -e "$job.status" ]; then
      # Free without an exit code: not begun yet, or killed.
      missed=$((missed + 1))
      [ "$missed" -lt 35 ] || break
      if [ "$missed" -lt 10 ]; then sleep 0.01; else sleep 0.1; fi
    fi
  done
  show_new
  exec 7<&-
  load exit "$job.status" || exit=lost
  resolve result result
  printf 'exit=%s\nresult=%s\n' "$exit" "$result" >&2
}

follow_job() {
  show_job "$@" || return
  system_state >&2
}

main() {
  follow_job "$@"
}
