# Reports the facts about the machine.
# Arguments: none. Prints facts. Exit code: 0.

of_step() {
  sed -n "s/^$1=//p" "$step_record" 2>/dev/null
}

# What an earlier run, or a switch by hand, has left unfinished.
report_unfinished() {
  if [ -e "$step_record" ]; then
    printf 'unfinished=an earlier run did not finish setting profile and boot loader for %s\n' "$(of_step toplevel)"
  elif is_interrupted; then
    echo 'unfinished=an activation was interrupted; units may be stopped'
  else
    echo unfinished=
  fi
}

# Sets "best" to the number of the generation before the current one, to which nix-env --rollback would switch. It follows system_paths.
find_older_generation() {
  best='' current=$profile_link
  [ -n "$current" ] || return 0
  # If the last step is about to be undone, its generation is not the current one.
  if [ -e "$step_record" ]; then
    resolve now /run/current-system
    resolve profile "$system_profile"
    if [ "$now" != "$(of_step running)" ] && [ "$profile" = "$(of_step toplevel)" ]; then current=$(of_step previous-link); fi
  fi
  current=${current##*/}
  current=${current#system-}
  current=${current%-link}
  for link in "$system_profile"-*-link; do
    number=${link#"$system_profile-"}
    number=${number%-link}
    case $number$current in *[!0-9]*) continue ;; esac
    if [ "$number" -lt "$current" ] && [ "$number" -gt "${best:-0}" ]; then best=$number; fi
  done
}

# Reports the name of the specialisation that runs, of the system that the machine boots next or has booted.
report_specialisation() {
  now=
  for link in "$system_profile"/specialisation/* /run/booted-system/specialisation/*; do
    [ -e "$link" ] || continue
    [ -n "$now" ] || resolve now /run/current-system
    resolve system "$link"
    [ "$system" = "$now" ] || continue
    printf 'specialisation=%s\n' "${link##*/}"
    return
  done
  echo specialisation=
}

# Nix and systemd take their time to say their versions: pipes hold those until all else is known.
report_facts() {
  nix --version 2>/dev/null | {
    systemctl --version 2>/dev/null </dev/null | {
      facts </dev/null
      version=
      read -r _ version _
      printf 'systemd=%s\n' "${version%%[!0-9]*}"
    }
    version=
    read -r version
    printf 'nix=%s\n' "$version"
  }
}

facts() {
  if [ "$uid" -eq 0 ]; then echo user=root; else printf 'user=%s\n' "$(id -un)"; fi
  printf 'uid=%s\n' "$uid"
  load name /proc/sys/kernel/hostname
  printf 'hostname=%s\n' "$name"
  if [ "$uid" -eq 0 ]; then
    printf 'sudo=unneeded\n'
  elif ! command -v sudo >/dev/null 2>&1; then
    printf 'sudo=missing\n'
  elif said=$(sudo -n -- /bin/sh -s </dev/null 2>&1 >/dev/null); then
    printf 'sudo=ready\n'
  else
    printf 'sudo=refused\n'
    printf 'sudo-says=%s\n' "$(printf '%s' "$said" | head -n 1)"
  fi
  if [ "$uid" -ne 0 ] && command -v doas >/dev/null 2>&1; then
    if doas -n -- /bin/sh -s </dev/null >/dev/null 2>&1; then printf 'doas=ready\n'; else printf 'doas=refused\n'; fi
  fi
  if [ "$uid" -ne 0 ] && command -v run0 >/dev/null 2>&1; then
    # From systemd 258 on it starts no user manager for root, without which a switch fails to activate this user.
    case $(run0 --help 2>/dev/null) in *--lightweight=*) printf 'run0=lightweight\n' ;; *) printf 'run0=present\n' ;; esac
  fi
  if command -v gzip >/dev/null 2>&1 && command -v base64 >/dev/null 2>&1; then echo inflates=yes; fi
  if command -v nixos-rebuild >/dev/null 2>&1; then echo nixos-rebuild=yes; else echo nixos-rebuild=; fi
  {
    read -r _
    read -r _ _ _ free _ && [ -n "$free" ] && printf 'free-kib=%s\n' "$free"
  } <<ROOM
$(df -Pk /nix/store 2>/dev/null)
ROOM
  while read -r key value _; do
    [ "$key" != MemAvailable: ] || printf 'memory-kib=%s\n' "$value"
  done </proc/meminfo
  system_state
  find_older_generation
  printf 'older-generation=%s\n' "$best"
  if [ -n "$best" ]; then
    resolve older "$system_profile-$best-link"
    printf 'older=%s\n' "$older"
  fi
  report_specialisation
  if [ -e /run/current-system ]; then echo 'nixos=yes'; fi
  report_unfinished
  # Containers on one computer may share its boot id, and clones of a machine its machine id.
  load machine /etc/machine-id
  printf 'machine-id=%s\n' "$machine"
  printf 'pid-namespace=%s\n' "$(readlink /proc/self/ns/pid)"
}

main() {
  report_facts
}
