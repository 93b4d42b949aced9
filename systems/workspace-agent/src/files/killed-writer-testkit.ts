/**
 * A workspace agent that makes stamped calls one after the other until it is killed, and what the files
 * must hold after each. As a program: `node killed-writer-testkit.ts <directory> <first call>`.
 */
import { silentLogger } from "@atelier/base/logger";
import { systemClock } from "@atelier/base/system-clock";
import { systemRandom } from "@atelier/base/system-random";
import type { WorkspaceFiles } from "@atelier/contract/rpc/workspace/files";
import { writeSync } from "node:fs";
import { join } from "node:path";
import { openEffectJournal } from "../effects/effect-journal-io.ts";
import { openFiles } from "./workspace-files-io.ts";

export const EDITED = "abcdefghij".split("");

const CALLS_MAX = 5_000;

/** Calls are numbered from 1: odd ones edit all of `EDITED`, even ones write `w`. */
export function editedContent(call: number): string {
  const version = Math.ceil(call / 2);
  return `head\n${"filler line\n".repeat(50)}version ${version};\ntail\n`;
}

export function writtenContent(call: number): string {
  const number = call - (call % 2);
  return `begin ${number}\n${"x".repeat((number * 7_919) % 200_000)}\nend ${number}\n`;
}

export async function openAgent(directory: string) {
  const journal = await openEffectJournal(join(directory, "state"), {
    clock: systemClock,
    log: silentLogger,
  });
  const homeDirectory = join(directory, "home");
  const files = await openFiles({
    homeDirectory,
    journal,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  });
  return { files, [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose]() };
}

export async function makeCall(files: WorkspaceFiles, call: number) {
  const effect = { chatId: "chat", callId: `${call}`, inputHash: "0".repeat(64), fence: 1 };
  if (call % 2 === 0) {
    return files.write({ path: "~/w", effect }, cut(Buffer.from(writtenContent(call))));
  }
  const version = Math.ceil(call / 2);
  const edits = EDITED.map((name) => ({
    path: `~/${name}`,
    oldText: `version ${version - 1};`,
    newText: `version ${version};`,
  }));
  return files.edit({ edits, effect });
}

async function* cut(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 50_000) yield bytes.subarray(at, at + 50_000);
}

if (import.meta.main) {
  const [directory = "", first = ""] = process.argv.slice(2);
  await using agent = await openAgent(directory);
  // Whoever starts it kills it long before.
  for (let call = Number(first); call < Number(first) + CALLS_MAX; call += 1) {
    writeSync(1, `${call}\n`);
    const answer = await makeCall(agent.files, call);
    if (!answer.ok) throw new Error(answer.failure.message);
  }
}
