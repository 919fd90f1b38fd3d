/** When source trees and systems travel compressed: where that is worth a question to the machine, whenever one is missing there, or never. */
export const compressions = ["auto", "true", "false"] as const;

export type Compress = (typeof compressions)[number];
