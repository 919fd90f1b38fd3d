# Applied to the outputs of a flake by `nix eval --apply`: the derivations of the systems, which are instantiated, not built.
{
  # As a target names them: attributes of nixosConfigurations, or of colmenaHive.nodes with that in front.
  configurations,
  # Whether a machine that throws is passed over. Other errors end the evaluation all the same.
  careful,
}:
outputs:
let
  inherit (builtins)
    attrNames
    deepSeq
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
  describe =
    name:
    let
      configuration = find name;
      inherit (configuration.config.system.build) toplevel;
    in
    if configuration == null then
      { }
    else
      {
        derivation = unsafeDiscardStringContext toplevel.drvPath;
        output = unsafeDiscardStringContext toplevel.outPath;
        platform = toplevel.system or null;
      };
  # Null for a machine that throws.
  guarded =
    name:
    let
      system = describe name;
      attempt = tryEval (deepSeq system system);
    in
    if !careful then
      system
    else if attempt.success then
      attempt.value
    else
      null;
in
{
  # Of nixosConfigurations.
  names = attrNames own;
  systems = listToAttrs (
    map (name: {
      inherit name;
      value = guarded name;
    }) configurations
  );
}
