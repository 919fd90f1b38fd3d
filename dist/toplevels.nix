# Applied to the outputs of a flake by `nix eval --apply`: the derivations of the systems, which are instantiated, not built.
{
  # As a target names them: attributes of nixosConfigurations, or of colmenaHive.nodes with that in front.
  configurations,
}:
outputs:
let
  inherit (builtins)
    listToAttrs
    stringLength
    substring
    tryEval
    unsafeDiscardStringContext
    ;
  hive = "colmenaHive.nodes.";
  own = outputs.nixosConfigurations or { };
  nodes = outputs.colmenaHive.nodes or { };
  length = stringLength hive;
  find =
    name:
    if substring 0 length name == hive then
      nodes.${substring length (stringLength name) name} or null
    else
      own.${name} or null;
  # Null where there is none, or where it throws.
  derivationOf =
    name:
    let
      configuration = find name;
      path = tryEval (unsafeDiscardStringContext configuration.config.system.build.toplevel.drvPath);
    in
    if configuration != null && path.success then path.value else null;
in
listToAttrs (
  map (name: {
    inherit name;
    value = derivationOf name;
  }) configurations
)
