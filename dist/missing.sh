# Prints which of the store paths the machine does not have, one per line.
# Arguments: PATH... . Exit codes: 0, another one when Nix cannot be asked.

main() {
  [ "$#" -gt 0 ] || return 0
  # More paths than one command line holds.
  printf '%s\n' "$@" | xargs nix-store --check-validity --print-invalid
}
