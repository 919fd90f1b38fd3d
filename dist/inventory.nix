# Applied to the outputs of a flake by `nix eval --apply`: where its machines are, from the settings of deploy-rs, colmena or NixOS.
# No system is evaluated as a whole: neither `toplevel` nor the derivation of `profiles.system.path`.
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
  rawMeta = rawHive.meta or rawHive.network or { };
  # As colmena exports it from its own evaluation.
  meta = outputs.colmenaHive.metaConfig or rawMeta;

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

  unknownTo = known: settings: attrNames (removeAttrs settings known);

  # What deploy-rs takes in profiles, nodes and `deploy` alike.
  genericSettings = [
    "activationTimeout"
    "autoRollback"
    "confirmTimeout"
    "fastConnection"
    "interactiveSudo"
    "magicRollback"
    "remoteBuild"
    "sshOpts"
    "sshUser"
    "sudo"
    "tempPath"
    "user"
  ];

  ofDeployRs =
    name:
    let
      node = deployNodes.${name};
      profile = node.profiles.system;
      # The profile's setting, else the node's, else the global one.
      setting = attribute: profile.${attribute} or node.${attribute} or deploy.${attribute} or null;
      options = settings: settings.sshOpts or [ ];
      configured = configurations ? ${name};
      # The name of a wrapper has that of what it wraps, and needs no system to be evaluated.
      content = if isString profile.path then "nixos-system-" else profile.path.name;
    in
    if !(node ? profiles.system) then
      {
        kind = "other";
        reason = "deploy.nodes.${name} has no profile named system";
      }
    else if !configured && profile ? path && match ".*nixos-system-.*" content == null then
      {
        kind = "other";
        reason = "the profile named system of deploy.nodes.${name} is ${content}, and no NixOS system";
      }
    else
      {
        kind = "deploy-rs";
        host = node.hostname or null;
        user = setting "sshUser";
        profileUser = setting "user";
        sshOptions = options profile ++ options node ++ options deploy;
        buildOnTarget = setting "remoteBuild";
        inherit configured;
        hasPath = profile ? path;
        profilePath = profile.profilePath or null;
        otherProfiles = filter (other: other != "system") (attrNames node.profiles);
        activationTimeout = setting "activationTimeout";
        autoRollback = setting "autoRollback";
        confirmTimeout = setting "confirmTimeout";
        fastConnection = setting "fastConnection";
        interactiveSudo = setting "interactiveSudo";
        magicRollback = setting "magicRollback";
        sudo = setting "sudo";
        tempPath = setting "tempPath";
        unknown =
          unknownTo (
            genericSettings
            ++ [
              "path"
              "profilePath"
            ]
          ) profile
          ++ unknownTo (
            genericSettings
            ++ [
              "hostname"
              "profiles"
              "profilesOrder"
            ]
          ) node
          ++ unknownTo (genericSettings ++ [ "nodes" ]) deploy;
      }
      // describe (configurations.${name} or null);

  deploymentOptions = [
    "allowLocalDeployment"
    "buildOnTarget"
    "keys"
    "privilegeEscalationCommand"
    "replaceUnknownProfiles"
    "sshOptions"
    "tags"
    "targetHost"
    "targetPort"
    "targetUser"
  ];

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
        replaceUnknownProfiles = deployment.replaceUnknownProfiles or null;
        privilegeEscalationCommand = deployment.privilegeEscalationCommand or null;
        # NixOS itself has no such options: others may be anybody's.
        unknown = if kind == "configuration" then [ ] else unknownTo deploymentOptions deployment;
        machinesFile = if kind == "configuration" then null else meta.machinesFile or null;
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
            inherit (rawMeta.nixpkgs or { lib = throw "meta.nixpkgs is missing"; }) lib;
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
      deployment = builtins.foldl' (sum: attribute: sum // first attribute) { } (
        builtins.concatMap attrNames own
      );
      imported = builtins.any (module: module ? imports && length module.imports > 0) modules;
    in
    ofDeployment "raw-hive" (
      # Colmena's own default.
      (if imported then { } else { targetUser = "root"; }) // deployment
    ) name
    // {
      inherit imported;
      # An imported module may say where the machine is.
      uncertain = imported && !(deployment ? targetHost);
      configured = configurations ? ${name};
      # What nixosConfigurations may have otherwise.
      metaSettings =
        (if rawMeta ? nodeNixpkgs.${name} then [ "nodeNixpkgs" ] else [ ])
        ++ (if (rawMeta.specialArgs or { }) != { } then [ "specialArgs" ] else [ ])
        ++ (if rawMeta ? nodeSpecialArgs.${name} then [ "nodeSpecialArgs" ] else [ ]);
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
  # Colmena's meta.allowApplyAll: whether all machines may be deployed without naming any.
  applyAll = meta.allowApplyAll or true;
  machines = listToAttrs (
    map (name: {
      inherit name;
      value = guarded name;
    }) (filter (name: names == null || elem name names) wanted)
  );
}
