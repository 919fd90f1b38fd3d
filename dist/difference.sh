# Reports how two systems of the store differ: the paths that only one of their closures has, with their sizes. Reads only, and
# needs no root.
# Arguments: BEFORE AFTER SECONDS LINES. SECONDS bound each question to Nix, LINES each list.
# Prints for either side "- PATH" for each path that only BEFORE has, then "-size BYTES" for each of them in the same order, and
# the same with "+" for AFTER, and in the end "end".
# Exit codes: 0, 1 when Nix cannot list the closures.

# Paths that are in the second list and not in the first.
only() {
  printf '%s\n%s\n%s\n' "$1" "$1" "$2" | sort | uniq -u | head -n "$lines"
}

side() {
  [ -n "$2" ] || return 0
  printf '%s\n' "$2" | sed "s/^/$1 /"
  printf '%s\n' "$2" | xargs timeout "$seconds" nix-store --query --size | sed "s/^/$1size /"
}

main() {
  before=$1 after=$2 seconds=$3 lines=$4
  old=$(timeout "$seconds" nix-store --query --requisites "$before") || return 1
  new=$(timeout "$seconds" nix-store --query --requisites "$after") || return 1
  side - "$(only "$new" "$old")"
  side + "$(only "$old" "$new")"
  echo end
}
