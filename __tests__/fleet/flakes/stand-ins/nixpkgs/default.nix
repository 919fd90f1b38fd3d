# What tools ask of an initialized nixpkgs.
{
  system,
  overlays ? [ ],
  config ? { },
}:
{
  inherit system overlays config;
  path = ./.;
  lib = import ./lib.nix;
  stdenv.hostPlatform = { inherit system; };
}
