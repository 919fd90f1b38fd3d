# In front of every script that is called, behind environment.sh. POSIX sh; run as `sh -c` with the arguments already set, standard input empty.
#
# Every script prints to standard output, after a line "begin NONCE" (output of a login shell is before it), and as the
# last line of standard error "end NONCE CODE". A line "key=value" is a fact.

set -u
umask 022
export LC_ALL=C

uid=$(id -u)
# On a tmpfs: a full disk does not affect log and exit code, and a reboot clears it. Empty if the user has no such directory
# of its own: each run then makes one in /tmp.
if [ "$uid" -eq 0 ]; then
  base=/run/nix-flake-deploy
elif [ -d "${XDG_RUNTIME_DIR-}" ] && [ "$(stat -c %u -- "$XDG_RUNTIME_DIR")" = "$uid" ]; then
  base=$XDG_RUNTIME_DIR/nix-flake-deploy-$uid
else
  base=
fi
gcroots=/nix/var/nix/gcroots/nix-flake-deploy
system_profile=/nix/var/nix/profiles/system
# Of last.sh, and of switch-to-configuration.
step_record=/nix/var/nix/nix-flake-deploy/last-step
switch_lock=/run/nixos/switch-to-configuration.lock

# Runs a command that queries systemd, with retries: systemd does not answer while it re-executes itself.
patiently() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    "$@" && return 0
    sleep 0.25
  done
  return 1
}

# Whether a switch-to-configuration was killed before its end: it leaves a list of what remains to be done, and its lock is free.
is_interrupted() {
  grep -qs . /run/nixos/start-list /run/nixos/restart-list /run/nixos/reload-list || return 1
  [ ! -e "$switch_lock" ] || flock --shared --nonblock "$switch_lock" true 2>/dev/null
}

# Units that are ignored: those of the action, and of users, which start and stop with logins.
is_foreign() {
  case $1 in
    nix-flake-deploy-* | user@*.service | user-runtime-dir@*.service | session-*.scope) return 0 ;;
    *) return 1 ;;
  esac
}

# At most so many units are reported: the runner reads no more.
most_units=10000

# Units that are failed now, separated by spaces: in the state failed, or a service that systemd is about to restart after its
# main process ended with an error.
failed_units() {
  patiently systemctl list-units --all --state=failed,auto-restart,auto-restart-queued --plain --no-legend --no-pager 2>/dev/null |
    head -n "$most_units" | while read -r unit _ _ sub _; do
      ! is_foreign "$unit" || continue
      case $sub in
        auto-restart*) [ "$(systemctl show --property=ExecMainStatus -- "$unit" 2>/dev/null </dev/null)" != ExecMainStatus=0 ] || continue ;;
      esac
      printf '%s ' "$unit"
    done
}

# "NAME RESTARTS MICROSECONDS" for each service: how often systemd has restarted it, and when it was started last, on the
# monotonic clock.
services() {
  {
    systemctl show --property=Id,NRestarts,ExecMainStartTimestampMonotonic '*.service' 2>/dev/null
    echo
  } | while IFS='=' read -r property text; do
    case $property in
      Id) id=$text ;;
      NRestarts) number=$text ;;
      ExecMainStartTimestampMonotonic) moment=$text ;;
      '') [ -z "${id-}" ] || is_foreign "$id" || printf '%s %s %s\n' "$id" "${number:-0}" "${moment:-0}" ;;
    esac
  done
}

# Services that systemd has restarted within the last minute, separated by spaces.
restarting_units() {
  now=$(cut -d . -f 1 /proc/uptime)
  services | while read -r unit number moment; do
    if [ "$number" -gt 0 ] && [ "$((moment / 1000000 + 60))" -ge "$now" ]; then printf '%s\n' "$unit"; fi
  done | head -n "$most_units" | tr '\n' ' '
}

# A kernel, initrd or set of modules other than the booted one needs a reboot.
reboot_needed() {
  for part in kernel initrd kernel-modules; do
    if [ -e "/run/booted-system/$part" ] && [ -e "/run/current-system/$part" ] &&
      [ "$(readlink -f "/run/booted-system/$part")" != "$(readlink -f "/run/current-system/$part")" ]; then
      echo yes
      return
    fi
  done
  echo no
}

system_state() {
  printf 'running=%s\n' "$(resolve /run/current-system)"
  printf 'booted=%s\n' "$(resolve /run/booted-system)"
  printf 'profile=%s\n' "$(resolve "$system_profile")"
  link=$(readlink -- "$system_profile" 2>/dev/null || true)
  link=${link##*/}
  link=${link#system-}
  printf 'generation=%s\n' "${link%-link}"
  printf 'boot-id=%s\n' "$(cat /proc/sys/kernel/random/boot_id)"
  printf 'failed-units=%s\n' "$(failed_units)"
  printf 'reboot-needed=%s\n' "$(reboot_needed)"
}

# The directory of this run, made by prepare.sh. Others can take a name in /tmp that they can guess; RUN begins with a random number.
run_directory() {
  if [ -n "$base" ]; then printf '%s/%s' "$base" "$1"; else printf '/tmp/nix-flake-deploy-%s-%s' "$uid" "$1"; fi
}
