# Imports source trees that come as a tar archive of a binary cache of files. Nix checks them by their content, which needs no rights.
# Arguments: PATH... . Exit codes: 0, another one when the archive or a path cannot be taken.

main() {
  # Not in the run's directory, which is in memory.
  directory=$(mktemp -d /var/tmp/nix-flake-deploy-pack-XXXXXXXX) || return 1
  trap 'rm -rf -- "$directory"' EXIT
  trap 'exit 1' HUP INT TERM
  tar -x -f - -C "$directory" || return 1
  # More paths than one command line holds.
  printf '%s\n' "$@" | xargs nix --extra-experimental-features nix-command copy --from "file://$directory" >&2
}
