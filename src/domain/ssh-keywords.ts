/**
 * Who sets a keyword of ssh_config(5) for a target. `ours`: the action's value comes first, so lines of the input `ssh-config` have
 * no effect, or are refused where ssh accumulates values. `theirs`: the input's lines apply. `refused`: they are an error.
 */
type Rule = { readonly owner: "ours" } | { readonly owner: "theirs" } | { readonly owner: "refused"; readonly reason: string };

const ours: Rule = { owner: "ours" };
const theirs: Rule = { owner: "theirs" };
const refused = (reason: string): Rule => ({ owner: "refused", reason });

const onlyTheKey = refused("the input ssh-auth sets how the action authenticates");
const hostKey = refused("the host key is looked up under the target's own address");
const noForwarding = refused("the action forwards nothing");
const sameSession = refused("the action needs a plain ssh session");
const plainMessages = refused("the action parses the messages of ssh");
const gssapi = refused("Kerberos would replace the key or the host key");

/** Every keyword of ssh_config(5) in OpenSSH 8.5 to 10. */
export const keywords: Readonly<Record<string, Rule>> = {
  // Where a line applies.
  Host: theirs,
  Match: theirs,
  Include: theirs,
  IgnoreUnknown: theirs,
  Tag: theirs,
  RefuseConnection: theirs,
  VersionAddendum: theirs,
  // Where the machine is, and the way there.
  HostName: theirs,
  User: theirs,
  Port: theirs,
  AddressFamily: theirs,
  BindAddress: theirs,
  BindInterface: theirs,
  CanonicalDomains: theirs,
  CanonicalizeFallbackLocal: theirs,
  CanonicalizeHostname: theirs,
  CanonicalizeMaxDots: theirs,
  CanonicalizePermittedCNAMEs: theirs,
  ProxyCommand: theirs,
  ProxyJump: theirs,
  ProxyUseFdpass: refused("the ProxyCommand must end with the connection"),
  IPQoS: theirs,
  // Encryption and compression.
  Ciphers: theirs,
  MACs: theirs,
  KexAlgorithms: theirs,
  Compression: theirs,
  RekeyLimit: theirs,
  ObscureKeystrokeTiming: theirs,
  RequiredRSASize: theirs,
  WarnWeakCrypto: theirs,
  // Host keys.
  HostKeyAlgorithms: theirs,
  CASignatureAlgorithms: theirs,
  RevokedHostKeys: theirs,
  FingerprintHash: theirs,
  HostKeyAlias: hostKey,
  StrictHostKeyChecking: ours,
  UserKnownHostsFile: ours,
  GlobalKnownHostsFile: ours,
  KnownHostsCommand: ours,
  UpdateHostKeys: ours,
  CheckHostIP: ours,
  VerifyHostKeyDNS: ours,
  HashKnownHosts: ours,
  NoHostAuthenticationForLocalhost: ours,
  VisualHostKey: plainMessages,
  // Authentication.
  IdentityFile: ours,
  IdentitiesOnly: ours,
  IdentityAgent: ours,
  CertificateFile: ours,
  PKCS11Provider: ours,
  AddKeysToAgent: ours,
  BatchMode: ours,
  PreferredAuthentications: ours,
  PubkeyAuthentication: ours,
  PasswordAuthentication: ours,
  KbdInteractiveAuthentication: ours,
  PubkeyAcceptedAlgorithms: theirs,
  KbdInteractiveDevices: onlyTheKey,
  NumberOfPasswordPrompts: onlyTheKey,
  SecurityKeyProvider: onlyTheKey,
  HostbasedAuthentication: onlyTheKey,
  HostbasedAcceptedAlgorithms: onlyTheKey,
  EnableSSHKeysign: onlyTheKey,
  GSSAPIAuthentication: gssapi,
  GSSAPIDelegateCredentials: gssapi,
  GSSAPIClientIdentity: gssapi,
  GSSAPIServerIdentity: gssapi,
  GSSAPIKeyExchange: gssapi,
  GSSAPIKexAlgorithms: gssapi,
  GSSAPIRenewalForcesRekey: gssapi,
  GSSAPITrustDns: gssapi,
  // The connection and its master.
  ControlMaster: ours,
  ControlPath: ours,
  ControlPersist: ours,
  ConnectTimeout: ours,
  ConnectionAttempts: ours,
  ServerAliveInterval: ours,
  ServerAliveCountMax: ours,
  TCPKeepAlive: ours,
  ChannelTimeout: refused("the inputs of the action set the timeouts"),
  // The session.
  RemoteCommand: ours,
  PermitLocalCommand: ours,
  LocalCommand: refused("ssh-config cannot run commands on the runner after connecting"),
  RequestTTY: ours,
  EscapeChar: ours,
  EnableEscapeCommandline: sameSession,
  SessionType: sameSession,
  StdinNull: sameSession,
  ForkAfterAuthentication: sameSession,
  SendEnv: sameSession,
  SetEnv: sameSession,
  // Messages.
  LogLevel: ours,
  LogVerbose: plainMessages,
  // The same; only -y would have ssh use it.
  SyslogFacility: theirs,
  // Forwarding.
  ForwardAgent: ours,
  ForwardX11: ours,
  ForwardX11Timeout: noForwarding,
  ForwardX11Trusted: noForwarding,
  XAuthLocation: noForwarding,
  LocalForward: noForwarding,
  RemoteForward: noForwarding,
  DynamicForward: noForwarding,
  ClearAllForwardings: noForwarding,
  ExitOnForwardFailure: noForwarding,
  GatewayPorts: noForwarding,
  PermitRemoteOpen: noForwarding,
  // ssh takes this one from every block, also from those of other hosts; nothing is forwarded, so it changes nothing.
  StreamLocalBindMask: theirs,
  StreamLocalBindUnlink: noForwarding,
  Tunnel: noForwarding,
  TunnelDevice: noForwarding,
};

const byLowerCase = new Map(Object.entries(keywords).map(([name, rule]) => [name.toLowerCase(), { name, rule }]));

/**
 * Says why a line of `ssh-config` may not change a keyword for a target, with the keyword's name; `undefined` for one that it may.
 * Keywords are in lower case, as `ssh -G` prints them.
 */
export function refusalOf(keyword: string): string | undefined {
  const { name, rule } = ruleOf(keyword);
  if (rule.owner === "theirs") return undefined;
  return `${name} (${rule.owner === "ours" ? "set by the action" : rule.reason})`;
}

/** Who sets a keyword, in any case of its letters, and its name as ssh_config(5) has it. */
export function ruleOf(keyword: string): { readonly name: string; readonly rule: Rule } {
  return byLowerCase.get(keyword.toLowerCase()) ?? { name: keyword, rule: refused("not supported by this version of the action") };
}
