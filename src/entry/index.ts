// What the bundle exports to the files that start it.
export { run as build } from "./build.js";
export { run as deploy } from "./deploy.js";
export { run as matrix } from "./matrix.js";
export { run as post } from "./post.js";
export { start } from "./start.js";
