# The last step of a deployment: system profile and boot loader. It is put into the directory of the run. POSIX sh.
#
#   last.sh run    after the confirmation of a switch: begins the step, and ends it or undoes it
#   last.sh begin  record, system profile, boot loader
#   last.sh end    deletes the record
#   last.sh undo   profile and boot loader as they were, then deletes the record
#   last.sh mend   ends or undoes the step of an earlier run whose record is there, then activates the system of the file
#                  "interrupted" where there is one
#
# The record lies on the disk of the store from before the first change until after the last: a machine that crashes in between
# still has it, and the next run finishes or undoes the step. Its lines are key=value, the last is "end".
#
# Files: those of watchdog.sh; new-toplevel, generation (its number where it is a generation, else empty), install-bootloader (1 or
# 0), record (the path of the record), limit (seconds for profile and boot loader together, and again for each command of the
# undoing); step.deadline is made here (when the first of them are over, in seconds since the start of the machine).
# Exit codes: 0 done; 9 the machine runs another system than the new one, and nothing was changed; of run: 20 undone, 21 not
# everything could be undone, with "nix-flake-deploy: undone LINK BOOT TEST" in the log: the exit codes of the profile's link, of
# the old profile's boot and of the old running system's test ("-": was not run). Of undo and begin: that of the command that failed.

set -u
cd -- "${0%/*}" || exit 1
{ load profile profile && load record record && load limit limit && load current current; } || exit 1
load new_toplevel new-toplevel
load new_running new-running
load previous_running previous-running
mending='' deadline=''

say() {
  echo "nix-flake-deploy: $*"
}

# Sets a variable to what the record has in a field, or to nothing. Arguments: NAME FIELD.
field() {
  eval "$1="
  while IFS= read -r line; do
    case $line in "$2="*)
      line=${line#*=}
      eval "$1=\$line"
      return
      ;;
    esac
  done <"$record"
}

# A disk that hangs must not block the step.
flush() {
  timeout 30 sync -- "$@" 2>/dev/null
  return 0
}

# Sets "up" to the seconds since the start of the machine. Setting its clock does not change it.
read_uptime() {
  read -r up _ </proc/uptime
  up=${up%.*}
}

# A step that was killed and is run again has what is left of its time.
start_clock() {
  load deadline step.deadline
  [ -z "$deadline" ] || return 0
  read_uptime
  deadline=$((up + limit))
  echo "$deadline" >step.deadline
}

# While the clock runs, what all commands together may take; else each command has the limit of its own, since whatever the others
# took, each part of the undoing is tried.
within_limit() {
  seconds=$limit
  if [ -n "$deadline" ]; then
    read_uptime
    seconds=$((deadline - up))
  fi
  ended=124
  if [ "$seconds" -gt 0 ]; then
    timeout --kill-after=10 "$seconds" "$@"
    ended=$?
  fi
  case $ended in 124 | 137) say "$* exceeded the limit of $limit s" ;; esac
  return "$ended"
}

switch_to() {
  within_limit /bin/sh ./switch.sh "$1" "$2"
}

# One of this run that was killed is there already: what it says was so before the step.
write_record() {
  load run run
  if [ -e "$record" ]; then
    field recorded run
    [ "$recorded" != "$run" ] || return 0
  fi
  [ -d "${record%/*}" ] || mkdir -p -- "${record%/*}" || return 1
  load generation generation
  load install_bootloader install-bootloader
  resolve previous_profile "$profile"
  {
    printf 'run=%s\n' "$run"
    printf 'toplevel=%s\n' "$new_toplevel"
    printf 'running=%s\n' "$new_running"
    printf 'generation=%s\n' "$generation"
    printf 'install-bootloader=%s\n' "$install_bootloader"
    printf 'previous-link=%s\n' "$(readlink -- "$profile" 2>/dev/null)"
    printf 'previous-profile=%s\n' "$previous_profile"
    printf 'previous-running=%s\n' "$previous_running"
    for link in "$profile"-*-link; do
      [ ! -L "$link" ] || printf 'link=%s\n' "${link##*/}"
    done
    echo end
  } >"$record.new"
  # On a full disk the file is shorter, whatever printf said.
  if [ "$(tail -n 1 "$record.new" 2>/dev/null)" != end ]; then
    rm -f -- "$record.new"
    return 1
  fi
  flush "$record.new"
  mv -- "$record.new" "$record" && flush "${record%/*}"
}

delete_record() {
  # What the step has written is on the disk before the record goes.
  flush
  rm -f -- "$record" "$record.new"
  rmdir -- "${record%/*}" 2>/dev/null
  [ ! -e "$record" ]
}

set_profile() {
  field generation generation
  if [ -n "$generation" ]; then
    within_limit nix-env --profile "$profile" --switch-generation "$generation"
  else
    field toplevel toplevel
    within_limit nix-env --profile "$profile" --set "$toplevel"
  fi
}

# As the record says.
export_bootloader_choice() {
  field NIXOS_INSTALL_BOOTLOADER install-bootloader
  export NIXOS_INSTALL_BOOTLOADER
}

begin() {
  start_clock
  if ! write_record; then
    say "the previous profile and boot loader could not be recorded"
    return 1
  fi
  set_profile
  code=$?
  if [ "$code" -ne 0 ]; then
    say "the system profile could not be set"
    return "$code"
  fi
  : >boot.begun
  # systemd-boot makes only a generation of the profile its default, so this comes after it; and a specialisation is none.
  export_bootloader_choice
  field toplevel toplevel
  switch_to "$toplevel" boot
}

