/** Which configuration of the flake a machine gets. */
export type Configuration =
  /** An attribute of `nixosConfigurations`. */
  | { readonly kind: "nixos"; readonly name: string }
  /** A node of colmena's hive. */
  | { readonly kind: "hive"; readonly name: string }
  /** The attribute of `nixosConfigurations` that has the machine's own hostname, as with nixos-rebuild. */
  | { readonly kind: "hostname" };

export const ownHostname: Configuration = { kind: "hostname" };

// Under this name, the outer flake has a node of the hive among its nixosConfigurations.
const hive = "colmenaHive.nodes.";

/**
 * Parses `NAME`, `nixosConfigurations.NAME`, `nixosConfigurations."NAME"`, as one types it after `nix build .#`, and
 * `colmenaHive.nodes.NAME`. Throws an `Error` that says what is accepted.
 */
export function parseConfiguration(text: string): Configuration {
  const [, quoted, plain] = /^nixosConfigurations\.(?:"(.+)"|(.+))$/.exec(text) ?? [];
  const attribute = quoted ?? plain ?? text;
  const isNode = attribute.startsWith(hive) && attribute.length > hive.length;
  return checkConfiguration(isNode ? { kind: "hive", name: attribute.slice(hive.length) } : { kind: "nixos", name: attribute });
}

/** Checks the name of a configuration. Throws an `Error` that says what is accepted. */
export function checkConfiguration(configuration: Configuration): Configuration {
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
    case "hostname":
      return undefined;
  }
}

/** The name without where it is; `undefined` where only the machine knows its hostname. */
export function nameOfConfiguration(configuration: Configuration): string | undefined {
  return configuration.kind === "hostname" ? undefined : configuration.name;
}

/** Returns whether one of the machines has its configuration in colmena's hive. */
export function needsHive(machines: readonly { readonly configuration: Configuration }[]): boolean {
  return machines.some(({ configuration }) => configuration.kind === "hive");
}
