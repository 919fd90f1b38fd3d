# Shows the last journal lines of units.
# Arguments: LINES UNIT... . Exit code: 0.

main() {
  count=$1
  shift
  for unit in "$@"; do
    printf '%s:\n' "$unit"
    journalctl --unit="$unit" --lines="$count" --no-pager --output=cat 2>/dev/null | while read -r line; do printf '  %s\n' "$line"; done
  done
}
