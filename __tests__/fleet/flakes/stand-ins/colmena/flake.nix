{
  description = "Stands for colmena: its library, of which a flake needs makeHive";

  outputs =
    { self }:
    {
      lib.makeHive =
        raw:
        let
          nixpkgs = raw.meta.nixpkgs;
          evalConfig = import (nixpkgs.path + "/nixos/lib/eval-config.nix");
          options = name: {
            networking.hostName = name;
            deployment = {
              targetHost = name;
              targetPort = null;
              targetUser = "root";
              buildOnTarget = false;
              tags = [ ];
              sshOptions = [ ];
            };
          };
          nodes = builtins.mapAttrs (
            name: node:
            evalConfig {
              inherit (nixpkgs) system;
              modules = [
                (options name)
                (raw.defaults or { })
                node
              ];
              specialArgs = {
                inherit name nodes;
              }
              // (raw.meta.specialArgs or { });
            }
          ) (removeAttrs raw [ "meta" "defaults" ]);
        in
        {
          __schema = "v0.5";
          inherit nodes;
          toplevel = builtins.mapAttrs (_: node: node.config.system.build.toplevel) nodes;
          deploymentConfig = builtins.mapAttrs (_: node: node.config.deployment) nodes;
        };
    };
}
