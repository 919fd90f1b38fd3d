# Reports how two systems of the store differ: the paths that only one of their closures has, with their sizes. Reads only, and
# needs no root.
# Arguments: BEFORE AFTER SECONDS LINES. SECONDS bound each question to Nix, LINES each list.
# Prints "- PATH BYTES" for each path that only BEFORE has, "+ PATH BYTES" for each that only AFTER has, and in the end "end"; or
# "failed CODE" when Nix cannot list the closures.
# Exit code: 0.

closure() {
  echo "side $1"
  timeout "$seconds" nix --extra-experimental-features nix-command path-info --recursive --size "$2" || echo "failed $?"
}

# Both sides are asked at the same time: a pipe holds what the one says until the other has ended.
difference() {
  seconds=$3
  closure + "$2" | {
    closure - "$1" </dev/null
    cat
  } | awk -v lines="$4" '
    $1 == "side" { side = $2; next }
    $1 == "failed" { failed = failed ? failed : $0; next }
    { if (!($1 in number)) path[++paths] = $1; number[$1]++; of[$1] = side; size[$1] = $2 }
    END {
      if (failed) { print failed; exit }
      for (i = 1; i <= paths; i++) {
        name = path[i]
        if (number[name] == 1 && ++shown[of[name]] <= lines) print of[name] " " name " " size[name]
      }
      print "end"
    }'
}

main() {
  difference "$@"
}
