import { attributeOf } from "./configuration.js";
import type { StorePath } from "./store-path.js";
import { wishedName, type TargetRequest } from "./target.js";

/** A machine of a matrix. */
export type MatrixMachine = {
  readonly name: string;
  readonly request: TargetRequest;
  readonly system: string | undefined;
  readonly tags: readonly string[];
};

/** A machine whose system the runner has built. */
export type BuiltMachine = Pick<MatrixMachine, "name" | "request"> & { readonly toplevel: StorePath };

/** Renders the machines for the input `targets`: one per line, or JSON where a line cannot express a name, a place to build or options of ssh. */
export function targetsText(machines: readonly Pick<MatrixMachine, "name" | "request">[]): string {
  const plain = machines.every(
    ({ name, request: { buildOn, flakeBuildOn, sshOptions, replaceUnknown, ...place } }) =>
      wishedName({ ...place, name: undefined }) === name && [buildOn, flakeBuildOn, sshOptions, replaceUnknown].every((said) => said === undefined),
  );
  if (plain) return machines.map(({ request }) => targetLine(request)).join("\n");
  return JSON.stringify(
    machines.map(({ name, request: { buildOn, flakeBuildOn, sshOptions, replaceUnknown, configuration, ...place } }) => ({
      ...place,
      configuration: attributeOf(configuration),
      name,
      "build-on": buildOn,
      "flake-build-on": flakeBuildOn,
      "ssh-options": sshOptions,
      "replace-unknown-profiles": replaceUnknown,
    })),
  );
}

/** The target as a line: `[user@]host[:port][#configuration]`. */
export function targetLine({ user, host, port, configuration }: TargetRequest): string {
  const attribute = attributeOf(configuration);
  const place = host.includes(":") ? `[${host}]` : host;
  return `${user === undefined ? "" : `${user}@`}${place}${port === undefined ? "" : `:${port}`}${attribute === undefined ? "" : `#${attribute}`}`;
}
