{
  description = "Two machines, as nix-flake-deploy deploys them";

  outputs =
    { self }:
    let
      # Where a real flake says nixpkgs.lib.nixosSystem. See README.md.
      nixosSystem = import ./nixos/system.nix { configurationRevision = self.rev or null; };
    in
    {
      nixosConfigurations = {
        web1 = nixosSystem {
          hostName = "web1";
          text = "Hello from web1";
          packages.nginx = "1.28.0";
        };
        web2 = nixosSystem {
          hostName = "web2";
          text = "Hello from web2";
          packages.nginx = "1.28.0";
        };
      };
    };
}
