# Shows the last journal lines of units, at most 1,000 characters of each.
# Arguments: LINES UNIT... . Exit code: 0.

main() {
  count=$1
  shift
  for unit in "$@"; do
    printf '%s:\n' "$unit"
    timeout 5 journalctl --unit="$unit" --lines="$count" --no-pager --output=cat 2>/dev/null | tail -n "$count" | cut -c 1-1000 | sed 's/^[[:space:]]*/  /'
  done
}
