# Runs the health check once, as the deploy user, in the user's home.
# Arguments: SECONDS COMMAND. Prints what it prints, both streams. Exit code: its own; 124 when it takes longer.

main() {
  cd -- "${HOME:-/}" 2>/dev/null || cd /
  timeout "$1" /bin/sh -c "$2" 2>&1
}
