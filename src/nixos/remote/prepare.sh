# Makes the directory of this run, roots the paths that are about to arrive, so that a garbage collection between their arrival and the
# rebuild cannot take them, removes what dead runs have left, and begins the lease of this one. It is sent behind lease.sh. May be run again.
# Arguments: RUN SECONDS EXPIRE_SCRIPT FINISH_SCRIPT [PATH]...; those in the middle are those of lease.sh.
# Prints the fact "rooted" when the paths are.
# Exit codes: 0, 1 when the directory or a root cannot be made, or the lease cannot be begun.

# A run is dead when none of its units is active any more and what it has left has not changed for a day, or is only its roots: after
# a reboot, which its directory does not outlive.
sweep() {
  for old in "$base"/*/ "$gcroots"/*/; do
    [ -n "$base" ] || break
    old=${old%/}
    name=${old##*/}
    if [ ! -d "$old" ] || [ "$name" = "$run" ]; then continue; fi
    [ ! -d "$base/$name" ] || [ -n "$(find "$old" -maxdepth 0 -mmin +1440)" ] || continue
    if [ -z "$(active_units "$name" '')" ]; then
      [ "$uid" -ne 0 ] || systemctl reset-failed "nix-flake-deploy-$name-*" 2>/dev/null
      rm -rf -- "${base:?}/$name"
      [ "$uid" -ne 0 ] || rm -rf -- "${gcroots:?}/$name"
    fi
  done
}

# The same for a user whose runs have their directories in /tmp, where others have theirs.
sweep_tmp() {
  for old in "/tmp/nix-flake-deploy-$uid-"*; do
    if is_own "$old" && [ ! -L "$old" ] && [ "$old" != "$dir" ] && [ -n "$(find "$old" -maxdepth 0 -mmin +1440)" ]; then rm -rf -- "$old"; fi
  done
}

# Makes a directory for this user alone, or finds one that is.
make_own() {
  [ -d "$1" ] || mkdir -m 700 -- "$1" 2>/dev/null
  if is_own "$1" && [ ! -L "$1" ]; then return 0; fi
  if [ -e "$1" ] || [ -L "$1" ]; then echo "$1 is owned by another user" >&2; else echo "$1 cannot be made" >&2; fi
  return 1
}

# Nix makes the links of a user without root, to what is there already.
realise_paths() {
  number=0
  for path; do
    number=$((number + 1))
    [ ! -e "$path" ] || nix-store --realise "$path" --add-root "$dir/root-$number" >/dev/null || return 1
  done
}

prepare_run() {
  run=$1 seconds=$2 expire=$3 finish=$4
  shift 4
  find_directory "$run"
  [ -z "$base" ] || make_own "$base" || return 1
  make_own "$dir" || return 1
  if [ "$uid" -eq 0 ]; then
    mkdir -p -- "$dir/roots" "$gcroots/$run" && root_paths "$run" "$@" || return 1
  else
    realise_paths "$@" || return 1
  fi
  echo rooted=yes
  if [ -n "$base" ]; then sweep; else sweep_tmp; fi
  renew_lease "$run" "$seconds" "$expire" "$finish"
}

main() {
  prepare_run "$@"
}
