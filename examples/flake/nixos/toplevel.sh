# shellcheck shell=bash disable=SC2154 # the variables are the derivation's
# Builder of the toplevel. Environment: the arguments of the derivation in system.nix.

# Replaces @name@ in a template by the values that follow; a script goes in as it is.
fill() {
  local file=$1 target=$2 text name
  shift 2
  text=$(< "$file")
  for name in "$@"; do
    text=${text//"@$name@"/"${!name}"}
  done
  printf '%s\n' "$text" > "$target"
  chmod +x "$target"
}

echo "building the system of $hostName"
eval "$buildScript"
sleep "$buildSeconds"

mkdir -p "$out/bin" "$out/sw/bin" "$out/etc/systemd/system" "$out/etc/systemd/network"
if [ -n "$withNixosVersion" ]; then echo "$version" > "$out/nixos-version"; fi
echo "$initInterfaceVersion" > "$out/init-interface-version"
echo "$system" > "$out/system"
ln -s /usr/lib/systemd/systemd "$out/init"
ln -s "$kernelPackage/bin/linux" "$out/kernel"
ln -s "$kernelPackage/bin/linux" "$out/initrd"
ln -s "$kernelPackage" "$out/kernel-modules"
echo "console=ttyS0" > "$out/kernel-params"

echo "$hostName" > "$out/etc/hostname"
echo "$text" > "$out/etc/motd-nixos"
# shellcheck disable=SC2206 # no blanks in store paths and names
units=($unitNames) texts=($unitTexts)
for number in "${!units[@]}"; do
  cp "${texts[number]}" "$out/etc/systemd/system/${units[number]}"
  # Every unit is wanted.
  mkdir -p "$out/etc/systemd/system/multi-user.target.wants"
  ln -s "../${units[number]}" "$out/etc/systemd/system/multi-user.target.wants/"
done
if [ -n "$networkBroken" ]; then
  # Sorts before the file that gives the machine its addresses.
  printf '[Match]\nName=host0\n[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' > "$out/etc/systemd/network/05-broken.network"
fi

for package in $packages; do
  ln -s "$package"/bin/* "$out/sw/bin/"
done
if [ -n "$configurationRevision" ]; then json="\"$configurationRevision\""; else json=null; fi
cat > "$out/sw/bin/nixos-version" <<END
#!/bin/sh
case \${1-} in
  --json) echo '{"configurationRevision":$json,"nixosVersion":"$version"}' ;;
  --configuration-revision) [ -n "$configurationRevision" ] || { echo "\$0: configuration revision is unknown" >&2; exit 1; }; echo "$configurationRevision" ;;
  *) echo "$version (stand-in)" ;;
esac
END
chmod +x "$out/sw/bin/nixos-version"

fill "$activateTemplate" "$out/activate" out activationScript
fill "$switchTemplate" "$out/bin/switch-to-configuration" \
  out preSwitchCheck bootLoaderScript switchScript switchSeconds switchLines exitCode
