# Says whether a store path is a NixOS system. Reads only.
# Arguments: TOPLEVEL. Prints the fact "system", yes or no. Exit code: 0.

main() {
  if [ -x "$1/bin/switch-to-configuration" ] && [ -e "$1/nixos-version" ]; then echo system=yes; else echo system=no; fi
}
