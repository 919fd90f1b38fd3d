# Applied to the outputs of a flake by `nix eval --apply`: the derivations of the systems, which are instantiated, not built.
{
  # As a target names them: attributes of nixosConfigurations, or of colmenaHive.nodes or deploy.nodes with that in front.
  configurations,
  # Whether a machine that throws is passed over. Other errors end the evaluation all the same.
  careful,
}:
outputs:
let
  inherit (builtins)
    attrNames
    deepSeq
    elem
    filter
    getContext
    head
    isString
    length
    listToAttrs
    match
    stringLength
    substring
    toJSON
    tryEval
    unsafeDiscardStringContext
    ;
  own = outputs.nixosConfigurations or { };
  # The name after a prefix; null for a name without it.
  after =
    prefix: name:
    if substring 0 (stringLength prefix) name == prefix then
      substring (stringLength prefix) (stringLength name) name
    else
      null;
  hive = after "colmenaHive.nodes.";
  profile = after "deploy.nodes.";

  describe =
    name:
    if profile name != null then
      describeProfile (profile name)
    else if hive name != null then
      describeConfiguration (outputs.colmenaHive.nodes.${hive name} or null)
    else
      describeConfiguration (own.${name} or null);

  describeConfiguration =
    configuration:
    let
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

  # The system in profiles.system.path of a node of deploy-rs: a derivation that refers to the system and to a script that
  # activates it. That derivation itself is not needed.
  describeProfile =
    name:
    let
      path = outputs.deploy.nodes.${name}.profiles.system.path or null;
      named = describeConfiguration (own.${name} or null);
      references = map unsafeDiscardStringContext (
        attrNames (getContext (if isString path then path else toJSON (path.drvAttrs or path)))
      );
      inputs = references ++ (if isString path then [ ] else [ (unsafeDiscardStringContext path.drvPath) ]);
      # What NixOS calls the derivation of every system.
      systems = filter (input: match "/.*/[a-z0-9]{32}-nixos-system-.*[.]drv" input != null) inputs;
      # What deploy-rs calls the script.
      activations = filter (input: match ".*-activate-path[.]drv" input != null) inputs;
      activation = if length activations == 1 then head activations else null;
      # Its text, where nixpkgs keeps what a tree of links is made of.
      scripts = filter (part: part ? text && match ".*-activate-path" (part.name or "") != null) (path.paths or [ ]);
      script = if scripts == [ ] then null else unsafeDiscardStringContext (head scripts).text;
    in
    if path == null then
      { }
    else if named ? derivation && elem named.derivation inputs then
      named
      // {
        inherit activation script;
        configuration = name;
      }
    else if length systems == 1 then
      {
        inherit activation script;
        derivation = head systems;
        output = null;
        platform = path.system or null;
      }
    else
      {
        contains = if isString path then unsafeDiscardStringContext path else path.name;
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
