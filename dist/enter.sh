# The first script where the ssh user should be root and what is sent is known already: does what prepare.sh does beside what facts.sh
# does, and is sent behind both. It prepares nothing for another user than root, whose way to become root is not known yet, and nothing
# where the store of a NixOS is missing.
# Arguments: those of prepare.sh. Prints facts; "prepared" is the exit code of that part. Exit code: 0.

main() {
  if [ "$uid" -ne 0 ] || [ ! -e /run/current-system ] || [ ! -d /nix/var/nix ]; then
    report_facts
    return
  fi
  prepare_run "$@" &
  preparing=$!
  report_facts
  prepared=0
  wait "$preparing" || prepared=$?
  printf 'prepared=%s\n' "$prepared"
}
