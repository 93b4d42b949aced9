/**
 * The load driver of `bench/native/load.c` once more, on Node, for machines without a C compiler. The
 * same flags, the same line of JSON; it costs more than what it measures, so it bounds the result.
 */
import { Agent, request, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    port: { type: "string", short: "p", default: "0" },
    path: { type: "string", short: "P", default: "/v1/chat/completions" },
    key: { type: "string", short: "k", default: "" },
    model: { type: "string", short: "M", default: "mock-n0" },
    connections: { type: "string", short: "c", default: "32" },
    seconds: { type: "string", short: "d", default: "5" },
    warm: { type: "string", short: "w", default: "1" },
    body: { type: "string", short: "B", default: "2048" },
    rate: { type: "string", short: "r", default: "0" },
    stagger: { type: "string", short: "S" },
    requests: { type: "string", short: "N" },
    abort: { type: "string", short: "K", default: "0" },
    header: { type: "string", short: "H", multiple: true, default: [] },
  },
});

const isStream = !values.model.includes("-n0");
const connections = Number(values.connections);
const rate = Number(values.rate);
const requestsMax = Number(values.requests ?? Infinity);
const abortPercent = Number(values.abort);
/** How long an answer that will be given up is waited for. */
const GIVE_UP_MS = 5;
const GRACE_MS = 3_000;
/** `~T` and nanoseconds. */
const STAMP_CHARS = 21;

const startedMs = performance.now();
const recordFromMs = startedMs + Number(values.warm) * 1_000;
const endMs = recordFromMs + Number(values.seconds) * 1_000;
const body = bodyOf(Number(values.body));
const agent = new Agent({ keepAlive: true, maxSockets: connections });

const sums = { started: 0, done: 0, recorded: 0, errors: 0, non2xx: 0, aborted: 0, open: 0 };
let [bytes, markers, abortSum] = [0, 0, 0];
const times = { lat: [] as number[], ttfb: [] as number[], chunk_delay: [] as number[] };

function bodyOf(size: number): string {
  const text = JSON.stringify({
    model: values.model,
    ...(isStream ? { stream: true, stream_options: { include_usage: true } } : {}),
    messages: [{ role: "user", content: "" }],
  });
  const line = "const total = items.reduce((a, b) => a + b.price, 0); ";
  const missing = Math.max(0, size - text.length);
  const content = line.repeat(Math.ceil(missing / line.length)).slice(0, missing);
  return text.replace('"content":""', `"content":"${content}"`);
}

/** One request, counted. Its time begins when it was meant to be sent. */
function ask(intendedMs: number): Promise<void> {
  sums.started += 1;
  sums.open += 1;
  abortSum += abortPercent;
  const isDoomed = abortSum >= 100;
  if (isDoomed) abortSum -= 100;
  return new Promise((resolve) => {
    const over = (count: "done" | "errors" | "aborted"): void => {
      sums[count] += 1;
      sums.open -= 1;
      resolve();
    };
    const asked = request({
      agent,
      host: "127.0.0.1",
      port: Number(values.port),
      path: values.path,
      method: "POST",
      headers: {
        authorization: `Bearer ${values.key}`,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        ...Object.fromEntries(values.header.map((line) => line.split(": ", 2))),
      },
    });
    const giveUp = (): void => {
      asked.destroy();
    };
    let isAnswered = false;
    asked.on("response", (answer) => {
      isAnswered = true;
      readAnswer(answer, intendedMs, isDoomed && isStream ? giveUp : null);
      answer.on("end", () => over("done"));
      answer.on("error", () => over(isDoomed ? "aborted" : "errors"));
      if ((answer.statusCode ?? 0) > 299) sums.non2xx += 1;
    });
    asked.on("error", () => {
      if (!isAnswered) over(isDoomed ? "aborted" : "errors");
    });
    asked.end(body);
    if (isDoomed && !isStream) setTimeout(giveUp, GIVE_UP_MS);
  });
}

function readAnswer(answer: IncomingMessage, intendedMs: number, giveUp: (() => void) | null) {
  const isRecorded = intendedMs >= recordFromMs;
  let isFirst = true;
  let rest = "";
  answer.setEncoding("latin1").on("data", (text: string) => {
    const nowNs = process.hrtime.bigint();
    bytes += text.length;
    if (isFirst && isRecorded) times.ttfb.push((performance.now() - intendedMs) * 1_000);
    isFirst = false;
    const searched = rest + text;
    let searchedTo = 0;
    for (const { 1: sentNs = "0", index } of searched.matchAll(/~T(\d{19})/g)) {
      searchedTo = index + STAMP_CHARS;
      markers += 1;
      if (performance.now() >= recordFromMs) {
        times.chunk_delay.push(Number(nowNs - BigInt(sentNs)) / 1_000);
      }
    }
    rest = searched.slice(Math.max(searchedTo, searched.length - STAMP_CHARS + 1));
    giveUp?.();
  });
  answer.on("end", () => {
    if (isRecorded) times.lat.push((performance.now() - intendedMs) * 1_000);
    if (isRecorded && performance.now() <= endMs) sums.recorded += 1;
  });
}

async function askAgainAndAgain(first: number): Promise<void> {
  const stagger = Number(values.stagger ?? 0.02) * 1_000;
  // Evenly spaced starts would put paced streams into flocks.
  await sleep((stagger * (first + Math.random())) / connections);
  while (performance.now() < endMs && sums.started < requestsMax) await ask(performance.now());
}

async function askAtRate(): Promise<void> {
  const asked: Promise<void>[] = [];
  for (let n = 0; ; n += 1) {
    const dueMs = startedMs + (n * 1_000) / rate;
    if (dueMs >= endMs) break;
    if (dueMs > performance.now()) await sleep(dueMs - performance.now());
    asked.push(ask(dueMs));
  }
  await Promise.all(asked);
}

function quantilesOf(values: number[]): object | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
  return { n: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) };
}

const work =
  rate > 0
    ? askAtRate()
    : Promise.all(Array.from({ length: connections }, (_, i) => askAgainAndAgain(i)));
await Promise.race([work, sleep(endMs + GRACE_MS - startedMs, undefined, { ref: false })]);
const { done, errors, non2xx, aborted, recorded, open } = sums;
const report = {
  rps: recorded / Number(values.seconds),
  ...{ done, errors, non2xx, aborted, open_at_end: open, bytes, markers },
  lat: quantilesOf(times.lat),
  ttfb: quantilesOf(times.ttfb),
  chunk_delay: quantilesOf(times.chunk_delay),
};
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
