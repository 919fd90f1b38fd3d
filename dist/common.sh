# What each session reads first, behind environment.sh, or what precedes a script that is left on the machine. POSIX sh. Every script runs
# in a subshell behind it, with its arguments already set and with empty standard input.
#
# Every script prints between a line "begin NONCE" (output of a login shell is before it) and a line "end NONCE CODE", which is also
# the last line of standard error. A line "key=value" is a fact.

set -u
umask 022
export LC_ALL=C

# The effective one, which the shell can read without a program.
uid=
while read -r word _ uid _; do
  [ "$word" != Uid: ] || break
done </proc/self/status
[ -n "$uid" ] || uid=$(id -u)

# Whether a directory is one of this user.
is_own() {
  # shellcheck disable=SC3067 # bash and dash know -O
  [ -d "$1" ] && [ -O "$1" ]
}

# On a tmpfs: a full disk does not affect log and exit code, and a reboot clears it. Empty if the user has no such directory
# of its own: each run then makes one in /tmp.
if [ "$uid" -eq 0 ]; then
  base=/run/nix-flake-deploy
elif [ -d "${XDG_RUNTIME_DIR-}" ] && is_own "$XDG_RUNTIME_DIR"; then
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

# Whether a file has a line that is not empty.
has_line() {
  {
    while read -r line; do
      [ -z "$line" ] || return 0
    done <"$1"
  } 2>/dev/null
  return 1
}

# Whether a switch-to-configuration was killed before its end: it leaves a list of what remains to be done, and its lock is free.
is_interrupted() {
  has_line /run/nixos/start-list || has_line /run/nixos/restart-list || has_line /run/nixos/reload-list || return 1
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

# Sets "failed" to the units that are failed now, each with a space behind it: in the state failed, or a service that systemd is about to
# restart after its main process ended with an error.
find_failed_units() {
  failed='' number=0
  listed=$(patiently systemctl list-units --all --state=failed,auto-restart,auto-restart-queued --plain --no-legend --no-pager 2>/dev/null)
  while read -r unit _ _ sub _; do
    number=$((number + 1))
    if [ -z "$unit" ] || [ "$number" -gt "$most_units" ] || is_foreign "$unit"; then continue; fi
    case $sub in
      auto-restart*) [ "$(systemctl show --property=ExecMainStatus -- "$unit" 2>/dev/null </dev/null)" != ExecMainStatus=0 ] || continue ;;
    esac
    failed="$failed$unit "
  done <<UNITS
$listed
UNITS
}

# "NAME RESTARTS MICROSECONDS" for each of these services: how often systemd has restarted it, and when it was started last, on the
# monotonic clock.
services() {
  id='' number='' moment=''
  # systemd has an empty line between two services.
  while IFS='=' read -r property text; do
    case $property in
      Id) id=$text ;;
      NRestarts) number=$text ;;
      ExecMainStartTimestampMonotonic) moment=$text ;;
      '') [ -z "$id" ] || is_foreign "$id" || printf '%s %s %s\n' "$id" "${number:-0}" "${moment:-0}" ;;
    esac
  done <<SERVICES
$(systemctl show --property=Id,NRestarts,ExecMainStartTimestampMonotonic -- "$@" 2>/dev/null)

SERVICES
}

# Programs are started as rarely as can be: each start takes some milliseconds, and every step of a run reports the state.
system_state() {
  system_paths
  find_failed_units
  printf 'failed-units=%s\n' "$failed"
}

# The state without what only systemd knows. Sets profile_link to where the profile leads.
system_paths() {
  running=/run/current-system booted=/run/booted-system
  {
    fact running $running
    fact booted $booted
    fact profile "$system_profile"
    reboot=no
    # Another kernel, initrd or set of modules than the booted one needs a reboot.
    for part in kernel initrd kernel-modules; do
      read -r now && read -r other
      if [ "$now" != "$other" ] && [ -e "$now" ] && [ -e "$other" ]; then reboot=yes; fi
    done
    printf 'reboot-needed=%s\n' "$reboot"
  } <<PATHS
$(readlink -m -- $running $booted "$system_profile" $running/kernel $booted/kernel $running/initrd $booted/initrd \
    $running/kernel-modules $booted/kernel-modules)
PATHS
  profile_link=$(readlink -- "$system_profile" 2>/dev/null) || :
  link=${profile_link##*/}
  link=${link#system-}
  printf 'generation=%s\n' "${link%-link}"
  read -r boot_id </proc/sys/kernel/random/boot_id
  printf 'boot-id=%s\n' "$boot_id"
}

# Reads where a link leads to, as readlink -m prints it, which has a line for what is missing, too. Reports it; nothing for one that leads
# nowhere.
fact() {
  read -r path
  if [ -e "$2" ]; then printf '%s=%s\n' "$1" "$path"; else printf '%s=\n' "$1"; fi
}

# Sets "dir" to the directory of a run, made by prepare.sh. Others can take a name in /tmp that they can guess; RUN begins with a random
# number. Argument: RUN.
find_directory() {
  if [ -n "$base" ]; then dir=$base/$1; else dir=/tmp/nix-flake-deploy-$uid-$1; fi
}

# Goes to the directory of a run. Argument: RUN.
enter_directory() {
  find_directory "$1"
  cd -- "$dir" 2>/dev/null || return
}

# Roots paths, as links below the directory of the run that is in "dir" and that gcroots leads to: a reboot ends them. A link may be there
# before its path arrives, so that the path is always rooted. For root. Arguments: RUN [PATH]..., each path once.
root_paths() {
  root=$gcroots/$1
  shift
  [ "$#" -gt 0 ] || return 0
  ln -sfn -t "$dir/roots" -- "$@" || return 1
  number=$#
  for path; do
    set -- "$@" "$dir/roots/${path##*/}"
  done
  shift "$number"
  ln -sfn -t "$root" -- "$@"
}
