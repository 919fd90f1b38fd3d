#!/bin/bash
# The pre-switch checks, in the order of their names. Arguments: the toplevel, and the action.
# shellcheck disable=SC2034 # a script of the configuration may read it
action=$2

fails() {
  echo "Pre-switch check '$1' failed"
  exit 1
}

custom() (
  :
@preSwitchCheck@
)

# A switch is refused when a value that both systems have differs. It is not looked at when nothing is switched.
switch_inhibitors() {
  case $2 in
    boot | dry-activate)
      echo "Not checking switch inhibitors (action = $2)"
      return
      ;;
  esac
  echo -n "Checking switch inhibitors..."
  local running new changes=''
  running=$(cat /run/current-system/switch-inhibitors 2> /dev/null || echo '{}')
  new=$(cat "$1/switch-inhibitors")
  # Without a difference jq has nothing to find.
  # shellcheck disable=SC2016 # variables of jq
  [ "$running" = "$new" ] || changes=$(/usr/bin/jq -rn --argjson a "$running" --argjson b "$new" \
    '$a | keys[] | select($b[.] != null and $b[.] != $a[.]) | "\(.) : \($a[.]) -> \($b[.])"')
  if [ -z "$changes" ]; then
    echo " done"
    return
  fi
  cat << END

There are changes to critical components of the system:

$changes

Switching into this system is not recommended.
You probably want to run 'nixos-rebuild boot' and reboot your system instead.

If you really want to switch into this configuration directly, then
you can set NIXOS_NO_CHECK=1 to ignore pre-switch checks.

WARNING: doing so might cause the switch to fail or your system to become unstable.

END
  return 1
}

custom || fails custom
if [ -e "$1/switch-inhibitors" ]; then switch_inhibitors "$@" || fails switchInhibitors; fi
