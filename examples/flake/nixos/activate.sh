#!/bin/bash
# The activation script: run by switch-to-configuration and at boot. As in NixOS, a part that fails makes the whole fail
# in the end, but the rest is done all the same, and the running system is the new one.
systemConfig=@out@
status=0

echo "setting up /etc..."
mkdir -p /run/systemd/network
cp "$systemConfig/etc/motd-nixos" /etc/motd-nixos || status=1

before=$(cat /run/systemd/network/05-*.network 2> /dev/null)
rm -f /run/systemd/network/05-*.network
cp "$systemConfig"/etc/systemd/network/* /run/systemd/network/ 2> /dev/null
after=$(cat /run/systemd/network/05-*.network 2> /dev/null)
# At boot the network begins later, with these files.
if [ "$before" != "$after" ] && systemctl --quiet is-active systemd-networkd; then
  networkctl reload && networkctl reconfigure host0
fi

(
  set -e
  :
@activationScript@
)
# Asked afterwards: in a condition, `set -e` would be off.
# shellcheck disable=SC2181
if [ "$?" -ne 0 ]; then
  echo "Activation script snippet 'example' failed" >&2
  status=1
fi

ln -sfn "$systemConfig" /run/current-system
mkdir -p /nix/var/nix/gcroots
ln -sfn /run/current-system /nix/var/nix/gcroots/current-system
exit "$status"
