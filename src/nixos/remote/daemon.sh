# Returns whether the user reaches nix-daemon, after a copy to the machine has failed.
# Arguments: none. Prints the facts "daemon" ("ok", or what Nix says) and "allowed-users" (the setting). Exit code: 0.

features='--extra-experimental-features nix-command'

main() {
  # shellcheck disable=SC2086 # two words
  if said=$(nix $features store ping --store daemon 2>&1); then
    printf 'daemon=ok\n'
  else
    printf 'daemon=%s\n' "$(printf '%s\n' "$said" | sed -n 's/^.*error: //p' | tail -n 1)"
  fi
  # The second name is the older one.
  # shellcheck disable=SC2086 # two words
  settings=$(nix $features config show 2>/dev/null || nix $features show-config 2>/dev/null)
  printf 'allowed-users=%s\n' "$(printf '%s\n' "$settings" | sed -n 's/^allowed-users = //p')"
}
