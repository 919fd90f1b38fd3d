# Compares two systems of the store: their closures, and what a switch would do to units. Reads only, and needs no root. It is sent
# behind difference.sh and units.sh.
# Arguments: BEFORE AFTER NIX_SECONDS PATHS CURRENT SYSTEMD_SECONDS FACTS. CURRENT is the machine's directory of unit files; the seconds
# bound each question to Nix and to systemd, PATHS and FACTS each list.
# Prints what units.sh prints, the line "difference", and what difference.sh prints. Exit code: 0.

# Both take their time, so they run side by side: the pipe holds what the one says until the other has ended.
main() {
  difference "$1" "$2" "$3" "$4" | {
    unit_facts "$5" "$2" "$6" "$7" 2>/dev/null </dev/null
    echo difference
    cat
  }
}
