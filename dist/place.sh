# Puts scripts into the directory of the run.
# Arguments: RUN [NAME TEXT]... . Exit codes: 0, 1 when one cannot be written.

main() {
  find_directory "$1"
  cd -- "$dir" || return 1
  shift
  while [ "$#" -gt 1 ]; do
    printf '%s' "$2" >"$1.new" && mv -- "$1.new" "$1" || return 1
    shift 2
  done
}
