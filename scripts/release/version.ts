import { field } from "../../src/domain/json.js";

/** The version that is to be released, or what is wrong with it. */
export type ReleaseVersion = { readonly version: string; readonly tag: string | undefined; readonly problems: readonly string[] };

/**
 * Reads the version from `package.json`, and compares it with that of `package-lock.json` and with the tag that is built, where
 * there is one. GitHub sets `GITHUB_REF_NAME` for branches too; `GITHUB_REF_TYPE` says which it is.
 */
export function releaseVersion(manifest: unknown, lock: unknown, environment: Readonly<Record<string, string | undefined>>): ReleaseVersion {
  const version = String(field(manifest, "version"));
  const locked = String(field(lock, "version"));
  const name = environment["GITHUB_REF_NAME"] ?? "";
  const tag = name === "" || environment["GITHUB_REF_TYPE"] === "branch" ? undefined : name;
  const problems = [];
  if (!/^\d+\.\d+\.\d+$/.test(version)) problems.push(`the version ${version} of package.json is not of the form 1.2.3`);
  if (locked !== version) problems.push(`package-lock.json has version ${locked}, package.json has ${version}; run npm install`);
  if (tag !== undefined && tag !== `v${version}`) problems.push(`the tag is ${tag}, but package.json has version ${version}, whose tag is v${version}`);
  return { version, tag, problems };
}
