# Starts a job that continues without a connection: as root in its own unit, else in its own session. A job
# is started once: again it does nothing.
# Arguments: RUN JOB JOB_SCRIPT COMMAND [ARG...]. The command is looked up in PATH and runs in the directory of the run.
# Exit codes: 0 the job was started, 1 it could not be.

start_job() {
  run=$1 job=$2 script=$3
  shift 3
  find_directory "$run"
  cd -- "$dir" || return 1
  # Where /run is full, the rollback begins with the room that arm.sh has reserved.
  [ "$job" != back ] || rm -f reserve
  [ -e job.sh ] || { printf '%s' "$script" >job.sh.new && mv -- job.sh.new job.sh; } || return 1
  # The command is in a file, since systemd would replace $NAME, ${NAME} and $$ in the arguments of a unit.
  {
    printf 'set --'
    for word; do
      case $word in *"'"*) word=$(printf '%s' "$word" | sed "s/'/'\\\\''/g") ;; esac
      printf " '%s'" "$word"
    done
    echo
  } >"$job.command" || return 1
  (
    set -C
    : >"$job.log"
  ) 2>/dev/null || {
    [ -e "$job.log" ] && return 0
    echo "cannot create a file in $dir" >&2
    return 1
  }
  # Without nixos-rebuild's re-exec a first switch is 400 ms faster, and the version that was queried runs.
  export _NIXOS_REBUILD_REEXEC=1
  if [ "$uid" -ne 0 ]; then
    setsid nohup /bin/sh ./job.sh "$job" >/dev/null 2>&1 </dev/null &
    echo "$!" >"$job.pid"
    return 0
  fi
  # Old systemd refuses --setenv=NAME without a value.
  environment=
  for name in PATH LOCALE_ARCHIVE _NIXOS_REBUILD_REEXEC http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY NIX_REMOTE NIX_SSL_CERT_FILE SSL_CERT_FILE; do
    eval "value=\${$name-}"
    # shellcheck disable=SC2154 # set by the line above
    case $value in '' | *[[:space:]]*) ;; *) environment="$environment --setenv=$name=$value" ;; esac
  done
  # shellcheck disable=SC2086 # one word for each variable, none of which holds white space
  systemd-run --quiet --unit="nix-flake-deploy-$run-$job" --description="nix-flake-deploy: $job" --service-type=exec \
    --property=WorkingDirectory="$dir" $environment -- /bin/sh "$dir/job.sh" "$job"
}

main() {
  start_job "$@"
}
