{
  description = "A server, and another one that says more";

  inputs.deploy-rs.url = "github:serokell/deploy-rs";

  outputs =
    {
      self,
      nixpkgs,
      deploy-rs,
    }:
    {
      nixosConfigurations.web1 = nixpkgs.lib.nixosSystem {
        system = "x86_64-linux";
        modules = [ ./web1/configuration.nix ];
      };
      nixosConfigurations.db1 = nixpkgs.lib.nixosSystem {
        system = "x86_64-linux";
        modules = [ { networking.hostName = "db1"; } ];
      };
      # Somebody's laptop, which is none of the machines.
      nixosConfigurations.laptop = nixpkgs.lib.nixosSystem { modules = [ { networking.hostName = "laptop"; } ]; };

      deploy.nodes.web1 = {
        hostname = "web1";
        profiles.system = {
          user = "root";
          path = deploy-rs.lib.x86_64-linux.activate.nixos self.nixosConfigurations.web1;
        };
      };
      deploy.nodes.db1 = {
        sshOpts = [
          "-p"
          "2222"
        ];
        hostname = "db1";
        fastConnection = true;
        profiles.system = {
          sshUser = "deploy";
          user = "root";
          path = deploy-rs.lib.x86_64-linux.activate.nixos self.nixosConfigurations.db1;
        };
      };

      checks = builtins.mapAttrs (system: library: library.deployChecks self.deploy) deploy-rs.lib;
    };
}
