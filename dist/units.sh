# Reports the facts for the plan of units, from the running machine and from a system in its store, as
# switch-to-configuration reads them. Reads only, and needs no root. No values of unit files are reported but those of the settings
# that decide, because others may be long or secret. It is part of compare.sh.
# Arguments: CURRENT AFTER SECONDS LINES. CURRENT is the machine's directory of unit files, AFTER the system, SECONDS bound each
# question to systemd, LINES each list.
# Prints nothing where one of both has no unit files, else:
#   systemd WHICH PATH, config WHICH PATH     systemd's program and its system.conf; WHICH is before or after
#   inhibitors WHICH JSON                     switch-inhibitors, on one line
#   fstab WHICH LINE                          what the file systems are
#   list WHICH NAME                           what a switch that was killed has left to start, restart or reload
#   active STATE NAME                         a unit that is not inactive, with systemd's ActiveState
#   idle RESULT NAME                          one that is, and may be started: never (was not started), unmet (its conditions), ran
#   alias OTHER NAME                          another name of a loaded unit
#   down NAME OTHER                           stopping NAME, which may be stopped, stops OTHER
#   managed FILE NAME                         a unit that runs, comes from /etc/systemd/system, and is gone, changed or a target;
#                                             FILE is gone or present; its facts follow:
#     key CHANGE SECTION KEY, section CHANGE SECTION     CHANGE is added, removed or changed
#     set WHICH SECTION KEY VALUE                        a setting that decides
#   socket NAME                               a socket unit in AFTER
#   new NAME                                  a unit file that only AFTER has
#   pulls NAME OTHER                          in AFTER, starting NAME, which may be started, starts OTHER, which exists
#   part NAME OTHER                           in AFTER, OTHER is part of NAME, the target that each switch starts
#   end                                       in the end, unless there are more than LINES lines
# Exit codes: 0.

unit_facts() {
  current=$1 after=$2 seconds=$3 lines=$4
  reactivation=sysinit-reactivation.target
  # -m resolves what is missing, too, so that each path has its line.
  paths=$(readlink -m -- "$current" "$after/etc/systemd/system" /proc/1/exe /run/current-system/systemd/lib/systemd/systemd \
    "$after/systemd/lib/systemd/systemd" /etc/systemd/system.conf "$after/etc/systemd/system.conf")
  {
    read -r old && read -r new
    if [ ! -d "$old" ] || [ ! -d "$new" ]; then return 0; fi
    read -r process && read -r running && read -r next && read -r config && read -r next_config
    # Only root sees the program of a process.
    [ "$process" != /proc/1/exe ] || process=$running
    {
      printf '%s\n' "systemd before $process" "systemd after $next" "config before $config" "config after $next_config" |
        while read -r word which path; do if [ -e "$path" ]; then echo "$word $which $path"; else echo "$word $which "; fi; done
      unit_files
    } | awk -v old="$old" -v new="$new" -v after="$after" -v seconds="$seconds" -v reactivation="$reactivation" "$program" | head -n "$lines"
  } <<PATHS
$paths
PATHS
}

# Unit files, drop-ins and dependencies of all directories, with the type of what links point to (f is a file, c is /dev/null), and what
# links point to. Directories with names before /etc/systemd/system have precedence over it.
unit_files() {
  set -- "$old" "$new"
  precedence=E
  printf 'D O %s\nD N %s\n' "$old" "$new"
  # shellcheck disable=SC2046 # a word for each directory
  for directory in $(timeout "$seconds" systemctl show --property=UnitPath --value 2>/dev/null); do
    case $directory in
      /etc/systemd/system) precedence=P ;;
      *)
        [ -d "$directory" ] || continue
        printf 'D %s %s\n' "$precedence" "$directory"
        set -- "$@" "$directory"
        ;;
    esac
  done
  find -L "$@" -mindepth 1 -maxdepth 2 ! -type d -printf 'F %y %H %P\n' 2>/dev/null
  find -H "$@" -maxdepth 1 -type l -printf 'L %H %f %l\n' 2>/dev/null
  grep -RlsF -- "$reactivation" "$new" | sed 's/^/Q /'
}

