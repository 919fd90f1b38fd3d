# Takes the lock of the machine for this run, starts the timer that rolls back unless the activation ends in time, and records what
# to roll back to. May be run again, and is, after last.sh has mended what an earlier run left.
# Arguments: RUN KIND ACTIVATION_SECONDS CONFIRM_SECONDS CLEAR_SECONDS NAME TOPLEVEL RUNNING GENERATION INSTALL_BOOTLOADER
# [FILE TEXT]... . KIND is switch, boot or test, or "plain" for a run that never rolls back; NAME says who runs it; each FILE is a
# script that is put into the directory of the run. RUNNING is the toplevel or its specialisation, GENERATION the number of its
# generation or empty, INSTALL_BOOTLOADER 1 or 0.
# Prints the facts of the system before, with "mend" (yes, where last.sh mend is to run first) and "scarce-boot" ("FREE NEEDED" in
# KiB, where /boot is a file system of its own and has too little room for the new kernel and initrd); or "holder": who holds the lock.
# Exit codes: 0, 1 when a file cannot be written or the watchdog cannot be started, 5 another run holds the lock, 6 someone runs
# nixos-rebuild manually.

# A lock is held as long as a timer or a service of its run is active, so that of a dead run is released.
holder_lives() {
  # If systemd does not answer, the other run counts as alive.
  units=$(patiently holding_units "$1") || return 0
  [ -n "$units" ]
}

# A run that began to activate and is dead without a decision that was carried out has left a machine between two systems: sets
# "interrupted" to the system that ran before it.
find_interrupted() {
  interrupted=
  [ -n "$1" ] && [ -e "$base/$1/begun" ] || return 0
  load other_kind "$base/$1/kind"
  case $other_kind in
    # It runs nothing, and its profile and boot loader have a record.
    boot) return 0 ;;
    plain) [ ! -e "$base/$1/activate.status" ] || return 0 ;;
  esac
  case $(readlink "$base/$1/decision") in
    drop) return 0 ;;
    keep) [ ! -e "$base/$1/last.status" ] && [ ! -e "$base/$1/activate.status" ] || return 0 ;;
    *) [ ! -e "$base/$1/rollback.status" ] || return 0 ;;
  esac
  load interrupted "$base/$1/previous-running"
}

# Writes files of the run. A file that is there already may be read at any time, and is replaced. Arguments: [FILE TEXT]... .
write() {
  while [ "$#" -gt 1 ]; do
    if [ -e "$1" ]; then printf '%s' "$2" >"$1.new" && mv -- "$1.new" "$1"; else printf '%s' "$2" >"$1"; fi || return
    shift 2
  done
}

# Once for each attempt, after an earlier run was mended.
record() {
  {
    read -r of_profile
    read -r running
  } <<PATHS
$(readlink -m -- "$system_profile" /run/current-system)
PATHS
  [ -e "$system_profile" ] || of_profile=
  [ -e /run/current-system ] || running=
  write previous-link "$(readlink -- "$system_profile" 2>/dev/null)" previous-profile "$of_profile" previous-running "$running" || return
  set --
  for name in new-toplevel new-running previous-profile previous-running; do
    load path "$name"
    [ -n "$path" ] || continue
    case " $* " in *" $path "*) ;; *) set -- "$@" "$path" ;; esac
  done
  root_paths "$run" "$@"
}

# On a full disk the machine would run a system that it cannot keep: the last step writes its record, and a link for the generation
# and for the profile.
has_room_for_last_step() {
  room=yes
  for number in 1 2 3; do
    printf '%s' "$1" >"$system_profile.try-$number" || room=no
  done
  rm -f -- "$system_profile.try-1" "$system_profile.try-2" "$system_profile.try-3"
  [ "$room" = yes ]
}

# Reports "FREE NEEDED", where /boot is a file system of its own and the boot loader has too little room there for a kernel and initrd that
# the old system does not have.
report_scarce_boot() {
  {
    read -r _
    read -r _ _ _ free _ where
  } <<ROOM
$(df -Pk /boot 2>/dev/null)
ROOM
  [ "$where" = /boot ] || return 0
  # Menus and the like.
  needed=256
  for part in kernel initrd; do
    if [ -e "$1/$part" ] && [ "$(readlink -f -- "$1/$part")" != "$(readlink -f -- "$system_profile/$part")" ]; then
      needed=$((needed + $(wc -c <"$1/$part") / 1024))
    fi
  done
  [ "$free" -ge "$needed" ] || printf 'scarce-boot=%s %s\n' "$free" "$needed"
}

# Any user may open the lock of switch-to-configuration, and so hold it. A lock that no process of root has open is replaced; from
# then on, only root can open it.
guard_switch_lock() {
  {
    [ -d "${switch_lock%/*}" ] || mkdir -p -- "${switch_lock%/*}"
    : >>"$switch_lock" && chmod 600 -- "$switch_lock"
  } 2>/dev/null || return 0
  if { flock --nonblock 9; } 9>>"$switch_lock"; then return 0; fi
  root=$(find /proc -mindepth 3 -maxdepth 3 -path '/proc/[0-9]*/fd/*' -lname "$switch_lock" 2>/dev/null | while read -r opened; do
    # The real user: a program that is set-uid root may have been started with the file open.
    sed -n 's/^Uid:[[:space:]]*0[[:space:]].*/yes/p' "${opened%/fd/*}/status" 2>/dev/null
  done)
  [ -z "$root" ] || return 0
  (umask 077 && : >"$switch_lock.new" && mv -f -- "$switch_lock.new" "$switch_lock")
  return 0
}

