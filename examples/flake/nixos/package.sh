# shellcheck shell=bash disable=SC2154 # the variables are the derivation's
# Builder of a package: a program that prints its version.
# Environment: out, pname, version, kibibytes (of ballast).
mkdir -p "$out/bin"
printf '#!/bin/sh\necho "%s %s"\n' "$pname" "$version" > "$out/bin/$pname"
chmod +x "$out/bin/$pname"
if [ "${kibibytes:-0}" -gt 0 ]; then
  mkdir "$out/share"
  printf '%*s' "$((kibibytes * 1024))" '' > "$out/share/$pname"
fi
