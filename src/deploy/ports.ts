// What a deployment needs of the world outside: machines, from the connection to the decision, and a log.

export type * from "./ports/state.js";
export type * from "./ports/system.js";
export type * from "./ports/activation.js";
export type * from "./ports/machine.js";
export type * from "./ports/log.js";
