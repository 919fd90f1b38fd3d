#!/bin/bash
# Writes the boot loader entry. Argument: the toplevel. Environment: NIXOS_INSTALL_BOOTLOADER, NIXOS_ACTION.
# shellcheck disable=SC2034 # a script of the configuration may read it
action=${NIXOS_ACTION-}
boot_loader="@bootLoader@"

# systemd-boot makes a system its default only if it is a generation of a profile. GRUB takes any.
is_generation() {
  local link
  for link in /nix/var/nix/profiles/system-*-link; do
    if [ "$(readlink -f "$link")" = "$1" ]; then return 0; fi
  done
  return 1
}

if [ "$boot_loader" = none ]; then
  echo "Warning: do not know how to make this configuration bootable; please enable a boot loader." >&2
  exit 0
fi
if [ "$boot_loader" = grub ]; then echo "updating GRUB 2 menu..."; fi
(
  :
@bootLoaderScript@
) || exit 1
if [ "${NIXOS_INSTALL_BOOTLOADER:-0}" = 1 ]; then
  if [ "$boot_loader" = grub ]; then echo "installing the GRUB 2 boot loader on /dev/vda..."; fi
  echo "$1" > /boot/installed
fi
if [ "$boot_loader" = grub ] || is_generation "$1"; then
  echo "$1" > /boot/default.new && mv /boot/default.new /boot/default
fi
