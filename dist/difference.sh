# Reports how two systems of the store differ: the paths that only one of their closures has, with their sizes. Reads only, and
# needs no root. It is part of compare.sh.
# Arguments: BEFORE AFTER SECONDS LINES. SECONDS bound each question to Nix, LINES each list.
# Prints for either side "- PATH" for each path that only BEFORE has, then "-size BYTES" for each of them in the same order, and
# the same with "+" for AFTER, and in the end "end"; or "failed CODE" when Nix cannot list the closures.
# Exit code: 0.

closure() {
  paths=$(timeout "$seconds" nix-store --query --requisites "$2") || {
    echo "failed $?"
    return
  }
  printf '%s\n' "$paths" | sed "s/^/$1 /"
}

# The paths that one side has alone, with their sizes.
side() {
  paths=$(printf '%s\n' "$different" | sed -n "s/^$1 //p" | head -n "$lines")
  [ -n "$paths" ] || return 0
  printf '%s\n' "$paths" | sed "s/^/$1 /"
  printf '%s\n' "$paths" | xargs timeout "$seconds" nix-store --query --size | sed "s/^/$1size /"
}

# Both sides are asked at the same time: a pipe holds what the one says until the other has ended.
difference() {
  seconds=$3 lines=$4
  all=$(closure + "$2" | {
    closure - "$1" </dev/null
    cat
  })
  failed=$(printf '%s\n' "$all" | sed -n '/^failed /{p;q;}')
  if [ -n "$failed" ]; then
    echo "$failed"
    return
  fi
  different=$(printf '%s\n' "$all" | awk '{ n[$2]++; side[$2] = $1 } END { for (path in n) if (n[path] == 1) print side[path], path }' | sort)
  side + | {
    side - </dev/null
    cat
  }
  echo end
}

main() {
  difference "$@"
}
