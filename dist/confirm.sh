# Decides for the new system over a fresh connection, where nothing speaks against it, and follows the last step. It is sent behind
# decide.sh and follow.sh. May be run again, as both.
# Arguments: RUN JOB OFFSET RUNNING UNITS. JOB and OFFSET are those of follow.sh, RUNNING is the system that must run, or empty, UNITS,
# separated by spaces, may have failed.
# Prints what follow.sh prints of the last step, where there is one. On standard error the fact "confirmed": no, with those of the system,
# where nothing was decided; yes, with those of follow.sh, but for failed units, or without a last step those of the system.
# Exit codes: 0; those of decide.sh.

newline='
'

nothing_against() {
  running=${state#running=}
  [ -z "$1" ] || [ "${running%%"$newline"*}" = "$1" ] || return 1
  for unit in ${state##*failed-units=}; do
    case " $2 " in *" $unit "*) ;; *) return 1 ;; esac
  done
}

main() {
  enter_directory "$1" && [ -e armed ] || return 3
  state=
  if [ ! -L decision ]; then
    state=$(system_state)
    if ! nothing_against "$4" "$5"; then
      printf 'confirmed=no\n%s\n' "$state" >&2
      return 0
    fi
  fi
  /bin/sh ./watchdog.sh keep || return
  echo confirmed=yes >&2
  if [ -e last.log ]; then
    # It changes no unit.
    show_job "$1" "$2" "$3" && system_paths >&2
  else
    printf '%s\n' "${state:-$(system_state)}" >&2
  fi
}
