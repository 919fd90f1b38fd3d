import { connect, createServer, type Socket } from "node:net";

import { PassedCounter } from "./wire.js";
import { parseRoute, type RelayAnswer, type RelayCommand, type Route } from "./relay.js";

// Stands between the runner and the machines, as a process of its own: holds every byte back for the delay in its direction, and a new
// connection for its handshake. Arguments: the routes. Commands and answers are messages of Node's own channel.

const routes = process.argv.slice(2).map(parseRoute);
const counters = routes.map(() => new PassedCounter());
let delay = 0;

await Promise.all(
  routes.map(async (route, index) => {
    const counter = counters[index];
    if (counter === undefined) return;
    const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => relay(client, route, counter));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(route.port, route.address, resolve);
    });
  }),
);
answer({ kind: "ready" });

process.on("message", (command: RelayCommand) => {
  if (command.kind === "delay") delay = command.milliseconds;
  answer(command.kind === "take" ? { kind: "passed", passed: counters.map((counter) => counter.take()) } : { kind: "ready" });
});
process.on("disconnect", () => process.exit());

function answer(message: RelayAnswer): void {
  process.send?.(message);
}

/**
 * The kernel accepts a connection at once, where a distant machine takes a round trip: the runner's bytes start after that, and those
 * of the machine, which hears of the connection half a round trip later, after one and a half.
 */
function relay(client: Socket, { machine, machinePort }: Route, counter: PassedCounter): void {
  const oneWay = delay;
  const { sent, received } = counter.connection();
  const server = connect({ host: machine, port: machinePort, noDelay: true, allowHalfOpen: true, autoSelectFamily: false });
  client.pause();
  server.pause();
  const close = (): void => {
    client.destroy();
    server.destroy();
  };
  client.on("error", close);
  server.on("error", close);
  after(2 * oneWay, () => pass(client, server, oneWay, sent, undefined));
  after(3 * oneWay, () => pass(server, client, oneWay, undefined, received));
}

function after(milliseconds: number, act: () => void): void {
  if (milliseconds === 0) act();
  else setTimeout(act, milliseconds);
}

/** Hands on what one side sends, in order, each part after the delay. */
function pass(from: Socket, to: Socket, oneWay: number, atOnce: ((bytes: number) => void) | undefined, onArrival: ((bytes: number) => void) | undefined): void {
  from.on("data", (chunk: Buffer) => {
    atOnce?.(chunk.length);
    after(oneWay, () => {
      onArrival?.(chunk.length);
      if (!to.destroyed) to.write(chunk);
    });
  });
  from.on("end", () => after(oneWay, () => to.end()));
  from.on("close", () => after(oneWay, () => to.destroy()));
  from.resume();
}
