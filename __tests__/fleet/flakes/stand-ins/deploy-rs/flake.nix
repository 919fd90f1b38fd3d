{
  description = "Stands for deploy-rs: its library, of which a flake needs activate and deployChecks";

  outputs =
    { self }:
    {
      lib.x86_64-linux = {
        # Whoever looks at the path of a profile has the whole system evaluated: that must never happen for an inventory.
        activate.nixos = configuration: throw "the system of ${configuration.config.networking.hostName} was evaluated";
        deployChecks = deploy: { schema = builtins.attrNames deploy.nodes; };
      };
    };
}
