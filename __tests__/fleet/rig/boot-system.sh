#!/bin/sh
# What the boot loader and stage 2 of NixOS do at boot: take the default entry, which switch-to-configuration has written,
# make it the booted and the running system, activate it, and start its units.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
system=$(cat /boot/default 2> /dev/null || readlink -f /nix/var/nix/profiles/system)
[ -e "$system" ] || exit 0
mkdir -p /nix/var/nix/gcroots /run/nixos
ln -sfn "$system" /run/booted-system
ln -sfn "$system" /run/current-system
ln -sfn /run/booted-system /nix/var/nix/gcroots/booted-system
ln -sfn /run/current-system /nix/var/nix/gcroots/current-system
if [ -x "$system/activate" ]; then "$system/activate" "$system"; fi
# NixOS does all this before systemd begins.
systemctl daemon-reload
systemctl start --no-block multi-user.target
exit 0
