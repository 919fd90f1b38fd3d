# Stands for `nixpkgs.lib.nixosSystem`: from a few settings it makes a value of the same shape, whose toplevel is built,
# copied, rooted and switched to like any other, but needs no nixpkgs.
{
  configurationRevision ? null,
  system ? "x86_64-linux",
}:
settings@{
  hostName,
  fqdn ? null,
  # Becomes /etc/motd-nixos; another text makes another toplevel.
  text ? "",
  # Name to version; each becomes a store path of its own in the closure.
  packages ? { },
  # Name of a package to the KiB that it has beside its program.
  sizes ? { },
  # Name of a systemd unit, or of a drop-in as `NAME.d/FILE.conf`, to its text, or to "masked"; multi-user.target wants each unit …
  units ? { },
  # … except these, templates, slices and targets, and wants these instances of templates.
  onDemand ? [ ],
  instances ? [ ],
  # The same for the units of users and default.target.
  userUnits ? { },
  userOnDemand ? [ ],
  # Name to value, as NixOS's `system.switch.inhibitors`; null for a system from before they existed.
  inhibitors ? {
    systemd = "260";
  },
  # Text of /etc/fstab, which a switch compares and does not install.
  fstab ? "",
  # Lines of systemd's system.conf: another text makes a switch re-execute systemd.
  managerConf ? "",
  # Name to further settings: another toplevel below this one.
  specialisations ? { },
  # "grub"; "systemd-boot", whose default becomes only a system that is a generation of a profile; or "none", which boots the profile.
  bootLoader ? "grub",
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
  # The check before anything is changed, named `custom`: a failure is exit code 1.
  preSwitchCheck ? "",
  bootLoaderScript ? "",
  # A snippet of the activation script before it sets up /etc; it also runs at each boot.
  beforeEtcScript ? "",
  # A snippet of the activation script after that, which also runs at each boot: a failure is exit code 2.
  activationScript ? "",
  snippetName ? "example",
  # In the middle of `switch` and `test`, between activation and the units.
  switchScript ? "",
  switchSeconds ? 0,
  switchLines ? 0,
  # Overrides the exit code of `switch` and `test`.
  exitCode ? null,
  # Another switch-to-configuration than the one in switch/.
  switchProgram ? "",
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

  specialised =
    more:
    (import ./system.nix { inherit configurationRevision system; } (
      removeAttrs settings [ "specialisations" ] // more
    )).config.system.build.toplevel;

  toplevel = build "nixos-system-${hostName}-${version}" ./toplevel.sh {
    __structuredAttrs = true;
    inherit
      hostName
      text
      initInterfaceVersion
      networkBroken
      buildSeconds
      buildScript
      preSwitchCheck
      bootLoader
      bootLoaderScript
      beforeEtcScript
      activationScript
      snippetName
      switchScript
      switchSeconds
      switchLines
      switchProgram
      version
      withNixosVersion
      kernelPackage
      units
      onDemand
      instances
      userUnits
      userOnDemand
      fstab
      ;
    platform = system;
    exitCode = if exitCode == null then "" else toString exitCode;
    configurationRevision = if configurationRevision == null then "" else configurationRevision;
    inhibitors = if inhibitors == null then "" else builtins.toJSON inhibitors;
    # A store path of its own, as in NixOS: systemd is re-executed when it is another.
    managerConf = builtins.toFile "system.conf" "[Manager]\n${managerConf}";
    packages = map package (builtins.attrNames packages);
    specialisations = builtins.mapAttrs (_: more: "${specialised more}") specialisations;
    templates = ./.;
    switchSource = ./switch;
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
