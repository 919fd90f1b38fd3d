import { post, start } from "./action.js";

await start(post);
