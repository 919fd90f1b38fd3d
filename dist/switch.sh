# Runs a system's switch-to-configuration as nixos-rebuild does: from /, with LOCALE_ARCHIVE and NIXOS_INSTALL_BOOTLOADER, and
# without what only a build needs. switch-to-configuration waits for each user activation without a limit; here it is terminated after some time.
# It ends where a user whom logind has listed has logged out since; what it had not done yet is in its lists, so it is run again.
# It is put into the directory of the run, and its output goes to a file. POSIX sh.
# Arguments: SYSTEM ACTION [SECONDS]. SECONDS is for each user, 60 by default. Exit code: that of switch-to-configuration.

system=$1 action=$2 seconds=${3-60}

# A user activation is a child of switch-to-configuration: it runs as that user, and root's is recognized by its environment.
is_user_part() {
  [ "$2" -ne 0 ] || tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | grep -q '^__NIXOS_SWITCH_TO_CONFIGURATION_PARENT_EXE='
}

end_slow_users() {
  while sleep 1 >/dev/null 2>&1; do
    ps -eo pid=,ppid=,uid=,etimes=,user:64= | while read -r pid parent uid age user; do
      if [ "$parent" = "$1" ] && [ "$age" -ge "$seconds" ] && is_user_part "$pid" "$uid" && kill -s KILL "$pid" 2>/dev/null; then
        echo "nix-flake-deploy: the user activation for $user timed out after $seconds s and was terminated"
      fi
    done
  done
}

for name in _NIXOS_REBUILD_REEXEC http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY NIX_REMOTE; do
  unset "$name"
done
locales=/run/current-system/sw/lib/locale/locale-archive
if [ -z "${LOCALE_ARCHIVE-}" ] && [ -e "$locales" ]; then LOCALE_ARCHIVE=$locales; fi
[ -z "${LOCALE_ARCHIVE-}" ] || export LOCALE_ARCHIVE
export NIXOS_INSTALL_BOOTLOADER="${NIXOS_INSTALL_BOOTLOADER-0}"
cd / || exit 1

switch_once() {
  "$system/bin/switch-to-configuration" "$action" &
  switch=$!
  end_slow_users "$switch" &
  watcher=$!
  wait "$switch"
  code=$?
  kill "$watcher" 2>/dev/null
}

log=$(readlink "/proc/$$/fd/2")
[ -f "$log" ] || log=/dev/null

# Argument: how long the log was before.
user_left() {
  tail -c "+$(($1 + 1))" "$log" | grep -q '^Error: Failed to get \(GID\|runtime directory\) for '
}

for try in 1 2 3; do
  [ -s "$log" ] && before=$(wc -c <"$log") || before=0
  switch_once
  if [ "$try" -eq 3 ] || [ "$code" -ne 1 ] || ! user_left "$before"; then break; fi
  echo "nix-flake-deploy: a user logged out during the switch; running switch-to-configuration again"
done
exit "$code"
