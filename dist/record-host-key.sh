#!/bin/sh
# Remembers the host keys that a server offers, so that a refusal can show them. ssh runs it as its KnownHostsCommand and
# would trust what it prints: it prints nothing.
# Arguments: FILE HOST TYPE KEY, where ssh says TYPE NONE or KEY NONE while it has not seen a key yet.
# Exit code: always 0.
set -u
if [ "$#" -eq 4 ] && [ "$4" != NONE ] && [ -n "$4" ]; then
  { printf '%s %s %s\n' "$2" "$3" "$4" >>"$1"; } 2>/dev/null
fi
exit 0
