# Imports store paths that come as a tar archive of a binary cache of files. Source trees are checked by their content, which needs no
# rights; what was built needs root where it has no signature.
# Ends when its directory is removed: a machine that lost its network would wait for the rest until TCP gives up.
# Arguments: RUN PATH..., each path behind those that it refers to. Exit codes: 0, another one when the archive or a path cannot be taken.

main() {
  run=$1
  shift
  # What a lost connection of the same run has left, and what runs of this user have left that died a day ago.
  rm -rf -- "/var/tmp/nix-flake-deploy-pack-${run:?}-"*
  find /var/tmp -maxdepth 1 -name 'nix-flake-deploy-pack-*' -user "$uid" -mmin +1440 -exec rm -rf -- {} + 2>/dev/null
  # Not in the run's directory, which is in memory.
  directory=$(mktemp -d "/var/tmp/nix-flake-deploy-pack-$run-XXXXXXXX") || return 1
  trap 'rm -rf -- "$directory"' EXIT
  trap 'exit 1' HUP INT TERM
  # A command in the background would have no input.
  exec 3<&0
  tar -x -f - -C "$directory" <&3 &
  reader=$!
  (while sleep 1 && [ -d "$directory" ]; do :; done && kill "$reader") </dev/null >/dev/null 2>&1 3<&- &
  watcher=$!
  wait "$reader"
  code=$?
  exec 3<&-
  kill "$watcher" 2>/dev/null
  [ "$code" -eq 0 ] || return "$code"
  if [ "$uid" -eq 0 ]; then signatures=--no-check-sigs; else signatures=; fi
  # More paths than one command line holds.
  printf '%s\n' "$@" | xargs nix --extra-experimental-features nix-command copy --no-recursive ${signatures:+"$signatures"} --from "file://$directory" >&2
}
