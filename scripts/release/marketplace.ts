import { field } from "../../src/domain/json.js";

/** Characters of a description that GitHub's Marketplace accepts. */
export const longestDescription = 124;

const colors = ["white", "black", "yellow", "blue", "green", "orange", "red", "purple", "gray-dark"];

/** Checks that an `action.yml` has what GitHub's Marketplace requires. Returns one sentence for each problem. */
export function marketplaceProblems(path: string, metadata: unknown): string[] {
  const text = (...keys: readonly string[]): string => {
    const value = field(metadata, ...keys);
    return typeof value === "string" ? value.trim() : "";
  };
  const problems = [["name"], ["description"], ["author"], ["branding", "icon"], ["branding", "color"]]
    .filter((keys) => text(...keys) === "")
    .map((keys) => `${path} has no ${keys.join(".")}`);
  const { length } = text("description");
  if (length > longestDescription) problems.push(`the description of ${path} has ${length} characters; the Marketplace accepts ${longestDescription}`);
  const color = text("branding", "color");
  if (color !== "" && !colors.includes(color)) problems.push(`the color ${color} of ${path} is not one of ${colors.join(", ")}`);
  return problems;
}