program=$(cat <<'AWK'
# Reads directories (D TAG DIRECTORY, with the tag O for the machine's, N for that of AFTER, and in the order of their precedence E for
# others before the machine's, P for others behind it), their entries (F TYPE DIRECTORY PATH) and links (L DIRECTORY NAME TARGET), files that
# name the target of reactivation (Q), and lines of the answer. systemd is only asked for details of units that the switch may stop or start:
# an answer takes it a millisecond or more for each unit.
BEGIN {
  split("Wants Requires BindsTo Upholds", pulling); split("RequiredBy BoundBy ConsistsOf", propagating)
}
$1 == "systemd" || $1 == "config" { print; next }
$1 == "D" { tag[$3] = $2; next }
$1 == "L" {
  name = $4; sub(/.*\//, "", name)
  if (!is_unit($3) || !is_unit(name) || name == $3 || name ~ /@\./) next
  if (tag[$2] == "N") other_name[$3] = name
  if (!($3 in own_name)) own_name[$3] = name
  next
}
$1 == "Q" { name = substr($0, length(new) + 4); sub(/(\.d)?\/.*/, "", name); if (is_unit(name)) part_candidate[name] = 1; next }
$1 == "F" {
  which = tag[$3]; path = $3 "/" $4; slash = index($4, "/")
  if (slash == 0) {
    if (!is_unit($4)) next
    if (which == "E") elsewhere[$4] = 1
    if (which == "O" || which == "N") type[which, $4] = $2
    if (which == "O") next
    if (!($4 in file) && (which == "N" || $2 == "c" || $2 == "f")) { file[$4] = path; kind[$4] = $2; order[++files] = $4 }
    next
  }
  parent = substr($4, 1, slash - 1); child = substr($4, slash + 1)
  if (parent ~ /\.d$/ && child ~ /\.conf$/) {
    unit = substr(parent, 1, length(parent) - 2)
    if ($2 == "f") real_drop_ins[which, unit]++
    if ($2 == "f" || $2 == "c") drop_ins[which, unit] = drop_ins[which, unit] " " child
  } else if (which != "O" && parent ~ /\.(wants|requires|upholds)$/ && is_unit(child)) {
    unit = parent; sub(/\.[a-z]*$/, "", unit); linked[unit] = linked[unit] " " child
  }
}
END {
  inhibitors("before", "/run/current-system/switch-inhibitors"); inhibitors("after", after "/switch-inhibitors")
  mounts = fstab("before", "/etc/fstab") == fstab("after", after "/etc/fstab") ? "same" : "changed"
  lists("start"); lists("restart"); lists("reload")
  list_units()
  for (name in own_name) if (!(name in state) && (own_name[name] in state)) { alias[name] = own_name[name]; print "alias " name " " alias[name] }
  for (i = 1; i <= units; i++) if (state[listed[i]] != "inactive") { print "active " state[listed[i]] " " listed[i]; running_unit(listed[i]) }
  for (name in left) { may_stop(name); may_start(name) }
  may_start(reactivation)
  for (name in part_candidate) parts_of(name)
  ask_systemd()
  for (i = 1; i <= starting; i++) what_starts(start[i])
  ask_systemd()
  for (i = 1; i <= files; i++) if (kind[order[i]] == "f" && (("N", order[i]) in type) && !(("O", order[i]) in type)) print "new " order[i]
  for (i = 1; i <= files; i++) if (order[i] ~ /\.socket$/ && (("N", order[i]) in type) && type["N", order[i]] != "l") print "socket " order[i]
  # A plan without what was asked would be wrong.
  for (name in asked) exit
  print "end"
}

function inhibitors(which, path,    line, text) {
  while ((getline line < path) > 0 && length(text) < 10000) text = text line " "
  print "inhibitors " which " " substr(text, 1, 10000)
}

function fstab(which, path,    line, text) {
  while ((getline line < path) > 0) { print "fstab " which " " substr(line, 1, 20000); text = text line "\n" }
  return text
}

function lists(action,    line, path) {
  path = "/run/nixos/" action "-list"
  while ((getline line < path) > 0) { print "list " action " " substr(line, 1, 20000); left[line] = 1 }
}

function list_units(    command, line, part) {
  command = "timeout " seconds " systemctl list-units --all --full --plain --no-legend --no-pager 2>/dev/null </dev/null"
  while ((command | getline line) > 0) {
    split(line, part, " ")
    if (is_unit(part[1])) { listed[++units] = part[1]; state[part[1]] = part[3] }
  }
  close(command)
}

function is_unit(name) { return name ~ /^[A-Za-z0-9:_.\\@-]+\.(service|socket|timer|target|path|mount|automount|swap|slice)$/ }

function template(unit,    at) {
  at = index(unit, "@")
  return at == 0 ? "" : substr(unit, 1, at) substr(unit, match(unit, /\.[a-z]*$/))
}

function running_unit(unit,    base) {
  base = (("O", unit) in type) || template(unit) == "" ? unit : template(unit)
  if (!(base in elsewhere)) compare(unit, state[unit])
  if (mounts == "changed" && unit ~ /\.(mount|automount|swap)$/) may_stop(unit)
}

function is_running(unit) { return (unit in state) && state[unit] != "inactive" }

# What is stopped with it is asked.
function may_stop(unit) {
  if (is_running(unit) && unit !~ /\.(target|slice)$/) ask(unit)
}

# What is started with it is reported, and what has become of it where it does not run.
function may_start(unit) {
  if (unit in starts) return
  starts[unit] = 1; start[++starting] = unit
  if ((unit in state) && state[unit] == "inactive") ask(unit)
}

function ask(unit) {
  if (unit in known) return
  known[unit] = asked[unit] = 1
  if (last < first + 0) last = first
  if (length(batch[last + 0]) > 20000) last++
  batch[last + 0] = batch[last + 0] " '" unit "'"
}

# Asks for all units that are to be asked for, also those that its answers add.
function ask_systemd(    command, line, at) {
  for (; first + 0 <= last + 0; first++) {
    if (batch[first + 0] == "") continue
    if (first + 0 == last + 0) last++
    command = "timeout " seconds " systemctl show --property=Id,ConditionResult,ConditionTimestampMonotonic,RequiredBy,BoundBy,ConsistsOf --" batch[first + 0] " 2>/dev/null </dev/null"
    while ((command | getline line) > 0) {
      at = index(line, "=")
      if (at == 0) unit_shown()
      else shown[substr(line, 1, at - 1)] = substr(line, at + 1)
    }
    close(command)
    unit_shown()
  }
}

function unit_shown(    id, names, n, i, result) {
  id = shown["Id"]
  if (id in asked) {
    delete asked[id]
    if (is_running(id)) {
      for (i = 1; i <= 3; i++) {
        n = split(shown[propagating[i]], names, " ")
        for (; n > 0; n--) { print "down " id " " names[n]; if (is_unit(names[n])) { may_stop(names[n]); may_start(names[n]) } }
      }
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
function compare(unit, now,    base, gone, text) {
  base = unit
  if (now != "active" && now != "activating") return
  gone = 0
  if (template(unit) != "" && !(("O", unit) in type) && !(("N", unit) in type)) {
    base = template(unit)
    gone = real_drop_ins["O", unit] > 0 && !real_drop_ins["N", unit]
  }
  if (!(("O", base) in type) || type["O", base] == "l") return
  if (type["N", base] != "f") gone = 1
  parse_unit(1, "O", old, unit, base)
  if (gone) { print "managed gone " unit; setting("old", "Unit", "X-StopOnRemoval"); may_stop(unit); return }
  parse_unit(2, "N", new, unit, base)
  text = differences()
  if (text == "" && unit !~ /\.target$/) return
  print "managed present " unit
  printf "%s", text
  setting("new", "Unit", "RefuseManualStart"); setting("new", "Unit", "RefuseManualStop"); setting("new", "Unit", "X-OnlyManualStart")
  setting("new", "Unit", "X-StopOnReconfiguration")
  setting("new", "Service", "X-ReloadIfChanged"); setting("new", "Service", "X-RestartIfChanged"); setting("new", "Service", "X-StopIfChanged")
  setting("new", "Service", "X-NotSocketActivated"); setting("new", "Service", "Sockets")
  may_stop(unit); may_start(unit)
  if (unit ~ /\.service$/) sockets_of(unit)
}

function sockets_of(unit,    n, names) {
  n = split(values[2, "Service", "Sockets"], names, /[ \t\n]+/)
  names[++n] = unit
  sub(/(@[^.]*)?\.service$/, ".socket", names[n])
  for (; n > 0; n--) if (names[n] != "") { may_stop(names[n]); may_start(names[n]) }
}

# Reads the file of a unit in AFTER; returns whether it has one.
function read_file(unit,    directory) {
  if (!(unit in kind) || kind[unit] != "f") return 0
  split("", values); split("", sections); split("", keys); count = 0
  directory = file[unit]; sub(/\/[^\/]*$/, "", directory)
  parse(1, file[unit])
  parse_drop_ins(1, "N", new, unit)
  return 1
}

function parts_of(unit,    n, names) {
  if (!read_file(unit)) return
  n = split(values[1, "Unit", "PartOf"], names, /[ \t\n]+/)
  while (n > 0) if (names[n--] == reactivation) { print "part " reactivation " " unit; may_stop(unit); may_start(unit) }
}

# An instance without a file of its own has the dependencies of its template.
function what_starts(unit,    i, n, names) {
  if (!(unit in kind) && !(unit in linked)) unit = template(unit)
  if (unit == "" || (unit in reported)) return
  reported[unit] = 1
  if (read_file(unit)) for (i = 1; i <= 4; i++) {
    n = split(values[1, "Unit", pulling[i]], names, /[ \t\n]+/)
    for (; n > 0; n--) if (names[n] != "") pull(unit, names[n])
  }
  if (unit in linked) for (n = split(linked[unit], names, " "); n > 0; n--) pull(unit, names[n])
}

# Only units that exist and are not masked are reported.
function pull(from, to) {
  if (to in other_name) to = other_name[to]
  if (!is_unit(to)) return
  # What the machine masks and the new system does not have stays masked.
  if (!(("N", to) in type) && (("O", to) in type) && type["O", to] == "c") return
  # To ask for an element creates it.
  if ((to in kind ? kind[to] : kind[template(to)]) != "f") return
  print "pulls " from " " to
  may_start(to in alias ? alias[to] : to)
}
AWK
)

main() {
  unit_facts "$@"
}