# What the processes say, in one look: "young SERVICE" for each service with a process that was started within the last minute (most
# services are older, and systemd takes milliseconds to show one), and "switch PID TEXT" for each that may change the system.
#
# Only processes of root can do that, so other users cannot delay a deployment: neither by a program that is set-uid root,
# which keeps the real user, nor by sudo and the like, which ask for a password as root. Ignored are commands that deploy
# another machine from this one (nixos-rebuild with --target-host, and the ssh below it).
look_at_processes() {
  # The patterns do not match themselves in the arguments of this awk. A column that is not the last is cut to its width.
  ps -ww -eo pid=,ruid=,uid=,etimes=,cgroup:500=,args= 2>/dev/null | awk '
    {
      services = split($5, service, /[\/,]/)
      for (i = 1; i <= services && service[i] !~ /\.service$/; i++);
      if ($4 <= 60 && $5 !~ /nix-flake-deploy-/ && i <= services && !seen[service[i]]++) print "young " service[i]
      if ($2 != 0 || $3 != 0 || $6 ~ /(^|\/)ssh$/) next
      pid = $1; unit = service[i]
      sub(/^ *[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[^ ]+ +/, "")
      if (/ --target-host/) next
      if (/nixos-rebuil[d].* (switch|boot|test)/ || /bin\/switch-to-configuratio[n] /) print "switch " pid " root runs \"" substr($0, 1, 100) "\" (process " pid ")"
      else if (unit ~ /^nixos-rebuild-switch-to-configuration/) print "switch " pid " the unit " unit " is active"
    }'
}

# Sets "hand" to who switches this machine without the action. What a container on it does is ignored.
find_hand() {
  while read -r word pid hand; do
    [ "$word" = switch ] || continue
    case $(readlink "/proc/$pid/exe") in */sudo | */su | */doas | */pkexec | */run0) continue ;; esac
    [ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] || return 0
  done <<PROCESSES
$processes
PROCESSES
  hand=
}

# Reports the services that systemd has restarted within the last minute, separated by spaces.
report_restarting_units() {
  set --
  while read -r word service; do
    [ "$word" != young ] || set -- "$@" "$service"
  done <<PROCESSES
$processes
PROCESSES
  while read -r service _; do
    [ -z "$service" ] || set -- "$@" "$service"
  done <<WAITING
$waiting
WAITING
  restarting='' count=0
  if [ "$#" -gt 0 ]; then
    read -r now _ </proc/uptime
    while read -r unit number moment; do
      if [ -z "$unit" ] || [ "$number" -eq 0 ] || [ "$((moment / 1000000 + 60))" -lt "${now%.*}" ]; then continue; fi
      count=$((count + 1))
      [ "$count" -gt "$most_units" ] || restarting="$restarting$unit "
    done <<SERVICES
$(services "$@")
SERVICES
  fi
  printf 'restarting-units=%s\n' "$restarting"
}

main() {
  run=$1 kind=$2
  find_directory "$run"
  cd -- "$dir" || return 1
  exec 8>"$base/mutex"
  flock 8
  load held "$base/lock"
  other=${held%% *}
  if [ -n "$held" ] && [ "$other" != "$run" ] && holder_lives "$other"; then
    printf 'holder=another run of this action: %s\n' "${held#* }"
    return 5
  fi
  if [ ! -e begun ]; then
    # Such a service has no process when the processes are looked at, and may have one again when systemd is asked what has failed.
    waiting=$(systemctl list-units --all --state=auto-restart,auto-restart-queued --plain --no-legend --no-pager 2>/dev/null)
    processes=$(look_at_processes)
  fi
  if [ ! -e armed ]; then
    guard_switch_lock
    find_hand
    if [ -n "$hand" ]; then
      printf 'holder=%s\n' "$hand"
      return 6
    fi
    if [ "$other" != "$run" ]; then
      find_interrupted "$other"
      [ -n "$interrupted" ] || ! is_interrupted || resolve interrupted /run/current-system
      write interrupted "$interrupted" || return 1
    fi
    write "$base/lock.new" "$run $6, since $(date -u +%H:%M:%SZ)" && mv -- "$base/lock.new" "$base/lock" || return 1
    seconds=$3 confirm=$4 clear=$5 toplevel=$7
    write run "$run" kind "$kind" profile "$system_profile" current /run/current-system lock "$switch_lock" record "$step_record" \
      limit "$3" new-toplevel "$7" new-running "$8" generation "$9" install-bootloader "${10}" || return 1
    shift 10
    write "$@" || return 1
    # Given up where /run is full later: the rollback and the last step write a little there.
    head -c 1048576 /dev/zero >reserve || return 1
    # Before the timer: on a full disk nothing is armed.
    record || return 1
    recorded=yes
    case $kind in switch | boot) has_room_for_last_step "$toplevel" || return 1 ;; esac
    if [ "$kind" != plain ]; then
      write activate.window "$confirm" clear.window "$clear" || return 1
      /bin/sh ./watchdog.sh arm activation "$seconds" &
    else
      # Holds the lock until the activation does.
      systemd-run --quiet --unit="nix-flake-deploy-$run-lock-timer" --service-type=exec -- sleep 60 &
    fi
    timer=$!
  fi
  if [ ! -e begun ]; then
    [ -n "${recorded-}" ] || record || return 1
    before=$(
      system_state
      report_restarting_units
      if [ -e "$step_record" ] || { [ -s interrupted ] && [ ! -e mended ]; }; then echo mend=yes; fi
      load toplevel new-toplevel
      case $kind in switch | boot) report_scarce_boot "$toplevel" ;; esac
    )
    write before "$before" || return 1
  fi
  if [ ! -e armed ]; then
    wait "$timer" || return 1
    : >armed
  fi
  if [ -n "${before-}" ]; then printf '%s\n' "$before"; else cat before; fi
}
