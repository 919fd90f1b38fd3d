# Applied to the outputs of a flake by `nix eval --apply`: where its machines are, from the settings of deploy-rs, colmena or NixOS.
# No system is evaluated as a whole: neither `toplevel` nor `profiles.system.path` is looked at.
{
  # Regular expressions (ERE) over the names of the machines to look at; null: all.
  patterns,
  # The names of those to look at now; null: all that the patterns match.
  names,
  # Whether to also evaluate platform and tags of each configuration, which its address does not need.
  details,
  # Whether a machine that throws becomes { kind = "broken"; }. Other errors still end the evaluation.
  careful,
}:
outputs:
let
  inherit (builtins)
    attrNames
    deepSeq
    elem
    filter
    functionArgs
    head
    isAttrs
    isBool
    isFunction
    isInt
    isList
    isPath
    isString
    length
    listToAttrs
    mapAttrs
    match
    tryEval
    typeOf
    unsafeDiscardStringContext
    ;

  configurations = outputs.nixosConfigurations or { };
  deploy = outputs.deploy or { };
  deployNodes = deploy.nodes or { };
  hiveNodes = outputs.colmenaHive.nodes or { };
  # A hive that colmena has not evaluated is used only where nothing better is available.
  rawHive = if outputs ? colmenaHive || !isAttrs (outputs.colmena or null) then { } else outputs.colmena;
  rawNodes = removeAttrs rawHive [
    "meta"
    "network"
    "defaults"
  ];

  # The fleet is what a tool deploys; a flake may have other configurations.
  tools = hiveNodes // rawNodes // deployNodes;
  all = attrNames (if attrNames tools == [ ] then configurations else tools);

  matches = name: builtins.any (pattern: match pattern name != null) patterns;
  wanted = filter (name: patterns == null || matches name) all;

  # JSON has no functions and derivations: values of other types are replaced by the name of their type.
  plain =
    value:
    if isString value then
      unsafeDiscardStringContext value
    else if isList value then
      map plain value
    else if value == null || isInt value || isBool value then
      value
    else
      { type = typeOf value; };

  attempt = value: fallback: if (tryEval value).success then value else fallback;

  describe =
    configuration:
    if details && configuration != null then
      {
        tags = configuration.config.deployment.tags or [ ];
        system = attempt (configuration.config.nixpkgs.hostPlatform.system or null) (
          attempt (configuration.config.nixpkgs.system or null) (attempt (configuration.pkgs.stdenv.hostPlatform.system or null) null)
        );
      }
    else
      { };

  ofDeployRs =
    name:
    let
      node = deployNodes.${name};
      profile = node.profiles.system;
      # The profile's setting, else the node's, else the global one.
      setting = attribute: profile.${attribute} or node.${attribute} or deploy.${attribute} or null;
      options = settings: settings.sshOpts or [ ];
    in
    if !(node ? profiles.system) then
      {
        kind = "other";
        reason = "deploy.nodes.${name} has no profile named system";
      }
    else
      {
        kind = "deploy-rs";
        host = node.hostname or null;
        user = setting "sshUser";
        profileUser = setting "user";
        sshOptions = options profile ++ options node ++ options deploy;
        buildOnTarget = setting "remoteBuild";
        configured = configurations ? ${name};
        otherProfiles = filter (other: other != "system") (attrNames node.profiles);
      }
      // describe (configurations.${name} or null);

  ofDeployment =
    kind: deployment: defaultHost:
    let
      host = if deployment ? targetHost then deployment.targetHost else defaultHost;
    in
    if host == null then
      {
        kind = "other";
        reason = "its deployment.targetHost is null (local deployment only)";
      }
    else
      {
        inherit kind host;
        user = deployment.targetUser or null;
        port = deployment.targetPort or null;
        buildOnTarget = deployment.buildOnTarget or null;
        sshOptions = deployment.sshOptions or [ ];
        keys = attrNames (deployment.keys or { });
      };

  ofHive =
    name:
    let
      node = hiveNodes.${name};
    in
    ofDeployment "hive" node.config.deployment name // describe node;

  # The modules of a node that colmena has not evaluated. Functions get their name and the library; any other
  # argument throws.
  modulesOf =
    name: module:
    if isList module then
      builtins.concatMap (modulesOf name) module
    else if isPath module then
      modulesOf name (import module)
    else if isFunction module then
      modulesOf name (
        module (
          {
            inherit name;
            inherit ((rawHive.meta or rawHive.network or { }).nixpkgs or { lib = throw "meta.nixpkgs is missing"; }) lib;
          }
          // mapAttrs (argument: _: throw "only colmena passes the argument ${argument}") (
            removeAttrs (functionArgs module) [
              "name"
              "lib"
            ]
          )
        )
      )
    else
      [ module ];

  ofRaw =
    name:
    let
      modules = modulesOf name rawNodes.${name} ++ modulesOf name (rawHive.defaults or { });
      own = map (module: module.deployment or module.config.deployment or { }) modules;
      first =
        attribute:
        let
          found = filter (deployment: deployment ? ${attribute}) own;
        in
        if found == [ ] then { } else { ${attribute} = (head found).${attribute}; };
      deployment = builtins.foldl' (sum: attribute: sum // first attribute) { } [
        "targetHost"
        "targetUser"
        "targetPort"
        "buildOnTarget"
        "tags"
        "sshOptions"
        "keys"
      ];
      imported = builtins.any (module: module ? imports && length module.imports > 0) modules;
    in
    ofDeployment "raw-hive" deployment name
    // {
      # An imported module may say where the machine is.
      uncertain = imported && !(deployment ? targetHost);
      configured = configurations ? ${name};
    }
    // describe (configurations.${name} or null)
    // (if deployment ? tags then { inherit (deployment) tags; } else { });

  ofConfiguration =
    name:
    let
      configuration = configurations.${name};
      inherit (configuration) config;
      deployment = if isAttrs (config.deployment or null) then config.deployment else { };
    in
    ofDeployment "configuration" deployment (config.networking.fqdnOrHostName or config.networking.hostName or null) // describe configuration;

  look =
    name:
    mapAttrs (_: plain) (
      if deployNodes ? ${name} then
        ofDeployRs name
      else if hiveNodes ? ${name} then
        ofHive name
      else if rawNodes ? ${name} then
        ofRaw name
      else
        ofConfiguration name
    );

  guarded =
    name:
    let
      machine = look name;
      attempted = tryEval (deepSeq machine machine);
    in
    if !careful then
      machine
    else if attempted.success then
      attempted.value
    else
      { kind = "broken"; };
in
{
  inherit wanted;
  names = all;
  machines = listToAttrs (
    map (name: {
      inherit name;
      value = guarded name;
    }) (filter (name: names == null || elem name names) wanted)
  );
}
