# Tells what two systems of the store differ in: the paths that only one of their closures has, with their sizes, and the unit
# files that are not the same in both. Reads only, and needs no root.
# Arguments: BEFORE AFTER SECONDS LINES. SECONDS bound each question to Nix, LINES each list.
# Prints for either side "- PATH" for each path that only BEFORE has, then "-size BYTES" for each of them in the same order, and
# the same with "+" for AFTER; then "unit CHANGE STATE POLICY NAME" for each unit (see units below), and in the end "end".
# Exit codes: 0, 1 when Nix does not tell the closures.

# Paths that are in the second list and not in the first.
only() {
  printf '%s\n%s\n%s\n' "$1" "$1" "$2" | sort | uniq -u | head -n "$lines"
}

side() {
  [ -n "$2" ] || return 0
  printf '%s\n' "$2" | sed "s/^/$1 /"
  printf '%s\n' "$2" | xargs timeout "$seconds" nix-store --query --size | sed "s/^/$1size /"
}

# CHANGE is gone, new or changed. STATE is active, inactive, or for a new unit wanted or unwanted: whether another unit wants it.
# POLICY is what the new unit asks for when it has changed: reload, keep or restart.
units() {
  active=$(systemctl list-units --state=active,activating,reloading --plain --no-legend --no-pager 2>/dev/null | sed 's/ .*//')
  wanted=$(find "$2"/*.wants "$2"/*.requires -mindepth 1 -maxdepth 1 2>/dev/null | sed 's|.*/||')
  diff -rq -- "$1" "$2" 2>/dev/null | head -n "$lines" |
    sed -n -e "s|^Only in $1: |gone |p" -e "s|^Only in $2: |new |p" \
      -e "s|^Files $1/\([^/]*\)\.d/.*|changed \1|p" -e "s|^Only in [^:]*/\([^/:]*\)\.d: .*|changed \1|p" \
      -e "s|^Files $1/\([^/]*\) and .* differ\$|changed \1|p" | sort -u |
    while read -r change name; do
      case $name in *.service | *.socket | *.timer | *.mount | *.automount | *.path | *.swap | *.slice) ;; *) continue ;; esac
      policy=restart
      if [ "$change" = new ]; then
        if is_in "$wanted" "$name"; then state=wanted; else state=unwanted; fi
      else
        if is_in "$active" "$name"; then state=active; else state=inactive; fi
      fi
      if grep -qs '^X-ReloadIfChanged=true' "$2/$name"; then
        policy=reload
      elif grep -qsE '^(X-RestartIfChanged=false|RefuseManualStop=(true|yes)|X-OnlyManualStart=true)' "$2/$name"; then
        policy=keep
      fi
      printf 'unit %s %s %s %s\n' "$change" "$state" "$policy" "$name"
    done
}

is_in() {
  case "
$1
" in *"
$2
"*) return 0 ;; *) return 1 ;; esac
}

main() {
  before=$1 after=$2 seconds=$3 lines=$4
  old=$(timeout "$seconds" nix-store --query --requisites "$before") || return 1
  new=$(timeout "$seconds" nix-store --query --requisites "$after") || return 1
  side - "$(only "$new" "$old")"
  side + "$(only "$old" "$new")"
  if [ -d "$before/etc/systemd/system" ] && [ -d "$after/etc/systemd/system" ]; then
    echo units
    units "$(readlink -f -- "$before/etc/systemd/system")" "$(readlink -f -- "$after/etc/systemd/system")"
  fi
  echo end
}
