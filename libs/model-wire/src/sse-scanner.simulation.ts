/** The SSE scanner against a plain reading of the HTML standard, on the same bytes cut anyhow. */
import { SeededDraws } from "./seeded-draws.ts";
import { cutIntoChunks, damage, simulateEvents } from "./simulated-inputs.ts";
import { SseScanner } from "./sse-scanner.ts";

export const title = "SSE scanner against a plain reading of the standard";

export type SimulationInput = {
  readonly seed: number;
  readonly runs: number;
  readonly report: (progress: string) => void;
};

/** Rejects at the first difference, with the stream and what repeats it. */
export async function simulate({ seed, runs, report }: SimulationInput): Promise<void> {
  const draws = new SeededDraws(seed);
  let events = 0;
  for (let run = 0; run < runs; run += 1) {
    const stream = damage(draws, simulateEvents(draws));
    const eventBytesMax = draws.once(4) ? 1 + draws.below(16) : 1_000;
    const expected = readPlainly(bytesAsText(stream), eventBytesMax);
    const scanned = scan(cutIntoChunks(draws, stream), eventBytesMax);
    if (scanned.join() !== expected.join()) {
      const shown = JSON.stringify({
        stream: bytesAsText(stream),
        eventBytesMax,
        scanned,
        expected,
      });
      throw new Error(`seed ${seed}, run ${run}: ${shown}`);
    }
    events += scanned.length;
    if ((run + 1) % REPORT_EVERY === 0) report(`${run + 1} streams, ${events} events`);
    // Lets signals and timers in now and then.
    if ((run + 1) % REPORT_EVERY === 0) await Promise.resolve();
  }
}

const REPORT_EVERY = 1_000_000;
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
const BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf";

function scan(chunks: readonly Uint8Array[], eventBytesMax: number): string[] {
  const events: string[] = [];
  const scanner = new SseScanner((name, data, isOversized) => {
    events.push(JSON.stringify([name, isOversized ? null : bytesAsText(data)]));
  }, eventBytesMax);
  for (const chunk of chunks) {
    scanner.push(chunk);
    // Whoever reads a socket may use its memory again.
    chunk.fill(0x2a);
  }
  scanner.end();
  return events;
}

/** Each character of `stream` is one byte. */
function readPlainly(stream: string, eventBytesMax: number): string[] {
  const events: string[] = [];
  let name = "";
  let data: string[] = [];
  let isOversized = false;
  const endEvent = (): void => {
    if (isOversized) events.push(JSON.stringify([name, null]));
    else if (data.length !== 0) events.push(JSON.stringify([name, data.join("\n")]));
    name = "";
    data = [];
    isOversized = false;
  };
  for (const [i, rawLine] of stream.split(/\r\n|\r|\n/).entries()) {
    const line = i === 0 && rawLine.startsWith(BYTE_ORDER_MARK) ? rawLine.slice(3) : rawLine;
    if (eventBytesMax < rawLine.length && !rawLine.startsWith(":")) {
      isOversized = true;
      continue;
    }
    if (line === "") {
      endEvent();
      continue;
    }
    const [, field = "", value = ""] = /^([^:]*)(?::[ ]?([^]*))?$/.exec(line) ?? [];
    if (field === "event") name = UTF8.decode(Uint8Array.from(value, (each) => each.charCodeAt(0)));
    if (field !== "data" || isOversized) continue;
    data.push(value);
    if (eventBytesMax < data.join("\n").length) isOversized = true;
  }
  endEvent();
  return events;
}

/** One character for each byte. */
function bytesAsText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
