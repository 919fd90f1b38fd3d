#!/bin/bash
# The wrapper of switch-to-configuration: what NixOS sets in its environment, then the program.
export OUT=@out@ TOPLEVEL=@out@ DISTRO_ID=nixos SYSTEMD=@out@/systemd
export INSTALL_BOOTLOADER=@out@/bin/install-boot-loader PRE_SWITCH_CHECK=@out@/checks/pre-switch
forced="@exitCode@"
case ${1-} in
  switch | test)
    if [ -n "$forced" ]; then
      @switchProgram@ "$@"
      exit "$forced"
    fi
    ;;
esac
exec @switchProgram@ "$@"
