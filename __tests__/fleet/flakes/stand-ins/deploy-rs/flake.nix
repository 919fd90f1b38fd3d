{
  description = "Stands for deploy-rs: its library, of which a flake needs activate and deployChecks";

  outputs =
    { self }:
    {
      lib.x86_64-linux =
        let
          build =
            name: script: attributes:
            derivation (
              {
                inherit name;
                system = "x86_64-linux";
                builder = "/bin/sh";
                args = [
                  "-c"
                  script
                ];
              }
              // attributes
            );
          # As there: a tree of links, whose derivation refers to what it links to.
          custom =
            base: activate:
            build "activatable-${base.name}" "echo nobody builds this >&2; exit 1" {
              pkgs = builtins.toJSON (
                map
                  (path: {
                    paths = [ path ];
                    priority = 5;
                  })
                  [
                    base
                    (build "${base.name}-activate-path" ''echo "$text" > $out'' { text = activate; })
                    (build "${base.name}-activate-rs" "echo > $out" { text = "exec activate"; })
                  ]
              );
            };
        in
        {
          activate = {
            inherit custom;
            nixos = configuration: custom configuration.config.system.build.toplevel "cd /tmp\n\n$PROFILE/bin/switch-to-configuration switch\n";
            darwin = configuration: custom configuration.config.system.build.toplevel "HOME=/var/root $PROFILE/activate";
          };
          deployChecks = deploy: { schema = builtins.attrNames deploy.nodes; };
        };
    };
}
