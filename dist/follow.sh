# Shows the log of a job from a byte on until the job has ended, then reports how it ended and the state of the system.
# May be run again, from where it stopped, after the connection was lost.
# Arguments: RUN JOB OFFSET. Prints the bytes of the log; on standard error the facts "exit" (the job's exit code, or "lost"
# when it ended without one), "result" (what the link result points to) and those of the system; before them, every 10 s, a line
# that says that the job is still followed.
# Exit codes: 0 the job has ended, 3 job not found.

show_new() {
  size=$(wc -c <"$job.log") || return 0
  if [ "$size" -gt "$offset" ]; then
    tail -c "+$((offset + 1))" -- "$job.log" | head -c "$((size - offset))"
    offset=$size
  fi
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
  cd -- "$(run_directory "$1")" 2>/dev/null || return 3
  [ -e "$job.log" ] || return 3
  missed=0
  until [ -e "$job.status" ]; do
    # The run was removed: no more output will follow.
    [ -e "$job.log" ] || return 3
    show_new
    say_alive
    # Waits for the end of the job, at most a fifth of a second.
    if flock --shared --wait 0.2 "$job.alive" true 2>/dev/null && [ ! -e "$job.status" ]; then
      # Free without an exit code: not begun yet, or killed.
      missed=$((missed + 1))
      [ "$missed" -lt 35 ] || break
      if [ "$missed" -lt 10 ]; then sleep 0.01; else sleep 0.1; fi
    fi
  done
  show_new
  {
    printf 'exit=%s\n' "$(cat -- "$job.status" 2>/dev/null || echo lost)"
    printf 'result=%s\n' "$(resolve result)"
  } >&2
}

follow_job() {
  show_job "$@" || return
  system_state >&2
}

main() {
  follow_job "$@"
}
