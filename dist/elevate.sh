# Runs `/bin/sh -s` as root by sudo, which may ask for a password. Reads from standard input: this script up to a line "---", the
# password in one line, and then what the root shell is to read.
#
# The password is taken off standard input here, so the root shell cannot read it whatever sudo asks. sudo gets it from a helper
# program, through a named pipe whose content is only ever in memory. It is in no argument list, environment or file.
# Exit code: that of sudo.

elevate() {
  # A variable that is exported already would put the password into the environment.
  unset word
  IFS= read -r word || return 1
  umask 077
  place=$(mktemp -d "${XDG_RUNTIME_DIR:-/tmp}/nix-flake-deploy-elevate.XXXXXXXXXX") || return 1
  mkfifo "$place/pipe" || return 1
  # Open for both ends: neither side waits for the other, and an unread password is gone with this process.
  exec 3<>"$place/pipe"
  printf '%s\n' "$word" >&3
  unset word
  # The pipe is removed before it is read: a second question gets no answer instead of waiting for one.
  cat >"$place/askpass" <<'END'
#!/bin/sh
{ exec 3<"${0%/*}/pipe"; } 2>/dev/null || exit 1
rm -f "${0%/*}/pipe"
IFS= read -r word <&3 || exit 1
printf '%s\n' "$word"
END
  chmod 700 "$place/askpass"
  SUDO_ASKPASS=$place/askpass sudo -k -A -p '' -- /bin/sh -s 3>&-
  code=$?
  rm -rf "$place"
  return "$code"
}

elevate
