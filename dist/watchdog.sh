#!/bin/sh
# The watchdog of one activation: it stands in the directory of the run, beside what arm.sh has recorded there, and puts the
# old system back unless somebody has confirmed the new one. Works without any connection; safe to run twice, and without
# effect after a reboot, which clears the directory.
#
#   watchdog.sh arm NAME SECONDS   starts the timer NAME: a unit that waits, and then starts another with "watchdog.sh fire NAME"
#   watchdog.sh wait NAME SECONDS  what the first of the two does; to stop it stops nothing that has begun
#   watchdog.sh fire NAME          what a timer does: "activation" goes back while the activation has not ended, "confirm" and
#                                  "health" always; "clear" removes all that the run has left
#   watchdog.sh keep               decides for the new system and stops the timers; exit code 7: too late, it goes back
#   watchdog.sh back               decides for the old system and goes back; exit code 7: too late, it was confirmed
#   watchdog.sh restore            puts profile, boot loader entry and running system back
#
# Files: run, operation, profile (the system profile), previous-link (of the profile), previous-profile, previous-running (store
# paths, or empty), clear.window (seconds in which somebody may come and ask how the way back has ended), finish.sh, switch.sh.
# The decision is a symbolic link, which only one can make.

set -u
cd -- "$(dirname -- "$0")" || exit 1
PATH=$PATH:/run/wrappers/bin:/run/current-system/sw/bin:/nix/var/nix/profiles/default/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
for file in run operation profile previous-link previous-profile previous-running; do
  # Nothing is known of what to go back to.
  [ -e "$file" ] || exit 1
done
profile=$(cat profile)
run=$(cat run)
directory=$(pwd)

# Not a timer of systemd: each `systemctl daemon-reload` begins its time anew (seen with systemd 252, 257 and 262), and a system
# that reloads again and again would never go back.
timer() {
  systemd-run --quiet --unit="nix-flake-deploy-$run-$1-timer" --service-type=exec -- /bin/sh "$directory/watchdog.sh" wait "$1" "$2"
}

disarm() {
  systemctl stop "nix-flake-deploy-$run-activation-timer*" "nix-flake-deploy-$run-confirm-timer*" "nix-flake-deploy-$run-health-timer*" 2>/dev/null
  return 0
}

# Makes the decision, or says whether it was made that way before.
decide() {
  ln -s "$1" decision 2>/dev/null || [ "$(readlink decision)" = "$1" ]
}

go_back() {
  decide back || return 7
  /bin/sh ./job.sh rollback /bin/sh ./watchdog.sh restore
  disarm
  clear_later
}

# Perhaps nobody comes any more to remove what is left of the run. After a way back that failed, its log is what helps: it stays.
clear_later() {
  case $(cat rollback.status 2>/dev/null) in 0 | 4) ;; *) return 0 ;; esac
  if [ -e clear.window ] && ! systemctl is-active --quiet "nix-flake-deploy-$run-clear-timer.service"; then
    timer clear "$(cat clear.window)"
  fi
  return 0
}

# What it prints is in the journal, which outlives the directory.
clear_away() {
  echo "the machine has gone back by itself, and nobody has asked; the end of the logs:"
  tail -n 100 activate.log rollback.log
  exec /bin/sh ./finish.sh
}

switch_to() {
  echo "going back: $1/bin/switch-to-configuration $2"
  NIXOS_NO_CHECK=1 /bin/sh ./switch.sh "$1" "$2"
  code=$?
  # 4: some units failed, perhaps those that had failed before; whoever watches compares.
  case $code in
    0) ;;
    4) [ "$result" -ne 0 ] || result=4 ;;
    *) result=$code ;;
  esac
}

restore() {
  # What still activates must not go on beside the rollback. One that ignores SIGTERM takes a while, in which whoever follows must
  # see that the rollback has begun.
  if [ ! -e activate.status ]; then
    # Patterns: systemd 262 stops nothing at all when one of several units is not there.
    systemctl stop "nix-flake-deploy-$run-activate*.service" 2>/dev/null
  fi
  result=0
  operation=$(cat operation) link=$(cat previous-link)
  old_profile=$(cat previous-profile) old_running=$(cat previous-running)
  if [ "$operation" != test ]; then
    if [ -n "$link" ]; then
      ln -sfn -- "$link" "$profile.nix-flake-deploy" && mv -T -- "$profile.nix-flake-deploy" "$profile" || result=1
      echo "the system profile is $link again"
    else
      rm -f -- "$profile" || result=1
      echo "there is no system profile again"
    fi
  fi
  case $operation in
    test) switch_to "$old_running" test ;;
    boot) switch_to "${old_profile:-$old_running}" boot ;;
    *)
      if [ -z "$old_profile" ] || [ "$old_profile" = "$old_running" ]; then
        switch_to "$old_running" switch
      else
        # The machine was to boot another system than the one that ran.
        switch_to "$old_profile" boot
        switch_to "$old_running" test
      fi
      ;;
  esac
  return "$result"
}

case $1 in
  arm) timer "$2" "$3" ;;
  wait)
    sleep "$3" || exit
    systemd-run --quiet --unit="nix-flake-deploy-$run-$2" --service-type=exec -- /bin/sh "$directory/watchdog.sh" fire "$2" ||
      exec /bin/sh ./watchdog.sh fire "$2"
    ;;
  fire)
    [ "$2" != clear ] || clear_away
    if [ "$2" = activation ] && [ -e activate.status ]; then exit 0; fi
    go_back
    [ $? -ne 7 ] || exit 0
    ;;
  keep)
    decide keep || exit 7
    disarm
    ;;
  back) go_back ;;
  restore) restore ;;
esac
