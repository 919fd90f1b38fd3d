# Stands for `nixpkgs.lib.nixosSystem`: from a few settings it makes a value of the same shape, whose toplevel is built,
# copied, rooted and switched to like any other, but needs no nixpkgs.
{
  configurationRevision ? null,
  system ? "x86_64-linux",
}:
{
  hostName,
  fqdn ? null,
  # Becomes /etc/motd-nixos; another text makes another toplevel.
  text ? "",
  # Name to version; each becomes a store path of its own in the closure.
  packages ? { },
  # Name of a package to the KiB that it has beside its program.
  sizes ? { },
  # Name of a systemd unit to its text; `switch` starts, restarts and stops what differs.
  units ? { },
  # Another kernel wants a reboot.
  kernel ? "6.12.50",
  # Another value: `switch` installs the boot loader entry and leaves the rest to a reboot, exit code 100.
  initInterfaceVersion ? "2",
  # Where a deployment tool finds the machine, as colmena's option of this name.
  deployment ? null,
  # A network without addresses, now and after each boot.
  networkBroken ? false,

  # What goes wrong, and when. Scripts are of bash; `$action` is the action of switch-to-configuration.
  evaluationError ? null,
  buildSeconds ? 0,
  buildScript ? "",
  # The check before anything is changed: a failure is exit code 1.
  preSwitchCheck ? "",
  bootLoaderScript ? "",
  # Part of the activation script, which also runs at each boot: a failure is exit code 2.
  activationScript ? "",
  # In the middle of `switch` and `test`, between activation and the units.
  switchScript ? "",
  switchSeconds ? 0,
  switchLines ? 0,
  # Overrides the exit code of `switch` and `test`.
  exitCode ? null,
  nixosVersion ? "26.05.20260101.0000000",
  withNixosVersion ? true,
  withNixosRebuild ? true,
}:
let
  version = nixosVersion;

  build =
    name: script: attributes:
    derivation (
      {
        inherit name system;
        builder = "/bin/bash";
        args = [
          "-eu"
          script
        ];
        PATH = "/usr/local/bin:/usr/bin:/bin";
        preferLocalBuild = true;
        allowSubstitutes = false;
      }
      // attributes
    );

  package =
    name:
    build "${name}-${packages.${name}}" ./package.sh {
      pname = name;
      version = packages.${name};
      kibibytes = sizes.${name} or 0;
    };

  nixos-rebuild = build "nixos-rebuild" ./nixos-rebuild.sh { };

  # Kernel and initrd are paths of their own, so that two systems with the same ones link to the same ones.
  kernelPackage = build "linux-${kernel}" ./package.sh {
    pname = "linux";
    version = kernel;
  };

  toplevel = build "nixos-system-${hostName}-${version}" ./toplevel.sh {
    inherit
      hostName
      text
      initInterfaceVersion
      networkBroken
      buildSeconds
      buildScript
      preSwitchCheck
      bootLoaderScript
      activationScript
      switchScript
      switchSeconds
      switchLines
      version
      withNixosVersion
      kernelPackage
      ;
    inherit system;
    exitCode = if exitCode == null then "" else exitCode;
    configurationRevision = if configurationRevision == null then "" else configurationRevision;
    packages = map package (builtins.attrNames packages);
    unitNames = builtins.attrNames units;
    unitTexts = map (name: builtins.toFile name units.${name}) (builtins.attrNames units);
    activateTemplate = ./activate.sh;
    switchTemplate = ./switch-to-configuration.sh;
  };
in
{
  _type = "configuration";
  class = "nixos";
  config = {
    networking = {
      inherit hostName;
      fqdnOrHostName = if fqdn == null then hostName else fqdn;
    };
    inherit deployment;
    nixpkgs.hostPlatform.system = system;
    system = {
      inherit configurationRevision;
      name = hostName;
      nixos.version = version;
      build = {
        toplevel = if evaluationError == null then toplevel else throw evaluationError;
      }
      // (if withNixosRebuild then { inherit nixos-rebuild; } else { });
    };
  };
}
