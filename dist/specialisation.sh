# Finds a specialisation of a system. Reads only.
# Arguments: TOPLEVEL NAME. Prints "system", its store path, and "available", the names of all. Exit code: 0.

main() {
  resolve system "$1/specialisation/$2"
  printf 'system=%s\n' "$system"
  printf 'available='
  for link in "$1"/specialisation/*; do
    [ ! -e "$link" ] || printf '%s\n' "${link##*/}"
  done | head -n 50 | tr '\n' ' '
  echo
}
