#!/bin/sh
# Builds the root file system of a machine: Debian with systemd, sshd and Debian's own Nix.
# Arguments: SUITE DIRECTORY [MIRROR]. Without MIRROR, debootstrap's own of that suite.
# Two steps, because nix-bin has a virtual dependency that debootstrap cannot resolve.
set -eu
suite=$1 root=$2 mirror=${3-}

# A debootstrap that is older than the suite does not know it; every newer suite is built as sid is.
script=/usr/share/debootstrap/scripts/$suite
[ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid

# What a build that was cut off has left.
umount "$root/proc" 2> /dev/null || true
rm -rf "$root"
debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$mirror" "$script"

# What the host's apt needs to reach its mirrors, the machine's needs too.
apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date)' \
  > "$root/etc/apt/apt.conf.d/90host" || true
if ls /usr/local/share/ca-certificates/*.crt > /dev/null 2>&1; then
  cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
  chroot "$root" update-ca-certificates
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"

cat > "$root/etc/dpkg/dpkg.cfg.d/90small" <<'END'
force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
END
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
chroot "$root" apt-get update -q
chroot "$root" apt-get install -q -y --no-install-recommends \
  nix-bin nix-setup-systemd openssh-server openssh-client systemd systemd-sysv libpam-systemd dbus \
  iproute2 iputils-ping sudo git jq procps python3 nodejs zstd dbus-user-session
# What makes root other than sudo is on the newest suite only.
[ "$suite" != forky ] || chroot "$root" apt-get install -q -y --no-install-recommends sudo-rs opendoas polkitd
# deploy: its rights come with the machine. nosudo: none. pwsudo: sudo with the password "open sesame".
for user in deploy nosudo pwsudo; do
  chroot "$root" useradd --create-home --shell /bin/bash --groups nix-users "$user"
done
echo 'pwsudo:open sesame' | chroot "$root" chpasswd
printf 'pwsudo ALL=(root) ALL\n' > "$root/etc/sudoers.d/pwsudo"
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/usr/sbin/policy-rc.d "$root"/etc/ssh/ssh_host_* \
  "$root"/etc/machine-id "$root"/var/lib/dbus/machine-id
: > "$root/etc/machine-id"
