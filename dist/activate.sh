# Activates a system of the store: runs its own switch-to-configuration. It is put into the directory of the run, beside switch.sh,
# and started there by job.sh. POSIX sh.
# Arguments: ACTION TOPLEVEL RUNNING GENERATION INSTALL_BOOTLOADER PROFILE. ACTION is
#   test, dry-activate  of RUNNING, which is the toplevel, or its specialisation; profile and boot loader stay
#   step                profile and boot loader alone, in a way that can be undone: last.sh begin
#   switch, boot        as nixos-rebuild does without any protection: the profile, then switch-to-configuration; with a
#                       specialisation, profile and boot loader are the toplevel's, and the specialisation runs
# GENERATION is the number of the toplevel's generation where the profile is to return to one, else empty. INSTALL_BOOTLOADER is 1
# or 0.
# Says so where the nixos-activation.service of a user failed, which changes no exit code.
# Exit code: that of switch-to-configuration; 1 where the profile could not be set, and says so; 75 where it was decided before that
# nothing is to be activated.
# Leaves, for settle.sh, activate.ended (hundredths of a second since the start of the machine) and, where units were started, activate.restarts ("UNIT
# NUMBER" for each service: how often systemd has restarted it).

action=$1 toplevel=$2 running=$3 generation=$4 profile=$6
export NIXOS_INSTALL_BOOTLOADER="$5"

set_profile() {
  if [ -n "$generation" ]; then
    nix-env --profile "$profile" --switch-generation "$generation"
  else
    nix-env --profile "$profile" --set "$toplevel"
  fi
}

switch_to() {
  /bin/sh ./switch.sh "$1" "$2"
}

# Unit and number of restarts of each service.
restarts() {
  {
    systemctl show --property=Id,NRestarts '*.service' 2>/dev/null
    echo
  } | while IFS='=' read -r key value; do
    case $key in
      Id) id=$value ;;
      NRestarts) number=$value ;;
      '') [ -z "${id-}" ] || printf '%s %s\n' "$id" "${number:-0}" ;;
    esac
  done
}

# switch-to-configuration waits for that unit of each user who has a manager, and does not look at how it ended.
report_users() {
  sed -n 's/^reloading user units for \(.*\)\.\.\.$/\1/p' activate.log | sort -u | while read -r user; do
    uid=$(id -u -- "$user") || continue
    gid=$(id -g -- "$user") || continue
    # What answers there is the user's.
    state=$(XDG_RUNTIME_DIR=/run/user/$uid timeout 5 setpriv --reuid="$uid" --regid="$gid" --clear-groups \
      systemctl --user show --property=ActiveState nixos-activation.service 2>/dev/null </dev/null)
    [ "$state" != ActiveState=failed ] || echo "nix-flake-deploy: nixos-activation.service of $user failed"
  done
}

# In this order: who decides looks for "begun" after the decision.
: >begun
if [ -L decision ]; then
  echo "nix-flake-deploy: the activation was called off before it started"
  exit 75
fi
case $action in
  switch | boot)
    if ! set_profile; then
      echo "nix-flake-deploy: the system profile could not be set"
      exit 1
    fi
    ;;
esac
if [ "$action" = step ]; then
  /bin/sh ./last.sh begin
elif [ "$running" = "$toplevel" ]; then
  switch_to "$toplevel" "$action"
elif [ "$action" = switch ]; then
  switch_to "$toplevel" boot && switch_to "$running" test
else
  switch_to "$running" "$action"
fi
code=$?
# To ask systemd for all services takes a while.
said=$(grep -hos -e '^starting the following units: ' -e '^restarting the following units: ' -e '^the following new units were started: ' \
  -e '^restarting the following user units: nixos-activation.service$' activate.log)
case $said in *' user units: '*) report_users ;; esac
case $said in *' following units: '* | *' new units '*) restarts >activate.restarts ;; esac
read -r now _ </proc/uptime
echo "${now%.*}${now#*.}" >activate.ended
exit "$code"
