{
  description = "Stands for nixpkgs: nixosSystem, and what `import nixpkgs` gives";

  outputs =
    { self }:
    {
      lib.nixosSystem = import ./nixos/lib/eval-config.nix;
      legacyPackages.x86_64-linux = import ./. { system = "x86_64-linux"; };
    };
}
