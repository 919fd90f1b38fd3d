{
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    colmena.url = "github:zhaofengli/colmena";
  };
  outputs =
    {
      self,
      nixpkgs,
      colmena,
    }:
    {
      colmenaHive = colmena.lib.makeHive {
        meta.nixpkgs = import nixpkgs {
          system = "x86_64-linux";
          overlays = [ ];
        };
        defaults.system.configurationRevision = self.rev or null;

        web1 =
          {
            name,
            nodes,
            pkgs,
            ...
          }:
          {
            boot.isContainer = true;
            time.timeZone = nodes.db1.config.time.timeZone;
            users.motd = "Hello from ${name}, by colmena";
          };
        db1 = {
          deployment = {
            targetHost = "db1";
            targetPort = 2222;
            targetUser = "deploy";
            tags = [ "database" ];
          };
          boot.isContainer = true;
          time.timeZone = "Europe/Vienna";
        };
      };
    };
}