run() {
  resolve now "$current"
  if [ "$now" != "$new_running" ]; then
    say "the machine runs $now instead of the new system: nothing was changed"
    return 9
  fi
  # The same checks have passed before the activation.
  NIXOS_NO_CHECK=1
  export NIXOS_NO_CHECK
  begin
  code=$?
  resolve chosen "$profile"
  if [ "$code" -eq 0 ] && [ "$chosen" = "$new_toplevel" ]; then
    delete_record || say "could not delete $record"
    return 0
  fi
  say "undoing profile and boot loader (exit code $code)"
  undo
  test_code=-
  # Even if profile or boot loader failed.
  resolve now "$current"
  if [ "$now" = "$new_running" ] || [ "$now" = "$previous_running" ]; then
    switch_to "$previous_running" test
    test_code=$?
  else
    say "the machine runs $now, which is neither the old nor the new system: leaving it"
  fi
  say "undone $link_code $boot_code $test_code"
  case "$link_code $boot_code $test_code" in "0 0 0" | "0 0 4" | "0 - 0" | "0 - 4") return 20 ;; *) return 21 ;; esac
}

# Profile and boot loader as the record has them. Sets link_code and boot_code.
undo() {
  link_code=0 boot_code=- deadline=''
  [ -e "$record" ] || return 0
  NIXOS_NO_CHECK=1
  export NIXOS_NO_CHECK
  field previous previous-link
  field toplevel toplevel
  resolve chosen "$profile"
  if [ "$(readlink -- "$profile" 2>/dev/null)" != "$previous" ] || [ ! -L "$profile" ]; then
    if [ -L "$profile" ] && [ "$chosen" != "$toplevel" ]; then
      say "the system profile is $chosen, set by someone else: leaving it"
    elif [ -n "$previous" ] && [ ! -e "${profile%/*}/$previous" ]; then
      # The generation was removed by a garbage collection since.
      field previous_profile previous-profile
      within_limit nix-env --profile "$profile" --set "$previous_profile" || link_code=1
    elif [ -n "$previous" ]; then
      ln -sfn -- "$previous" "$profile.nix-flake-deploy" && mv -T -- "$profile.nix-flake-deploy" "$profile" || link_code=1
      [ "$link_code" -ne 0 ] || echo "restored the system profile to $previous"
    else
      rm -f -- "$profile" || link_code=1
      echo "removed the system profile, which did not exist before"
    fi
  fi
  [ "$link_code" -ne 0 ] || remove_own_links
  # Nothing is written to a boot loader that was not touched.
  if [ -e boot.begun ] || [ -n "$mending" ]; then
    resolve old "$profile"
    [ -n "$old" ] || field old previous-running
    echo "rolling back: $old/bin/switch-to-configuration boot"
    export_bootloader_choice
    switch_to "$old" boot
    boot_code=$?
  fi
  if [ "$link_code" -ne 0 ]; then return "$link_code"; fi
  case $boot_code in
    - | 0) delete_record ;;
    *) return "$boot_code" ;;
  esac
}

# A rejected system must not be a generation that a later rollback chooses. Only links that the step has made.
remove_own_links() {
  for link in "$profile"-*-link; do
    name=${link##*/}
    if [ -L "$link" ] && [ "$(readlink -f -- "$link")" = "$toplevel" ] &&
      ! grep -qxF "link=$name" "$record" && [ "$(readlink -- "$profile")" != "$name" ]; then
      rm -f -- "$link"
    fi
  done
}

mend() {
  if [ -e "$record" ]; then
    mend_step || return
  fi
  if [ -s interrupted ]; then
    load system interrupted
    [ -e "$system" ] || resolve system "$current"
    say "an earlier activation was interrupted: activating $system"
    # How it ends says nothing about the new system; a machine may have had failed units all the time.
    NIXOS_NO_CHECK=1 deadline=''
    export NIXOS_NO_CHECK
    switch_to "$system" test
  fi
  : >mended
}

mend_step() {
  mending=yes
  resolve now "$current"
  resolve chosen "$profile"
  field running running
  field toplevel toplevel
  field before_running previous-running
  field before_profile previous-profile
  NIXOS_NO_CHECK=1
  export NIXOS_NO_CHECK
  if [ "$now" = "$running" ] || [ "$now" = "$toplevel" ]; then
    say "an earlier run did not finish setting profile and boot loader, and the machine runs its new system $now: finishing it"
    export_bootloader_choice
    read_uptime
    deadline=$((up + limit))
    set_profile && switch_to "$toplevel" boot && delete_record
  elif [ "$now" = "$before_running" ] || [ "$now" = "$before_profile" ] || [ "$chosen" != "$toplevel" ]; then
    say "an earlier run did not finish setting profile and boot loader, and the machine runs $now: undoing it"
    undo
  else
    say "an earlier run did not finish setting profile and boot loader, and the machine runs $now: updating the boot loader from the system profile"
    switch_to "$chosen" boot && delete_record
  fi
}

case $1 in
  run) run ;;
  begin) begin ;;
  end) delete_record ;;
  undo) undo ;;
  mend) mend ;;
esac
