/** Finds the TCP ports that listen on this machine, and whose they are as far as that can be seen. */
import type { ListeningPort } from "@atelier/contract/rpc/workspace/ports";
import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { parseLsof } from "./parse-lsof.ts";
import { parseProcNet, type ListeningSocket } from "./parse-proc-net.ts";

const LSOF_MS_MAX = 5_000;
const LSOF_BYTES_MAX = 4 * 1024 * 1024;

type Owner = { readonly pid: number; readonly processName: string };

/** Keeps whose sockets are, since to find that out costs much more than the list itself. */
export class PortLister {
  readonly #platform: string;
  #owners = new Map<string, Owner>();

  constructor(platform: string) {
    this.#platform = platform;
  }

  /** Null: this platform is not supported. */
  async list(): Promise<ListeningPort[] | null> {
    if (this.#platform === "linux") return this.#listLinux();
    if (this.#platform === "darwin") return listByLsof();
    return null;
  }

  async #listLinux(): Promise<ListeningPort[]> {
    const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map(readTable));
    const sockets = tables.flatMap((table) => parseProcNet(table));
    const isKnown = sockets.every(({ inode }) => this.#owners.has(inode));
    // A number may go to another socket, but not while the one that has it listens.
    if (!isKnown) this.#owners = await findOwners(sockets);
    return sockets.map(({ port, address, inode }) => {
      const owner = this.#owners.get(inode);
      return { port, address, pid: owner?.pid ?? null, processName: owner?.processName ?? "" };
    });
  }
}

async function readTable(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return ""; // Without IPv6 there is no such table.
  }
}

/** By inode. Of the processes of other users nothing is seen, unless the agent is root. */
async function findOwners(sockets: readonly ListeningSocket[]): Promise<Map<string, Owner>> {
  const sought = new Set(sockets.map(({ inode }) => inode));
  const owners = new Map<string, Owner>();
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (sought.size === 0) break;
    for (const inode of await socketsOf(pid)) {
      if (!sought.delete(inode)) continue;
      owners.set(inode, { pid: Number(pid), processName: await nameOf(pid) });
    }
  }
  return owners;
}

async function socketsOf(pid: string): Promise<string[]> {
  const directory = join("/proc", pid, "fd");
  try {
    const names = await readdir(directory);
    const targets = await Promise.all(
      names.map((name) => readlink(join(directory, name)).catch(() => "")),
    );
    return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []);
  } catch {
    return []; // It ended, or belongs to somebody else.
  }
}

async function nameOf(pid: string): Promise<string> {
  const name = await readFile(join("/proc", pid, "comm"), "utf8").catch(() => "");
  return name.trim();
}

function listByLsof(): Promise<ListeningPort[]> {
  const args = ["-nP", "-iTCP", "-sTCP:LISTEN", "-Fpcn"];
  return new Promise((resolve) => {
    execFile(
      "lsof",
      args,
      { timeout: LSOF_MS_MAX, maxBuffer: LSOF_BYTES_MAX },
      // It says by its exit code that it could not see everything, and prints what it could.
      (_, stdout) => resolve(parseLsof(stdout)),
    );
  });
}
