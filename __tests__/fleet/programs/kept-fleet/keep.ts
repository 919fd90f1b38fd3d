import { rmSync, writeFileSync } from "node:fs";

import { Fleet } from "../../rig/fleet.js";
import { filesIn, type StepInputs, waitForFile } from "./files.js";

/** Boots the machines of `examples/flake`, and removes them when the file that keeps them is gone, or on a signal. Needs root. */
export async function keep(directory: string): Promise<void> {
  const files = filesIn(directory);
  let signal: string | undefined;
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => (signal = name));
  try {
    const fleet = await Fleet.start(["web1", { name: "web2", sshPort: 2222, rebuild: "bash" }]);
    try {
      const [web1, web2] = [fleet.machine("web1"), fleet.machine("web2")];
      const inputs: StepInputs = {
        "ssh-key": fleet.key.secret,
        "ssh-known-hosts": fleet.knownHosts(),
        targets: `root@${web1.ipv4}#web1\ndeploy@${web2.ipv4}:2222#web2`,
      };
      // Readable for the user who made the directory, which is closed to all others.
      writeFileSync(files.inputs, JSON.stringify(inputs));
      await waitForFile(files.keep, false, () => signal);
    } finally {
      await fleet.stop();
    }
  } finally {
    rmSync(files.inputs, { force: true });
    writeFileSync(files.stopped, "");
  }
}
