# Runs the health check once, as the deploy user.
# Arguments: SECONDS COMMAND. Prints what it prints, both streams. Exit code: its own; 124 when it takes longer.

main() {
  timeout "$1" /bin/sh -c "$2" 2>&1
}
