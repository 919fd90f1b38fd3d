/** A wording that readers stumble over, and what to write instead. */
export type Wording = { readonly pattern: RegExp; readonly instead: string };

/** What documents, descriptions and messages do not say. The patterns ignore case and match whole words. */
export const stiltedWordings: readonly Wording[] = [
  { pattern: /\b(?:tells?|told|telling)\b/i, instead: "reports, shows, lists" },
  { pattern: /\bways? (?:back|out)\b/i, instead: "rollback; always" },
  { pattern: /\b(?:go|goes|gone|going|went) back\b/i, instead: "roll back" },
  { pattern: /\bputs? (?:\S+ ){1,4}back\b/i, instead: "roll back, restore" },
  { pattern: /\b(?:whoever|whomever|whom|whosoever)\b/i, instead: "people who, a user who" },
  { pattern: /\bnobody (?:who|else|knows|comes)\b/i, instead: "name the actor, or leave it out" },
  { pattern: /\b(?:as|was|were|is|are) (?:it was )?asked(?: for)?\b/i, instead: "requested" },
  {
    pattern: /\b(?:a|an|one|each) (?:line|object|job|host|machine|run|step|kind|target) (?:a|an) (?:line|host|machine|job|run|step|target)\b/i,
    instead: "per",
  },
  { pattern: /\b(?:one|targets?|arguments?|objects?|options?|hosts?|machines?|[`)\]]) a line\b/i, instead: "per line" },
  { pattern: /\bjobs a matrix\b|\ba line each\b/i, instead: "per matrix, one per line" },
  { pattern: /\b(?:stands?|stood) (?:there|here|in(?! for)|at|beside|before|behind|above|below)\b/i, instead: "is in, is at" },
  { pattern: /\b(?:deals?|dealt|dealing) (?:\S+ )?out\b/i, instead: "split across" },
  { pattern: /\bin one go\b.*\bin one go\b/i, instead: "once" },
  { pattern: /\b(?:did|does|has|have|had) not (?:pass|passed)\b/i, instead: "failed" },
  { pattern: /\bgoes on on\b|\bgo on on\b/i, instead: "is still running on" },
  { pattern: /\bat work for\b/i, instead: "running for" },
  { pattern: /\bbecomes? of\b/i, instead: "happens to" },
  { pattern: /\bis refused always\b|\bare refused always\b/i, instead: "is always refused" },
  { pattern: /\bempty is (?:all|none)\b/i, instead: "Default: all machines" },
  { pattern: /\bfurther ssh_config\b/i, instead: "extra ssh_config lines" },
  { pattern: /\bor mean it\b|\bcounts for nothing\b|\bno canary\b|\bthe same is\b.*\bfor each\b.*\btold\b/i, instead: "say it plainly" },
  { pattern: /\btells? the truth\b|\btrue to\b/i, instead: "report the result" },
  { pattern: /\bin the way\b/i, instead: "holds the lock" },
  { pattern: /\b(?:wants?|wanted) (?:another|a different|to be stopped)\b/i, instead: "uses a different; ignores SIGTERM" },
  { pattern: /\bthere is no\b.*\bto be had\b/i, instead: "is missing, was not found" },
  { pattern: /\bis no (?:size|number|text|list|image|target|expression)\b/i, instead: "is not a valid" },
  { pattern: /\ba fault in\b/i, instead: "internal error" },
  { pattern: /\b(?:is|are)(?: also)? the action's own\b/i, instead: "reserved, set by the action" },
  { pattern: /\bthe words of\b|\bthe flake's words\b/i, instead: "settings" },
  { pattern: /\bsays? not\b|\bknows? not\b/i, instead: "does not say" },
  { pattern: /\banew\b/i, instead: "again" },
  { pattern: /\bbeforehand\b/i, instead: "before" },
  { pattern: /\bsomebody\b/i, instead: "someone" },
  { pattern: /\bit broke off\b/i, instead: "incomplete output" },
  { pattern: /\ball the same\b/i, instead: "anyway, still" },
  { pattern: /\bwhat (?:\S+ ){1,6}is what\b/i, instead: "say it plainly" },
];

/** The stilted wordings of a text, each with its line: `12: "goes back"; write: roll back`. */
export function stilted(text: string): string[] {
  return text.split("\n").flatMap((line, index) =>
    stiltedWordings.flatMap(({ pattern, instead }) => {
      const found = pattern.exec(line)?.[0];
      return found === undefined ? [] : [`${index + 1}: ${JSON.stringify(found)}; write: ${instead}`];
    }),
  );
}
