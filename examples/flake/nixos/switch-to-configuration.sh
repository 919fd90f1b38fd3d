#!/bin/bash
# Behaves as NixOS's switch-to-configuration: its actions, its order, its lock, its lines and its exit codes.
# 0 done; 1 refused, or the boot loader failed; 2 the activation script failed; 4 units failed; 100 reboot needed.
toplevel=@out@
export PATH=/run/current-system/sw/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export NIXOS_ACTION=${1-}
action=${1-}
case $action in
  switch | boot | test | dry-activate | check) ;;
  *)
    cat >&2 <<END
Usage: $0 [switch|boot|test|dry-activate|check]

switch:       make the configuration the boot default and activate now
boot:         make the configuration the boot default
test:         activate the configuration, but don't make it the boot default
dry-activate: show what would be done if this configuration were activated
check:        run pre-switch checks and exit
END
    exit 1
    ;;
esac
if [ "$(id -u)" != 0 ]; then
  echo "Error: switch-to-configuration must be run as the root user" >&2
  exit 1
fi
if [ ! -e /etc/NIXOS ]; then
  echo "This is not a NixOS installation!" >&2
  exit 1
fi
mkdir -p /run/nixos
exec 9> /run/nixos/switch-to-configuration.lock
if ! flock --nonblock 9; then
  echo "Could not acquire lock" >&2
  exit 1
fi

old=/run/systemd/nixos-units
new=$toplevel/etc/systemd/system

pre_switch_check() {
  (
    :
@preSwitchCheck@
  )
}

install_boot_loader() {
  echo "updating GRUB 2 menu..."
  (
    :
@bootLoaderScript@
  ) || return 1
  if [ "${NIXOS_INSTALL_BOOTLOADER:-0}" = 1 ]; then
    echo "installing the GRUB 2 boot loader on /dev/vda..."
    echo "$toplevel" > /boot/installed
  fi
  echo "$toplevel" > /boot/default.new && mv /boot/default.new /boot/default
}

# Prints "PREFIX: a, b" unless there are none.
tell() {
  local prefix=$1 list
  shift
  [ "$#" -gt 0 ] || return 0
  list=$(printf ', %s' "$@")
  echo "$prefix: ${list:2}"
}

is_active() {
  case $(systemctl is-active "$1") in active | activating | reloading) return 0 ;; *) return 1 ;; esac
}

# Compares the units of the running system with those of this one. What is new, or does not run, comes up with its target, and is
# not told beforehand (to_come).
compare_units() {
  to_stop=() to_skip=() to_start=() to_restart=() to_reload=() to_come=()
  local unit path
  for path in "$old"/*; do
    unit=${path##*/}
    if [ -f "$path" ] && [ ! -e "$new/$unit" ] && is_active "$unit"; then to_stop+=("$unit"); fi
  done
  for path in "$new"/*; do
    unit=${path##*/}
    [ -f "$path" ] || continue
    if [ ! -e "$old/$unit" ] || ! is_active "$unit"; then
      to_come+=("$unit")
    elif cmp -s "$path" "$old/$unit"; then
      continue
    elif grep -q '^X-ReloadIfChanged=true' "$path"; then
      to_reload+=("$unit")
    elif grep -q '^X-RestartIfChanged=false' "$path"; then
      to_skip+=("$unit")
    elif grep -q '^X-StopIfChanged=false' "$path"; then
      to_restart+=("$unit")
    else
      # With its old file, and after the activation with its new one.
      to_stop+=("$unit")
      to_start+=("$unit")
    fi
  done
}

install_units() {
  local unit path
  mkdir -p /run/systemd/system "$old"
  for path in "$old"/*; do
    unit=${path##*/}
    rm -f "$old/$unit" "/run/systemd/system/$unit"
  done
  for path in "$new"/*; do
    [ -f "$path" ] || continue
    cp "$path" "$old/"
    cp "$path" /run/systemd/system/
  done
  systemctl daemon-reload
}

failed_units() {
  systemctl list-units --state=failed --plain --no-legend --no-pager | while read -r unit _; do echo "$unit"; done
}

if [ "${NIXOS_NO_CHECK:-0}" != 1 ] && ! pre_switch_check; then
  echo "Pre-switch checks failed" >&2
  exit 1
fi
if [ "$action" = check ]; then exit 0; fi

if [ "$action" = switch ] || [ "$action" = boot ]; then
  if ! install_boot_loader; then
    echo "Failed to install bootloader" >&2
    exit 1
  fi
fi
if [ "$action" = boot ]; then exit 0; fi

if [ -e /run/current-system/init-interface-version ] && [ "$(< /run/current-system/init-interface-version)" != "$(< "$toplevel/init-interface-version")" ]; then
  echo "Warning: the new NixOS configuration has an 'init' that is incompatible with the current configuration. The new configuration won't take effect until you reboot the system." >&2
  exit 100
fi

compare_units
if [ "$action" = dry-activate ]; then
  {
    tell "would stop the following units" "${to_stop[@]}"
    tell "would NOT stop the following changed units" "${to_skip[@]}"
    echo "would activate the configuration..."
    tell "would reload the following units" "${to_reload[@]}"
    tell "would restart the following units" "${to_restart[@]}"
    tell "would start the following units" "${to_start[@]}"
  } >&2
  exit 0
fi

code=0
if [ "${#to_stop[@]}" -gt 0 ]; then
  tell "stopping the following units" "${to_stop[@]}" >&2
  systemctl stop "${to_stop[@]}"
fi
tell "NOT restarting the following changed units" "${to_skip[@]}" >&2
echo "activating the configuration..." >&2
if ! "$toplevel/activate" "$toplevel"; then
  echo "Failed to run activate script" >&2
  code=2
fi

(
  set -e
  :
@switchScript@
)
for line in $(seq "@switchLines@"); do echo "switching, line $line"; done
sleep @switchSeconds@

systemctl reset-failed
install_units
if [ "${#to_reload[@]}" -gt 0 ]; then
  tell "reloading the following units" "${to_reload[@]}" >&2
  systemctl reload "${to_reload[@]}" || code=4
fi
if [ "${#to_restart[@]}" -gt 0 ]; then
  tell "restarting the following units" "${to_restart[@]}" >&2
  systemctl restart "${to_restart[@]}" || code=4
fi
if [ "${#to_start[@]}" -gt 0 ]; then
  tell "starting the following units" "${to_start[@]}" >&2
fi
if [ "${#to_start[@]}" -gt 0 ] || [ "${#to_come[@]}" -gt 0 ]; then
  systemctl start "${to_start[@]}" "${to_come[@]}" || code=4
fi
came=()
for unit in "${to_come[@]}"; do if is_active "$unit"; then came+=("$unit"); fi; done
tell "the following new units were started" "${came[@]}" >&2

mapfile -t failed < <(failed_units)
if [ "${#failed[@]}" -gt 0 ]; then
  list=$(printf ', %s' "${failed[@]}")
  echo "warning: the following units failed: ${list:2}" >&2
  systemctl status --no-pager --full "${failed[@]}" >&2
  code=4
fi
forced="@exitCode@"
exit "${forced:-$code}"
