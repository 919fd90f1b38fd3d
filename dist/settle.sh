# Waits until some time has passed since the end of the activation, and reports what has failed until then: services that systemd
# has restarted since count as failed, even if they are active again. May be run again.
# Arguments: RUN SECONDS. Prints the facts of the system. Exit codes: 0, 3 the machine does not know the run (any more), 7 too
# late: it was decided otherwise.

# Sets "now" to the time since the start of the machine, in hundredths of a second. Setting the clock does not change it.
read_uptime() {
  read -r now _ </proc/uptime
  now=${now%.*}${now#*.}
}

# Waits until the time is over or somebody decides, who is noticed within a fifth of a second.
wait_until() {
  while :; do
    read_uptime
    left=$(($1 - now))
    [ "$left" -gt 0 ] || return 0
    [ ! -L decision ] || [ "$(readlink decision)" = keep ] || return 7
    if [ "$left" -ge 20 ]; then sleep 0.2; else sleep "0.$((left / 10))$((left % 10))"; fi
  done
}

restarted_units() {
  services '*.service' | awk 'FILENAME != "-" { before[$1] = $2; next } $2 > before[$1] + 0 { print $1 }' activate.restarts - |
    head -n "$most_units" | tr '\n' ' '
}

main() {
  enter_directory "$1" && [ -e armed ] || return 3
  read_uptime
  # It is empty where /run was full.
  load ended activate.ended
  [ -n "$ended" ] || ended=$now
  # activate.sh leaves none where it sees no unit that was started.
  [ -e activate.restarts ] || services '*.service' >activate.restarts
  wait_until "$((ended + $2 * 100))" || return
  system_state | while IFS='=' read -r key value; do
    [ "$key" != failed-units ] || value="$value$(restarted_units)"
    printf '%s=%s\n' "$key" "$value"
  done
}
