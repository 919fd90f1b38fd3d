/** A cause that an activation named for its failure; kinds are in the order of precedence. */
export type ActivationCause =
  /** What is about to be changed could not be recorded on the machine's disk. */
  | { readonly kind: "record" }
  /** The system profile could not be set. */
  | { readonly kind: "profile" }
  /** Another switch-to-configuration runs. */
  | { readonly kind: "locked" }
  | { readonly kind: "not-nixos" }
  /** Critical components differ, so that NixOS refuses to switch while the old system runs. */
  | { readonly kind: "inhibitor"; readonly changes: readonly string[] }
  | { readonly kind: "pre-switch-check"; readonly check: string }
  | { readonly kind: "boot-loader" }
  /** The new system takes effect with a reboot only. */
  | { readonly kind: "other-init" }
  | { readonly kind: "snippet"; readonly snippet: string; readonly exitCode: number }
  /** The activation script as a whole. */
  | { readonly kind: "activation-script" }
  /** Units were not all started, since logind does not answer. */
  | { readonly kind: "logind" }
  /** Units were not all started, since logind has ended a user's services in the middle. */
  | { readonly kind: "user-left" }
  | { readonly kind: "no-space" }
  /** `failed`: in the state failed, or restarted by systemd after an error; else the job that failed. */
  | { readonly kind: "unit"; readonly unit: string; readonly what: "failed" | "start" | "stop" | "restart" | "reload" }
  | { readonly kind: "user"; readonly user: string; readonly units: readonly string[]; readonly late: boolean };
