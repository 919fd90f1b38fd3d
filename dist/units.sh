# Reports the facts for the plan of units, from the running machine and from a system in its store, as
# switch-to-configuration reads them. Reads only, and needs no root. No values of unit files are reported but those of the settings
# that decide, because others may be long or secret.
# Arguments: CURRENT AFTER SECONDS LINES. CURRENT is the machine's directory of unit files, AFTER the system, SECONDS bound each
# question to systemd, LINES each list.
# Prints nothing where one of both has no unit files, else:
#   systemd WHICH PATH, config WHICH PATH     systemd's program and its system.conf; WHICH is before or after
#   inhibitors WHICH JSON                     switch-inhibitors, on one line
#   fstab WHICH LINE                          what the file systems are
#   list WHICH NAME                           what a switch that was killed has left to start, restart or reload
#   active STATE NAME                         a unit that is not inactive, with systemd's ActiveState
#   idle RESULT NAME                          one that is: never (was not started), unmet (its conditions), ran
#   alias OTHER NAME                          another name of a unit
#   down NAME OTHER                           stopping NAME stops OTHER
#   managed FILE NAME                         a unit that runs, comes from /etc/systemd/system, and is gone, changed or a target;
#                                             FILE is gone or present; its facts follow:
#     key CHANGE SECTION KEY, section CHANGE SECTION     CHANGE is added, removed or changed
#     set WHICH SECTION KEY VALUE                        a setting that decides
#   socket NAME                               a socket unit in AFTER
#   new NAME                                  a unit file that only AFTER has
#   pulls NAME OTHER                          in AFTER, starting NAME starts OTHER, which exists
#   part NAME OTHER                           in AFTER, OTHER is part of NAME
#   end                                       in the end, unless there are more than LINES lines
# Exit codes: 0.

main() {
  after=$2 seconds=$3 lines=$4
  old=$(readlink -f -- "$1") && new=$(readlink -f -- "$after/etc/systemd/system") || return 0
  if [ ! -d "$old" ] || [ ! -d "$new" ]; then return 0; fi
  system_facts 2>/dev/null | cut -c 1-20000 | head -n "$lines"
  {
    entries O "$old"
    entries N "$new"
    find "$new/" -maxdepth 1 -type l -printf 'L %f %l\n'
    timeout "$seconds" systemctl show --property=UnitPath | sed 's/^UnitPath=//' | tr ' ' '\n' | while read -r directory; do
      case $directory in /etc/systemd/system | '') ;; *) entries P "$directory" ;; esac
    done
    timeout "$seconds" systemctl show --all --property="$properties" '*.service' '*.socket' '*.timer' '*.target' '*.path' '*.mount' \
      '*.automount' '*.swap' '*.slice' | sed 's/^/S /'
  } 2>/dev/null | awk -v old="$old" -v new="$new" "$program" | head -n "$lines"
}

properties=Id,Names,ActiveState,FragmentPath,ConditionResult,ConditionTimestampMonotonic,RequiredBy,BoundBy,ConsistsOf

system_facts() {
  printf 'systemd before %s\n' "$(readlink -e /proc/1/exe || readlink -e /run/current-system/systemd/lib/systemd/systemd)"
  printf 'systemd after %s\n' "$(readlink -e -- "$after/systemd/lib/systemd/systemd")"
  printf 'config before %s\nconfig after %s\n' "$(readlink -e /etc/systemd/system.conf)" "$(readlink -e -- "$after/etc/systemd/system.conf")"
  printf 'inhibitors before %s\n' "$(head -c 10000 /run/current-system/switch-inhibitors | tr '\n' ' ')"
  printf 'inhibitors after %s\n' "$(head -c 10000 -- "$after/switch-inhibitors" | tr '\n' ' ')"
  sed 's/^/fstab before /' /etc/fstab
  sed 's/^/fstab after /' "$after/etc/fstab"
  for list in start restart reload; do sed "s/^/list $list /" "/run/nixos/$list-list"; done
}

# Unit files, drop-ins and dependencies of a directory, with the type of what links point to: f is a file, c is /dev/null.
entries() {
  find -L "$2/" -mindepth 1 -maxdepth 2 ! -type d -printf "$1 %y $2 %P\n" 2>/dev/null
}

