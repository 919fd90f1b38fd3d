# Starts a job that goes on whatever becomes of the connection: as root a unit of its own, else a session of its own. Its
# output goes to a file and not to the journal, which misses what old versions of nixos-rebuild print.
# Arguments: RUN JOB COMMAND [ARG...]. The command is looked up in PATH and runs in the directory of the run.
# Exit codes: 0 the job was started, 1 it could not be.

main() {
  run=$1 job=$2
  shift 2
  dir=$(run_directory "$run")
  cd -- "$dir" || return 1
  # While the job is alive it holds the lock of NAME.alive; its exit code is in NAME.status from its end on. The command stands
  # in the script, since systemd would replace $NAME, ${NAME} and $$ in the arguments of a unit.
  {
    printf 'job=%s\nset --' "$job"
    for word; do
      printf " '%s'" "$(printf '%s' "$word" | sed "s/'/'\\\\''/g")"
    done
    cat <<'JOB'

exec 9>"$job.alive"
flock 9
"$@" 9>&-
code=$?
echo "$code" >"$job.status.new"
mv -- "$job.status.new" "$job.status"
JOB
  } >"$job.sh" || return 1
  : >"$job.log" || return 1
  # A first switch is 400 ms faster, and the version that was asked about runs, without nixos-rebuild's start of itself anew.
  export _NIXOS_REBUILD_REEXEC=1
  if [ "$uid" -ne 0 ]; then
    setsid nohup /bin/sh "$job.sh" >>"$job.log" 2>&1 </dev/null &
    echo "$!" >"$job.pid"
    return 0
  fi
  # Old systemd refuses --setenv=NAME without a value.
  environment=
  for name in PATH _NIXOS_REBUILD_REEXEC http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY NIX_REMOTE NIX_SSL_CERT_FILE SSL_CERT_FILE; do
    eval "value=\${$name-}"
    # shellcheck disable=SC2154 # set by the line above
    case $value in '' | *[[:space:]]*) ;; *) environment="$environment --setenv=$name=$value" ;; esac
  done
  # shellcheck disable=SC2086 # one word for each variable, none of which holds white space
  systemd-run --quiet --unit="nix-flake-deploy-$run-$job" --description="nix-flake-deploy: $job" --service-type=exec \
    --property=StandardOutput="append:$dir/$job.log" --property=StandardError="append:$dir/$job.log" \
    --property=WorkingDirectory="$dir" $environment -- /bin/sh "$dir/$job.sh"
}
