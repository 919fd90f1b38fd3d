/** Which configuration of the flake a machine gets. */
export type Configuration =
  /** An attribute of `nixosConfigurations`. */
  | { readonly kind: "nixos"; readonly name: string }
  /** A node of colmena's hive. */
  | { readonly kind: "hive"; readonly name: string }
  /** The system in the profile named system of a node of deploy-rs. */
  | { readonly kind: "profile"; readonly name: string }
  /** The attribute of `nixosConfigurations` that has the machine's own hostname, as with nixos-rebuild. */
  | { readonly kind: "hostname" };

export const ownHostname: Configuration = { kind: "hostname" };

// Under this name, the outer flake has a node of the hive among its nixosConfigurations.
const hive = "colmenaHive.nodes.";
const profile = "deploy.nodes.";

/**
 * Parses `NAME`, `nixosConfigurations.NAME`, `nixosConfigurations."NAME"`, as one types it after `nix build .#`, and
 * `colmenaHive.nodes.NAME` or `deploy.nodes.NAME`. Throws an `Error` that says what is accepted.
 */
export function parseConfiguration(text: string): Configuration {
  const [, quoted, plain] = /^nixosConfigurations\.(?:"(.+)"|(.+))$/.exec(text) ?? [];
  const attribute = quoted ?? plain ?? text;
  const after = (prefix: string): string | undefined =>
    attribute.startsWith(prefix) && attribute.length > prefix.length ? attribute.slice(prefix.length) : undefined;
  const [node, ofDeploy] = [after(hive), after(profile)];
  if (node !== undefined) return checkConfiguration({ kind: "hive", name: node });
  return checkConfiguration(ofDeploy === undefined ? { kind: "nixos", name: attribute } : { kind: "profile", name: ofDeploy });
}

// Characters. It becomes one argument of nixos-rebuild; a file or unit of a machine has no longer name either.
const longestName = 255;

/** Checks the name of a configuration. Throws an `Error` that says what is accepted. */
export function checkConfiguration(configuration: Configuration): Configuration {
  if ((nameOfConfiguration(configuration)?.length ?? 0) > longestName) throw new Error(`its configuration is longer than ${longestName} characters`);
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+'-]*$/.test(attributeOf(configuration) ?? "hostname")) {
    throw new Error("its configuration is not a valid attribute name (letters, digits and _ . + ' -, without quotes)");
  }
  return configuration;
}

/** The attribute under the outer flake's `nixosConfigurations`, as a target names it; `undefined` where only the machine knows its hostname. */
export function attributeOf(configuration: Configuration): string | undefined {
  switch (configuration.kind) {
    case "nixos":
      return configuration.name;
    case "hive":
      return `${hive}${configuration.name}`;
    case "profile":
      return `${profile}${configuration.name}`;
    case "hostname":
      return undefined;
  }
}

/** Where a flake has what an attribute names, as `attributeOf` renders it: below `nixosConfigurations`, unless it says where. */
export function outputOf(attribute: string): string {
  return attribute.startsWith(hive) || attribute.startsWith(profile) ? attribute : `nixosConfigurations.${attribute}`;
}

/** Returns whether an attribute, as `attributeOf` renders it, is a profile: only its evaluation tells which system that is. */
export function isProfile(attribute: string | undefined): boolean {
  return attribute?.startsWith(profile) === true;
}

/** The name without where it is; `undefined` where only the machine knows its hostname. */
export function nameOfConfiguration(configuration: Configuration): string | undefined {
  return configuration.kind === "hostname" ? undefined : configuration.name;
}

/** Returns whether one of the machines has its configuration in colmena's hive. */
export function needsHive(machines: readonly { readonly configuration: Configuration }[]): boolean {
  return machines.some(({ configuration }) => configuration.kind === "hive");
}
