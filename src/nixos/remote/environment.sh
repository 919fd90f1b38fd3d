# In front of every script that runs on a machine, also of those that stay there. POSIX sh.

# Directories that are missing in PATH of a non-interactive shell, of sudo or of a unit.
PATH=$PATH:/run/wrappers/bin:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

# What scripts need again and again is set into a variable that they name: to print it, a process would have to be started for it.

# Sets a variable to the first line of a file. Empty, and a failure, where there is no such file. Arguments: NAME FILE.
load() {
  eval "$1="
  { { read -r "$1" || :; } <"$2"; } 2>/dev/null
}

# Sets a variable to the end of a symbolic link, or to nothing. Arguments: NAME PATH.
resolve() {
  eval "$1="
  [ ! -e "$2" ] || eval "$1=\$(readlink -f -- \"\$2\")"
}

# Active units of a run. Arguments: RUN WORD... . Only units are listed whose name after the run begins with one of the words; an empty
# word is all. Fails if systemd does not answer.
active_units() {
  prefix=nix-flake-deploy-$1
  shift
  for word; do
    shift
    set -- "$@" "$prefix-$word*"
  done
  systemctl list-units --plain --no-legend --no-pager --state=active,activating,deactivating "$@" 2>/dev/null
}

# Active units of a run that hold the lock of the machine, and those of further words. Arguments: RUN [WORD]... .
holding_units() {
  active_units "$@" lock activat confirm login health back last mend
}
