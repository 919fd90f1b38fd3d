# Waits until some time has passed since the end of the activation, and reports what has failed until then: services that systemd
# has restarted since count as failed, even if they are active again. May be run again.
# Arguments: RUN SECONDS. Prints the facts of the system. Exit codes: 0, 3 the machine does not know the run (any more), 7 too
# late: it was decided otherwise.

uptime() {
  cut -d . -f 1 /proc/uptime
}

restarted_units() {
  services | while read -r unit number _; do
    before=$(sed -n "s/^$(escaped "$unit") //p" activate.restarts)
    [ "$number" -le "${before:-0}" ] || printf '%s\n' "$unit"
  done | head -n "$most_units" | tr '\n' ' '
}

# A name as a pattern of sed.
escaped() {
  printf '%s' "$1" | sed 's/[][\\.*^$/]/\\&/g'
}

main() {
  cd -- "$(run_directory "$1")" 2>/dev/null && [ -e armed ] || return 3
  ended=$(cat activate.ended 2>/dev/null) || ended=$(uptime)
  until [ "$(uptime)" -gt "$((ended + $2))" ]; do
    [ ! -L decision ] || [ "$(readlink decision)" = keep ] || return 7
    sleep 0.2
  done
  system_state | while IFS='=' read -r key value; do
    [ "$key" != failed-units ] || value="$value$(restarted_units)"
    printf '%s=%s\n' "$key" "$value"
  done
}
