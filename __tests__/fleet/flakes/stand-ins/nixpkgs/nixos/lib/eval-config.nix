# A module system as small as can be: modules are paths, functions or sets, with imports; what comes later wins. The system is
# made by examples/flake/nixos, which the tests put in ../stand-in.
{
  system ? "x86_64-linux",
  modules,
  specialArgs ? { },
  pkgs ? import ../.. { inherit system; },
}:
let
  lib = import ../../lib.nix;
  arguments = {
    inherit config lib pkgs;
  }
  // specialArgs;
  read =
    module:
    if builtins.isPath module || builtins.isString module then
      read (import module)
    else if builtins.isFunction module then
      read (module arguments)
    else
      builtins.concatMap read (module.imports or [ ]) ++ [ (removeAttrs module [ "imports" ]) ];

  defaults = {
    networking = {
      hostName = "nixos";
      domain = null;
    };
    time.timeZone = null;
    users.motd = "";
    system.configurationRevision = null;
  };
  set = builtins.foldl' lib.recursiveUpdate defaults (builtins.concatMap read modules);
  made = import ../stand-in/system.nix { inherit system; configurationRevision = set.system.configurationRevision; } {
    inherit (set.networking) hostName;
    text = "${set.users.motd} ${builtins.toJSON set.time.timeZone}";
  };
  config = lib.recursiveUpdate set {
    networking.fqdnOrHostName =
      if set.networking.domain == null then set.networking.hostName else "${set.networking.hostName}.${set.networking.domain}";
    nixpkgs.hostPlatform = { inherit system; };
    system.build = made.config.system.build;
  };
in
{
  inherit config pkgs;
}
