# shellcheck shell=bash disable=SC2154 # the variables are the derivation's
# Builder of `config.system.build.nixos-rebuild`, which nixos-rebuild builds for its re-exec: here, the machine's own.
mkdir -p "$out/bin"
printf '#!/bin/sh\nexec /usr/local/bin/nixos-rebuild "$@"\n' > "$out/bin/nixos-rebuild"
chmod +x "$out/bin/nixos-rebuild"