program=$(cat <<'AWK'
# Reads the entries of directories (O: the machine's, N: those of AFTER, P: other ones, in the order of their precedence), links
# (L NAME TARGET), and what systemd shows of each unit (S PROPERTY=VALUE, a blank line between two units).
BEGIN { split("Wants Requires BindsTo Upholds", pulling); split("RequiredBy BoundBy ConsistsOf", propagating) }
$1 == "L" { name = $3; sub(/.*\//, "", name); if (is_unit($2) && is_unit(name) && name != $2 && name !~ /@\./) other_name[$2] = name; next }
$1 == "S" {
  if ($0 == "S ") { unit_shown(); next }
  at = index($0, "="); property = substr($0, 3, at - 3); shown[property] = substr($0, at + 1); next
}
{
  path = $3 "/" $4; slash = index($4, "/")
  if (slash == 0) {
    if (!is_unit($4)) next
    if ($1 != "P") type[$1, $4] = $2
    if ($1 == "O") next
    if (!($4 in file) && ($1 == "N" || $2 == "c" || $2 == "f")) { file[$4] = path; kind[$4] = $2; order[++files] = $4 }
    next
  }
  parent = substr($4, 1, slash - 1); child = substr($4, slash + 1)
  if (parent ~ /\.d$/ && child ~ /\.conf$/) {
    unit = substr(parent, 1, length(parent) - 2)
    if ($2 == "f") real_drop_ins[$1, unit]++
    if ($2 == "f" || $2 == "c") drop_ins[$1, unit] = drop_ins[$1, unit] " " child
  } else if ($1 != "O" && parent ~ /\.(wants|requires|upholds)$/ && is_unit(child)) {
    unit = parent; sub(/\.[a-z]*$/, "", unit); linked[++links] = unit " " child
  }
}
END {
  unit_shown()
  for (i = 1; i <= managed; i++) compare(managed_unit[i], managed_state[i])
  for (i = 1; i <= files; i++) dependencies(order[i])
  for (i = 1; i <= links; i++) { split(linked[i], pair, " "); pull("pulls", pair[1], pair[2]) }
  for (i = 1; i <= files; i++) if (kind[order[i]] == "f" && (("N", order[i]) in type) && !(("O", order[i]) in type)) print "new " order[i]
  for (i = 1; i <= files; i++) if (order[i] ~ /\.socket$/ && (("N", order[i]) in type) && type["N", order[i]] != "l") print "socket " order[i]
  print "end"
}

function is_unit(name) { return name ~ /^[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|target|path|mount|automount|swap|slice)$/ }

function template(unit,    at) {
  at = index(unit, "@")
  return at == 0 ? "" : substr(unit, 1, at) substr(unit, match(unit, /\.[a-z]*$/))
}

function unit_shown(    id, names, n, i, result) {
  id = shown["Id"]
  if (is_unit(id)) {
    n = split(shown["Names"], names, " ")
    for (i = 1; i <= n; i++) if (names[i] != id) print "alias " names[i] " " id
    if (shown["ActiveState"] != "inactive") {
      print "active " shown["ActiveState"] " " id
      if (id !~ /\.(target|slice)$/) for (i = 1; i <= 3; i++) { n = split(shown[propagating[i]], names, " "); while (n > 0) print "down " id " " names[n--] }
      if (index(shown["FragmentPath"], "/etc/systemd/system") == 1) { managed_unit[++managed] = id; managed_state[managed] = shown["ActiveState"] }
    } else {
      result = shown["ConditionTimestampMonotonic"] + 0 == 0 ? "never" : shown["ConditionResult"] == "no" ? "unmet" : "ran"
      # A file that has changed may have other conditions.
      if (result == "unmet" && differs(id)) result = "ran"
      print "idle " result " " id
    }
  }
  split("", shown)
}

function differs(unit) {
  if (!(("O", unit) in type) || !(("N", unit) in type)) return (("O", unit) in type) || (("N", unit) in type)
  parse_unit(1, "O", old, unit, unit); parse_unit(2, "N", new, unit, unit)
  return differences() != ""
}

# Reads a unit file into values[side, section, key]; an empty value clears what stands before it.
function parse(side, path,    line, more, section, at, key, value) {
  section = ""
  while ((getline line < path) > 0) {
    while (line ~ /\\$/ && (getline more < path) > 0) line = substr(line, 1, length(line) - 1) " " more
    gsub(/^[ \t]+|[ \t\r]+$/, "", line)
    if (line == "" || line ~ /^[#;]/) continue
    if (line ~ /^\[.*\]$/) {
      section = substr(line, 2, length(line) - 2)
      if (section != "Install") sections[side, section] = 1
      continue
    }
    at = index(line, "=")
    if (at == 0 || section == "" || section == "Install") continue
    key = substr(line, 1, at - 1); value = substr(line, at + 1)
    sub(/[ \t]+$/, "", key); sub(/^[ \t]+/, "", value)
    if (!((side, section, key) in values)) { values[side, section, key] = ""; keys[++count] = side SUBSEP section SUBSEP key }
    if (value == "") values[side, section, key] = ""
    else values[side, section, key] = values[side, section, key] "\n" value
  }
  close(path)
}

function parse_unit(side, tree, directory, unit, base) {
  if (side == 1) { split("", values); split("", sections); split("", keys); count = 0 }
  parse(side, directory "/" base)
  parse_drop_ins(side, tree, directory, base)
  if (base != unit) parse_drop_ins(side, tree, directory, unit)
}

function parse_drop_ins(side, tree, directory, unit,    n, i, j, names, swap) {
  n = split(drop_ins[tree, unit], names, " ")
  for (i = 2; i <= n; i++) for (j = i; j > 1 && names[j - 1] > names[j]; j--) { swap = names[j]; names[j] = names[j - 1]; names[j - 1] = swap }
  for (i = 1; i <= n; i++) parse(side, directory "/" unit ".d/" names[i])
}

# The lines "key" and "section" for what was parsed last.
function differences(    i, part, text, id) {
  text = ""
  for (id in sections) {
    split(id, part, SUBSEP)
    if (part[1] == 1 && !((2, part[2]) in sections)) text = text "section removed " part[2] "\n"
    if (part[1] == 2 && !((1, part[2]) in sections)) text = text "section added " part[2] "\n"
  }
  for (i = 1; i <= count; i++) {
    split(keys[i], part, SUBSEP)
    if (part[1] == 1 && !((2, part[2], part[3]) in values)) text = text "key removed " part[2] " " part[3] "\n"
    else if (part[1] == 1 && values[1, part[2], part[3]] != values[2, part[2], part[3]]) text = text "key changed " part[2] " " part[3] "\n"
    else if (part[1] == 2 && !((1, part[2], part[3]) in values)) text = text "key added " part[2] " " part[3] "\n"
  }
  return text
}

function setting(which, section, key,    side, value, n, list) {
  side = which == "old" ? 1 : 2
  if (!((side, section, key) in values)) return
  value = values[side, section, key]
  n = split(value, list, "\n")
  if (n == 0) return
  if (key == "Sockets") { gsub(/\n/, " ", value); print "set " which " " section " " key value }
  else print "set " which " " section " " key " " list[n]
}

# What switch-to-configuration checks of a running unit.
function compare(unit, state,    base, gone, text) {
  base = unit
  if (state != "active" && state != "activating") return
  gone = 0
  if (template(unit) != "" && !(("O", unit) in type) && !(("N", unit) in type)) {
    base = template(unit)
    gone = real_drop_ins["O", unit] > 0 && !real_drop_ins["N", unit]
  }
  if (!(("O", base) in type) || type["O", base] == "l") return
  if (type["N", base] != "f") gone = 1
  parse_unit(1, "O", old, unit, base)
  if (gone) { print "managed gone " unit; setting("old", "Unit", "X-StopOnRemoval"); return }
  parse_unit(2, "N", new, unit, base)
  text = differences()
  if (text == "" && unit !~ /\.target$/) return
  print "managed present " unit
  printf "%s", text
  setting("new", "Unit", "RefuseManualStart"); setting("new", "Unit", "RefuseManualStop"); setting("new", "Unit", "X-OnlyManualStart")
  setting("new", "Unit", "X-StopOnReconfiguration")
  setting("new", "Service", "X-ReloadIfChanged"); setting("new", "Service", "X-RestartIfChanged"); setting("new", "Service", "X-StopIfChanged")
  setting("new", "Service", "X-NotSocketActivated"); setting("new", "Service", "Sockets")
}

function dependencies(unit,    i, n, names, tree, directory) {
  if (kind[unit] != "f") return
  split("", values); split("", sections); split("", keys); count = 0
  directory = file[unit]; sub(/\/[^\/]*$/, "", directory)
  parse(1, file[unit])
  parse_drop_ins(1, "N", new, unit)
  for (i = 1; i <= 4; i++) { n = split(values[1, "Unit", pulling[i]], names, /[ \t\n]+/); while (n > 0) if (names[n--] != "") pull("pulls", unit, names[n + 1]) }
  n = split(values[1, "Unit", "PartOf"], names, /[ \t\n]+/)
  while (n > 0) if (names[n--] != "") pull("part", names[n + 1], unit)
}

# Only units that exist and are not masked are reported.
function pull(word, from, to) {
  if (from in other_name) from = other_name[from]
  if (to in other_name) to = other_name[to]
  if (!is_unit(to) || !is_unit(from)) return
  # What the machine masks and the new system does not have stays masked.
  if (!(("N", to) in type) && (("O", to) in type) && type["O", to] == "c") return
  # To ask for an element creates it.
  if ((to in kind ? kind[to] : kind[template(to)]) == "f") print word " " from " " to
}
AWK
)

