#!/bin/bash
# Stands for the bash implementation of nixos-rebuild (NixOS up to 25.05): its options, order, streams, messages and exit
# codes, for a flake on the machine itself. Nix, the profile, systemd-run and switch-to-configuration are real.
set -e -o pipefail
shopt -s inherit_errexit

original=("$@")
build_flags=()
lock_flags=()
flake_flags=(--extra-experimental-features 'nix-command flakes')
profile=/nix/var/nix/profiles/system
action='' fast='' rollback='' flake='' attribute='' install_boot_loader='' verbose='' specialisation=''

log() {
  echo "$@" >&2
}

run() {
  if [ -n "$verbose" ]; then log "$" "$@"; fi
  "$@"
}

# The real one shows its manual page.
syntax() {
  log "NIXOS-REBUILD(8): reconfigure a NixOS machine"
  exit 1
}

while [ "$#" -gt 0 ]; do
  option=$1
  shift
  case $option in
    --help) syntax ;;
    switch | boot | test | build | dry-build | dry-run | dry-activate)
      if [ -n "$action" ]; then syntax; fi
      action=${option/dry-run/dry-build}
      ;;
    --install-bootloader) install_boot_loader=1 ;;
    --rollback) rollback=1 ;;
    --fast) fast=1 ;;
    --no-build-nix | --upgrade | --no-flake | --use-remote-sudo | --no-ssh-tty | --use-substitutes | -s) ;;
    --flake)
      flake=$1
      shift
      ;;
    -I | --builders | --max-jobs | -j | --cores | --log-format)
      build_flags+=("$option" "$1")
      shift
      ;;
    --accept-flake-config | -j* | --quiet | --print-build-logs | -L | --no-build-output | -Q | --show-trace | --refresh | --impure | --offline | --no-net)
      build_flags+=("$option")
      ;;
    --keep-going | -k | --keep-failed | -K | --fallback | --repair) build_flags+=("$option") ;;
    --verbose | -v | -vv | -vvv | -vvvv | -vvvvv)
      verbose=1
      build_flags+=("$option")
      ;;
    --option | --override-input | --arg | --argstr)
      if [ "$option" = --override-input ]; then lock_flags+=("$option" "$1" "$2"); else build_flags+=("$option" "$1" "$2"); fi
      shift 2
      ;;
    --recreate-lock-file | --no-update-lock-file | --no-write-lock-file | --no-registries | --commit-lock-file)
      lock_flags+=("$option")
      ;;
    --update-input)
      lock_flags+=("$option" "$1")
      shift
      ;;
    --specialisation | -c)
      specialisation=$1
      shift
      ;;
    --profile-name | -p)
      if [ "$1" != system ]; then
        profile=/nix/var/nix/profiles/system-profiles/$1
        mkdir -p "${profile%/*}"
      fi
      shift
      ;;
    *)
      log "$0: unknown option \`$option'"
      exit 1
      ;;
  esac
done
if [ -z "$action" ]; then syntax; fi

# A name after the last '#'; without one, the machine's own.
if [[ -n $flake && $flake =~ ^(.*)\#([^\#\"]*)$ ]]; then
  flake=${BASH_REMATCH[1]}
  attribute=${BASH_REMATCH[2]}
fi
if [ -z "$attribute" ]; then
  attribute=$(cat /proc/sys/kernel/hostname)
fi
attribute="nixosConfigurations.\"${attribute:-default}\""

if [[ -n $specialisation && ! $action =~ ^(switch|test)$ ]]; then
  log "error: ‘--specialisation’ can only be used with ‘switch’ and ‘test’"
  exit 1
fi

temporary=$(mktemp -t -d nixos-rebuild.XXXXXX)
trap 'rm -rf "$temporary"' EXIT

activates=''
case $action in switch | boot | test | dry-activate) activates=1 ;; esac

if [[ $action =~ ^(switch|boot|test)$ && -z $_NIXOS_REBUILD_REEXEC && -z $fast && -n $flake ]]; then
  run nix "${flake_flags[@]}" build --out-link "$temporary/nixos-rebuild" \
    "$flake#$attribute.config.system.build.nixos-rebuild" "${build_flags[@]}" "${lock_flags[@]}"
  new=$(readlink -e "$temporary/nixos-rebuild")
  rm -rf "$temporary"
  export _NIXOS_REBUILD_REEXEC=1
  run exec "$new/bin/nixos-rebuild" "${original[@]}"
fi

build_toplevel() {
  local link=./result
  if [ -n "$activates" ]; then link=$temporary/result; fi
  if [ "$action" = dry-build ]; then build_flags+=(--dry-run); fi
  if [ "$link" = ./result ]; then
    run nix "${flake_flags[@]}" build "$flake#$attribute.config.system.build.toplevel" "${build_flags[@]}" "${lock_flags[@]}"
  else
    run nix "${flake_flags[@]}" build "$flake#$attribute.config.system.build.toplevel" "${build_flags[@]}" "${lock_flags[@]}" --out-link "$link"
  fi
  readlink -f "$link"
}

if [ -z "$rollback" ]; then
  log "building the system configuration..."
  toplevel=$(build_toplevel)
  if [[ $action =~ ^(switch|boot)$ ]]; then
    run nix-env -p "$profile" --set "$toplevel"
  fi
elif [[ $action =~ ^(switch|boot)$ ]]; then
  run nix-env --rollback -p "$profile"
  toplevel=$profile
elif [[ $action =~ ^(test|build)$ ]]; then
  # The generation in the line before the one that is marked as current.
  number=$(nix-env -p "$profile" --list-generations | sed -n '/current/ {g; p;}; s/ *\([0-9]*\).*/\1/; h')
  toplevel=$profile-$number-link
  ln -sT "$toplevel" ./result
else
  syntax
fi

if [ -n "$activates" ]; then
  command=(
    systemd-run -E LOCALE_ARCHIVE -E "NIXOS_INSTALL_BOOTLOADER=$install_boot_loader"
    --collect --no-ask-password --pipe --quiet --same-dir --service-type=exec
    --unit=nixos-rebuild-switch-to-configuration --wait
  )
  # Without a working systemd (a chroot): directly.
  if ! run "${command[@]}" true; then
    command=(env -i "LOCALE_ARCHIVE=$LOCALE_ARCHIVE" "NIXOS_INSTALL_BOOTLOADER=$install_boot_loader")
  fi
  if [ -n "$specialisation" ]; then
    toplevel=$toplevel/specialisation/$specialisation
    if [ ! -f "$toplevel/bin/switch-to-configuration" ]; then
      log "error: specialisation not found: $specialisation"
      exit 1
    fi
  fi
  if ! run "${command[@]}" "$toplevel/bin/switch-to-configuration" "$action"; then
    log "warning: error(s) occurred while switching to the new configuration"
    exit 1
  fi
fi
