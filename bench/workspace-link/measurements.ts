/** What is measured of a lane: echoes, new connections, and bytes in bulk. Times in ms, rates in Mbit/s. */
import { systemRandom } from "@atelier/base/system-random";
import type { ByteChannel } from "@atelier/contract/rpc/workspace/operation";
import type { WorkspaceServices } from "@atelier/contract/rpc/workspace/services";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { requestBytes } from "./far-end.ts";
import type { LinkLane } from "./lanes.ts";

export type LinkMeasureOptions = {
  readonly directory: string;
  readonly echoes: number;
  readonly dials: number;
  readonly bulkBytes: number;
};

/** figure → value. */
export type LinkFigures = Readonly<Record<string, number>>;

export type LinkMeasurement = {
  readonly title: string;
  /** Only of lanes with a workspace. */
  readonly needsWorkspace: boolean;
  readonly run: (lane: LinkLane, options: LinkMeasureOptions) => Promise<LinkFigures>;
};

const CHUNK = Buffer.alloc(256 * 1024, 7);
const KEY = Buffer.from("k");

export const LINK_MEASUREMENTS: readonly LinkMeasurement[] = [
  { title: "echo", needsWorkspace: false, run: measureEcho },
  { title: "keystroke", needsWorkspace: true, run: measureKeystroke },
  { title: "dial", needsWorkspace: false, run: measureDial },
  { title: "download", needsWorkspace: false, run: measureDownload },
  { title: "upload", needsWorkspace: false, run: measureUpload },
  { title: "file read and write", needsWorkspace: true, run: measureFiles },
  { title: "echo beside a download", needsWorkspace: false, run: measureEchoBesideBulk },
];

async function measureEcho(lane: LinkLane, { echoes }: LinkMeasureOptions): Promise<LinkFigures> {
  const channel = await lane.dial();
  await channel.write(requestBytes("e"));
  const times = await timeEchoes(channel, echoes);
  channel.destroy();
  return quantiles("echo", times);
}

/** A key typed into a terminal until its echo is there: the terminal's own, as a shell's is. */
async function measureKeystroke(
  lane: LinkLane,
  { echoes }: LinkMeasureOptions,
): Promise<LinkFigures> {
  const { terminals } = servicesOf(lane);
  const id = systemRandom.uuid();
  const attached = await terminals.attach({ id, columns: 200, rows: 50, command: "exec cat" });
  if (!attached.ok) throw new Error(attached.failure.message);
  const { channel } = attached.value;
  const reader = channel.incoming[Symbol.asyncIterator]();
  await reader.next(); // The screen.
  const times: number[] = [];
  for (let i = 0; i < echoes; i += 1) {
    const startedMs = performance.now();
    await channel.write(i % 100 === 99 ? Buffer.from("\x15") : KEY);
    await reader.next();
    times.push(performance.now() - startedMs);
  }
  channel.destroy();
  await terminals.close({ id });
  return quantiles("keystroke", times);
}

/** Until the first byte is back. */
async function measureDial(lane: LinkLane, { dials }: LinkMeasureOptions): Promise<LinkFigures> {
  const times: number[] = [];
  for (let i = 0; i < dials; i += 1) {
    const startedMs = performance.now();
    const channel = await lane.dial();
    await channel.write(Buffer.concat([requestBytes("e"), KEY]));
    await channel.incoming[Symbol.asyncIterator]().next();
    times.push(performance.now() - startedMs);
    channel.destroy();
  }
  return quantiles("dial", times);
}

async function measureDownload(
  lane: LinkLane,
  { bulkBytes }: LinkMeasureOptions,
): Promise<LinkFigures> {
  const channel = await lane.dial();
  const startedMs = performance.now();
  await channel.write(requestBytes("d", bulkBytes));
  await take(channel.incoming, bulkBytes);
  const rate = mbitPerSecond(bulkBytes, startedMs);
  channel.destroy();
  return { download: rate };
}

async function measureUpload(
  lane: LinkLane,
  { bulkBytes }: LinkMeasureOptions,
): Promise<LinkFigures> {
  const channel = await lane.dial();
  const startedMs = performance.now();
  await channel.write(requestBytes("u", bulkBytes));
  for await (const bytes of chunks(bulkBytes)) await channel.write(bytes);
  await take(channel.incoming, 1);
  const rate = mbitPerSecond(bulkBytes, startedMs);
  channel.destroy();
  return { upload: rate };
}

async function measureFiles(
  lane: LinkLane,
  { bulkBytes, directory }: LinkMeasureOptions,
): Promise<LinkFigures> {
  const { files } = servicesOf(lane);
  const path = join(directory, "bulk.bin");
  let startedMs = performance.now();
  const written = await files.write({ path }, chunks(bulkBytes));
  if (!written.ok) throw new Error(written.failure.message);
  const write = mbitPerSecond(bulkBytes, startedMs);
  startedMs = performance.now();
  const read = await files.readBytes({ path });
  if (!read.ok) throw new Error(read.failure.message);
  await take(read.value.bytes, bulkBytes);
  const figures = { "file write": write, "file read": mbitPerSecond(bulkBytes, startedMs) };
  rmSync(path);
  return figures;
}

/** What somebody who types notices of somebody who copies. */
async function measureEchoBesideBulk(
  lane: LinkLane,
  { echoes }: LinkMeasureOptions,
): Promise<LinkFigures> {
  const bulk = await lane.dial();
  await bulk.write(requestBytes("d", 2 ** 40));
  const taking = take(bulk.incoming, 2 ** 40).catch(() => {}); // It is broken off.
  const channel = await lane.dial();
  await channel.write(requestBytes("e"));
  const times = await timeEchoes(channel, Math.ceil(echoes / 2));
  channel.destroy();
  bulk.destroy();
  await taking;
  return quantiles("busy echo", times);
}

async function timeEchoes(channel: ByteChannel, count: number): Promise<readonly number[]> {
  const reader = channel.incoming[Symbol.asyncIterator]();
  const times: number[] = [];
  for (let i = 0; i < count; i += 1) {
    const startedMs = performance.now();
    await channel.write(KEY);
    await reader.next();
    times.push(performance.now() - startedMs);
  }
  return times;
}

/** Throws when they end before. */
async function take(source: AsyncIterable<Uint8Array>, bytes: number): Promise<void> {
  let left = bytes;
  for await (const each of source) {
    left -= each.byteLength;
    if (left <= 0) return;
  }
  throw new Error(`${left} bytes did not arrive`);
}

async function* chunks(bytes: number): AsyncGenerator<Uint8Array> {
  for (let left = bytes; left > 0; left -= CHUNK.byteLength) yield CHUNK.subarray(0, left);
}

function servicesOf({ services }: LinkLane): WorkspaceServices {
  if (services === null) throw new Error("this lane has no workspace");
  return services;
}

function quantiles(name: string, times: readonly number[]): LinkFigures {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { [`${name} p50`]: at(0.5), [`${name} p99`]: at(0.99) };
}

function mbitPerSecond(bytes: number, sinceMs: number): number {
  return (bytes * 8) / 1_000 / (performance.now() - sinceMs);
}
