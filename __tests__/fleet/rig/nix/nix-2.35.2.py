#!/usr/bin/python3 -ESB
"""Stands for upstream Nix 2.35.2: `flake metadata` prints the path of a source that it has not put into the store."""

import sys

from lazy import finish, missing_source, passes, run_lazily
from stand_in import Call, real

call = Call(sys.argv[1:])
if "--version" in call.arguments and not call.command:
    print("nix (Nix) 2.35.2")
    sys.exit(0)
if not passes(call):
    real(call.arguments)
finish(*run_lazily(call, missing_source))
