import { chmodSync, chownSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { randomBytes } from "node:crypto";

import { asset } from "./checkout.js";
import { realDirectory, activationTools } from "./activation-tools.js";

/** Rights of the user `deploy` unless a test gives others: the rule of docs/how-it-works.md, and nothing more. */
export const leastRights = "deploy ALL=(root) NOPASSWD: /bin/sh -s\n";

/** Rights of `pwsudo`, whose sudo asks for a password: the other rule there. */
export const passwordRights = "pwsudo ALL=(root) /bin/sh -s\n";

export type MachineFiles = {
  readonly name: string;
  readonly addresses: { readonly ipv4: string; readonly ipv6: string };
  readonly rebuild: "bash" | "ng" | "none";
  readonly sshPort: number;
  readonly authorizedKeys: string;
  readonly hostKey: { readonly secret: string; readonly public: string };
  readonly sudoers: string;
  /** Further lines of nix.conf. */
  readonly nixConf: string;
  /** OpenSSH of Debian 12 does not know the option. */
  readonly penalties: boolean;
};

/** Writes what makes a root file system this machine. */
export function writeMachineFiles(root: string, files: MachineFiles): void {
  const write = (file: string, text: string, mode = 0o644): void => {
    const target = path.join(root, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
    chmodSync(target, mode);
  };
  write("etc/hostname", `${files.name}\n`);
  write("etc/hosts", `127.0.0.1 localhost\n::1 localhost\n${files.addresses.ipv4} ${files.name}\n${files.addresses.ipv6} ${files.name}\n`);
  write("etc/machine-id", `${randomBytes(16).toString("hex")}\n`);
  write("etc/NIXOS", "");
  write(
    "etc/nix/nix.conf",
    `experimental-features = nix-command flakes\nsandbox = false\nsubstituters =\nbuild-users-group =\nflake-registry =\n${files.nixConf}\n`,
  );
  // Sorts before Debian's own 80-container-host0.network.
  write(
    "etc/systemd/network/10-host0.network",
    `[Match]\nName=host0\n[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\nConfigureWithoutCarrier=yes\n` +
      `[Address]\nAddress=${files.addresses.ipv4}/24\n[Address]\nAddress=${files.addresses.ipv6}/64\nDuplicateAddressDetection=none\n`,
  );
  // On a host with both versions of control groups these controllers are missing, which systemd would log for each unit.
  write("etc/systemd/system.conf.d/rig.conf", "[Manager]\nDefaultTasksAccounting=no\nDefaultMemoryAccounting=no\n");
  // A test's logins are seconds apart, as other users: logind's 10 s would end one in the middle of the next one's switch.
  write("etc/systemd/logind.conf.d/rig.conf", "[Login]\nUserStopDelaySec=1h\n");
  write("etc/sudoers.d/deploy", files.sudoers, 0o440);
  write("etc/sudoers.d/pwsudo", passwordRights, 0o440);

  write("etc/ssh/ssh_host_ed25519_key", files.hostKey.secret, 0o600);
  write("etc/ssh/ssh_host_ed25519_key.pub", files.hostKey.public);
  write(
    "etc/ssh/sshd_config.d/rig.conf",
    `Port ${files.sshPort}\nHostKey /etc/ssh/ssh_host_ed25519_key\nLogLevel VERBOSE\nMaxStartups 200\n${files.penalties ? "PerSourcePenalties no\n" : ""}`,
  );
  // To a file: the journal of a machine does not outlive a reboot.
  write("etc/systemd/system/ssh.service.d/log.conf", "[Service]\nExecStart=\nExecStart=/usr/sbin/sshd -D -E /var/log/sshd.log\n");
  for (const [index, user] of ["root", "deploy", "nosudo", "pwsudo"].entries()) {
    const home = user === "root" ? "root" : `home/${user}`;
    write(`${home}/.ssh/authorized_keys`, files.authorizedKeys, 0o600);
    // useradd counts from 1000.
    const id = index === 0 ? 0 : 999 + index;
    for (const owned of [`${home}/.ssh`, `${home}/.ssh/authorized_keys`]) chownSync(path.join(root, owned), id, id);
    chmodSync(path.join(root, home, ".ssh"), 0o700);
  }

  const real = activationTools();
  const install = (from: string, to: string): void => {
    mkdirSync(path.dirname(path.join(root, to)), { recursive: true });
    cpSync(from, path.join(root, to), { dereference: true });
    chmodSync(path.join(root, to), 0o755);
  };
  for (const [program, file] of real) install(file, `${realDirectory}/${program}`);
  if (files.rebuild !== "none") {
    const standIn = files.rebuild === "bash" ? "nixos-rebuild-bash.sh" : "nixos-rebuild-ng.py";
    install(real.get(`nixos-rebuild-${files.rebuild}`) ?? asset(standIn), "usr/local/bin/nixos-rebuild");
  }
  cpSync(asset("boot-system.sh"), path.join(root, "usr/local/lib/boot-system"));
  chmodSync(path.join(root, "usr/local/lib/boot-system"), 0o755);
  // Not in /etc, which belongs to the systems: a switch stops what is there and not in the new one.
  write(
    "usr/lib/systemd/system/boot-system.service",
    `[Unit]\nDescription=Activate the build of the boot loader entry\nDefaultDependencies=no\nAfter=local-fs.target systemd-tmpfiles-setup.service\n` +
      `Before=network-pre.target systemd-networkd.service sysinit.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/usr/local/lib/boot-system\n`,
  );
  const enable = (unit: string, target: string): void => {
    const wants = path.join(root, "etc/systemd/system", `${target}.wants`);
    mkdirSync(wants, { recursive: true });
    symlinkSync(`/usr/lib/systemd/system/${unit}`, path.join(wants, unit));
  };
  enable("systemd-networkd.service", "multi-user.target");
  enable("boot-system.service", "sysinit.target");
  // What only costs time, or writes at a moment that no test expects.
  for (const unit of [
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "fstrim.timer",
    "e2scrub_all.timer",
    "console-getty.service",
    "getty@tty1.service",
    "sshd-keygen.service",
    "ldconfig.service",
    "systemd-networkd-wait-online.service",
  ]) {
    symlinkSync("/dev/null", path.join(root, "etc/systemd/system", unit));
  }
  // Run at every daemon-reload, and find nothing on such a machine.
  mkdirSync(path.join(root, "etc/systemd/system-generators"), { recursive: true });
  for (const generator of [
    "cryptsetup",
    "debug",
    "getty",
    "gpt-auto",
    "hibernate-resume",
    "integritysetup",
    "rc-local",
    "run",
    "ssh",
    "system-update",
    "sysv",
    "veritysetup",
  ]) {
    symlinkSync("/dev/null", path.join(root, `etc/systemd/system-generators/systemd-${generator}-generator`));
  }
}
