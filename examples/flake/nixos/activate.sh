#!/bin/bash
# The activation script: run by switch-to-configuration and at boot. As in NixOS, a snippet that fails makes the whole fail
# in the end, but the rest is still done, and the running system is the new one.
systemConfig=@out@
export PATH=/run/current-system/sw/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Empty at boot.
action=${NIXOS_ACTION-}
_status=0 _localstatus=0
trap '_localstatus=$? _status=1' ERR
umask 0022

snippet_done() {
  if [ "$_localstatus" -ne 0 ]; then printf "Activation script snippet '%s' failed (%s)\n" "$1" "$_localstatus"; fi
  _localstatus=0
}

# Links the unit files of a manager one by one, because the machine has some of its own, and removes those of the former system.
link_units() {
  local link from to
  (cd "/etc/static/systemd/$1" && find . \( -type f -o -type l \) -printf '%P\n') | while read -r link; do
    from=/etc/systemd/$1/$link to=/etc/static/systemd/$1/$link
    if [ -L "$from" ] && [ "$from" -ef "$to" ]; then continue; fi
    mkdir -p "${from%/*}"
    ln -sfn "$to" "$from"
  done
  find "/etc/systemd/$1" -type l -lname '/etc/static/*' | while read -r link; do
    # What a target wants may be an instance, whose link points to no file.
    [ -e "$link" ] || [ -L "$(readlink "$link")" ] || rm "$link"
  done
  find "/etc/systemd/$1" -mindepth 1 -type d -empty -delete
}

(
  set -e
  :
@beforeEtcScript@
)
snippet_done before-etc

echo "setting up /etc..."
touch /etc/NIXOS
# All of it changes at once.
ln -sfn "$systemConfig/etc" /etc/static.new && mv -T /etc/static.new /etc/static
for manager in system user; do link_units "$manager"; done
ln -sfn /etc/static/systemd/system.conf /etc/systemd/system.conf
# As NixOS writes files: a new one first, which a full disk refuses, then in place of the old one.
if cp "$systemConfig/etc/motd-nixos" /etc/motd-nixos.tmp; then mv -T /etc/motd-nixos.tmp /etc/motd-nixos; else false; fi

mkdir -p /run/systemd/network
before=$(cat /run/systemd/network/05-*.network 2> /dev/null || true)
rm -f /run/systemd/network/05-*.network
cp "$systemConfig"/etc/systemd/network/* /run/systemd/network/ 2> /dev/null || true
after=$(cat /run/systemd/network/05-*.network 2> /dev/null || true)
# At boot the network begins later, with these files.
if [ "$before" != "$after" ] && systemctl --quiet is-active systemd-networkd; then
  networkctl reload && networkctl reconfigure host0
fi
snippet_done etc

(
  set -e
  :
@activationScript@
)
snippet_done "@snippetName@"

ln -sfn "$systemConfig" /run/current-system
mkdir -p /nix/var/nix/gcroots
ln -sfn /run/current-system /nix/var/nix/gcroots/current-system

# What a test wants in the middle of a switch; its result does not count.
if [ "$action" = switch ] || [ "$action" = test ]; then
  (
    set -e
    :
@switchScript@
  ) || true
  for line in $(seq "@switchLines@"); do echo "switching, line $line"; done
  sleep "@switchSeconds@"
fi
exit "$_status"
