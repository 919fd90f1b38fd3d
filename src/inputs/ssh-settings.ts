import { InputError, messageOf } from "../domain/errors.js";
import { agentSocket } from "../ssh/agent.js";
import type { SshSettings } from "../ssh/configuration.js";
import type { Inputs } from "./deploy.js";

/** How ssh behaves in this run. `socket` is `SSH_AUTH_SOCK`, for `ssh-auth: agent`; throws an `InputError` where no agent is there. */
export function sshSettings({ strict, connectTimeout, sshConfig, compress, authentication, certificate }: Inputs, socket: string | undefined): SshSettings {
  const settings = { strict, connectTimeout, extra: sshConfig, compression: compress !== "false" };
  if (authentication === "none") return { ...settings, authentication: { kind: "none" } };
  if (authentication === "key") return { ...settings, authentication: { kind: "key", certificate: certificate !== undefined } };
  try {
    return { ...settings, authentication: { kind: "agent", socket: agentSocket(socket) } };
  } catch (error) {
    throw new InputError([{ input: "ssh-auth", problem: messageOf(error) }]);
  }
}
