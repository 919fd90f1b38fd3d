# shellcheck shell=bash disable=SC2154 # the variables are the derivation's
# Builder of the toplevel: the files that NixOS's programs read. Variables: the attributes of the derivation in system.nix.
# shellcheck disable=SC1090 # written by Nix
source "$NIX_ATTRS_SH_FILE"
export PATH
out=${outputs[out]}

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

# Writes a unit file, or a drop-in NAME.d/FILE.conf, below a directory. The text "masked" masks the unit.
unit() {
  local file=$1/$2
  mkdir -p "$(dirname "$file")"
  if [ "$3" = masked ]; then ln -s /dev/null "$file"; else printf '%s' "$3" > "$file"; fi
}

# Adds units to what a target wants.
want() {
  local wants=$1.wants name
  shift
  for name in "$@"; do
    mkdir -p "$wants"
    ln -sfn "../$name" "$wants/$name"
  done
}

# Prints the units that their target wants: all but templates, drop-ins, masked ones, slices, targets and those named first.
wanted() {
  local not=" $1 " name
  local -n all=$2
  for name in "${!all[@]}"; do
    case $name in *@.* | */* | *.slice | *.target) continue ;; esac
    if [ "${all[$name]}" != masked ] && [[ $not != *" $name "* ]]; then echo "$name"; fi
  done
}

echo "building the system of $hostName"
eval "$buildScript"
sleep "$buildSeconds"

etc=$out/etc/systemd
mkdir -p "$out/bin" "$out/checks" "$out/sw/bin" "$etc/system" "$etc/user" "$etc/network"
if [ -n "$withNixosVersion" ]; then echo "$version" > "$out/nixos-version"; fi
echo "systemd $initInterfaceVersion" > "$out/init-interface-version"
echo "$platform" > "$out/system"
: > "$out/extra-dependencies"
ln -s /usr/lib/systemd/systemd "$out/init"
# Has lib/systemd/systemd and bin/systemctl.
ln -s /usr "$out/systemd"
ln -s "$kernelPackage/bin/linux" "$out/kernel"
ln -s "$kernelPackage/bin/linux" "$out/initrd"
ln -s "$kernelPackage" "$out/kernel-modules"
echo "console=ttyS0" > "$out/kernel-params"
if [ -n "$inhibitors" ]; then printf '%s' "$inhibitors" > "$out/switch-inhibitors"; fi
if [ -n "$fstab" ]; then printf '%s' "$fstab" > "$out/etc/fstab"; fi

echo "$hostName" > "$out/etc/hostname"
echo "$text" > "$out/etc/motd-nixos"
if [ -n "$networkBroken" ]; then
  # Sorts before the file that gives the machine its addresses.
  printf '[Match]\nName=host0\n[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n' > "$etc/network/05-broken.network"
fi

# The targets are in /etc because a switch starts only active targets from there again, which starts what is new below them.
target='[Unit]\nDescription=%s\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n'
# shellcheck disable=SC2059 # the format is above
unit "$etc/system" multi-user.target "$(printf "$target" 'Multi-User System')"$'\n'
# shellcheck disable=SC2059
unit "$etc/user" default.target "$(printf "$target" 'Main User Target')"$'\n'
unit "$etc/system" sysinit-reactivation.target $'[Unit]\nDescription=Reactivate sysinit units\n'
for name in "${!units[@]}"; do unit "$etc/system" "$name" "${units[$name]}"; done
for name in "${!userUnits[@]}"; do unit "$etc/user" "$name" "${userUnits[$name]}"; done
mapfile -t names < <(wanted "${onDemand[*]}" units)
want "$etc/system/multi-user.target" "${names[@]}" "${instances[@]}"
mapfile -t names < <(wanted "${userOnDemand[*]}" userUnits)
want "$etc/user/default.target" "${names[@]}"
ln -s "$managerConf" "$etc/system.conf"

for package in "${packages[@]}"; do
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

for name in "${!specialisations[@]}"; do
  mkdir -p "$out/specialisation"
  ln -s "${specialisations[$name]}" "$out/specialisation/$name"
done

if [ -z "$switchProgram" ]; then switchProgram="/usr/bin/python3 -S -B $switchSource/switch_to_configuration.py"; fi
fill "$templates/activate.sh" "$out/activate" out beforeEtcScript activationScript snippetName switchScript switchLines switchSeconds
fill "$templates/pre-switch-check.sh" "$out/checks/pre-switch" preSwitchCheck
fill "$templates/install-boot-loader.sh" "$out/bin/install-boot-loader" bootLoader bootLoaderScript
fill "$templates/switch-to-configuration.sh" "$out/bin/switch-to-configuration" out switchProgram exitCode
printf '#!/bin/sh\nexit 0\n' > "$out/dry-activate"
chmod +x "$out/dry-activate"
# Otherwise bash becomes the last command, and Nix sometimes reports a builder killed by signal 9.
exit 0
