/**
 * The answer parser against Node's own. Whatever ours takes for a whole answer, Node's takes for the
 * same one; and however the bytes are cut, ours tells the same.
 */
import { SeededDraws } from "@atelier/model-wire/seeded-draws";
import { cutIntoChunks } from "@atelier/model-wire/simulated-inputs";
import { request, type IncomingMessage } from "node:http";
import { Duplex } from "node:stream";
import { Http1AnswerParser } from "./http1-answer-parser.ts";
import { simulateAnswer } from "./simulated-answers.ts";

export const title = "HTTP/1.1 answer parser against Node's";

export type SimulationInput = {
  readonly seed: number;
  readonly runs: number;
  readonly report: (progress: string) => void;
};

/** Rejects at the first difference, with the answer and what repeats it. Says how many were whole. */
export async function simulate({ seed, runs, report }: SimulationInput): Promise<number> {
  const draws = new SeededDraws(seed);
  let whole = 0;
  for (let run = 0; run < runs; run += 1) {
    const answer = Buffer.from(simulateAnswer(draws), "latin1");
    const method = draws.once(6) ? "HEAD" : "GET";
    const ours = readWithOurs([Buffer.from(answer)], method, draws);
    const cut = readWithOurs(cutIntoChunks(draws, answer), method, draws);
    const shown = `seed ${seed}, run ${run}: ${method} ${JSON.stringify(answer.toString("latin1"))}`;
    if (!isSame(ours, cut))
      throw new Error(`${shown} in pieces: ${describe(ours)}, ${describe(cut)}`);
    if (ours.end === "whole") {
      whole += 1;
      const bytes = countBytes(answer, method);
      if (ours.isReusable && bytes < answer.length) throw new Error(`${shown} left bytes behind`);
      const theirs = await readWithNode(answer.subarray(0, bytes), method);
      const { isReusable: _, ...told } = ours;
      if (!isSame(told, theirs))
        throw new Error(`${shown}: ${describe(told)}, ${describe(theirs)}`);
    }
    if ((run + 1) % REPORT_EVERY === 0) report(`${run + 1} answers, ${whole} of them whole`);
  }
  return whole;
}

const REPORT_EVERY = 100_000;

type Read = {
  readonly head: readonly [status: number, rawHeaders: readonly string[]] | null;
  readonly body: string;
  readonly end: string;
};

function readWithOurs(
  pieces: readonly Uint8Array[],
  method: string,
  draws: SeededDraws,
): Read & { readonly isReusable: boolean } {
  let head: Read["head"] = null;
  let body = "";
  const parser = new Http1AnswerParser({
    head: (status, rawHeaders) => {
      head = [status, rawHeaders];
    },
    data: (chunk) => {
      body += chunk.toString("latin1");
      return !draws.once(3);
    },
  });
  parser.begin(method);
  let progress = "more";
  // What is left over when a connection's answer is whole comes from the same connection.
  for (const piece of pieces) {
    if (progress === "faulty") break;
    progress = parser.push(Buffer.from(piece));
    while (progress === "held") progress = parser.proceed();
  }
  if (progress === "more") progress = parser.finish();
  const end = progress === "whole" ? progress : (parser.fault ?? "");
  return { head, body, end, isReusable: parser.isReusable };
}

/** How many bytes the answer takes: what comes after it is another matter, and Node's says so at once. */
function countBytes(answer: Uint8Array, method: string): number {
  const parser = new Http1AnswerParser({ head: () => {}, data: () => true });
  parser.begin(method);
  let at = 0;
  for (let progress = "more"; progress === "more" && at < answer.length; at += 1) {
    progress = parser.push(Buffer.from(answer.subarray(at, at + 1)));
  }
  return at;
}

function readWithNode(answer: Uint8Array, method: string): Promise<Read> {
  const socket = new Duplex({
    read: () => {},
    write: (_chunk, _encoding, done) => done(),
  });
  const done = Promise.withResolvers<Read>();
  const req = request({
    method,
    createConnection: () => socket,
    maxHeaderSize: 256 * 1024,
    headers: { host: "x" },
  });
  req.on("error", (error) => done.resolve({ head: null, body: "", end: error.message }));
  req.on("upgrade", () => done.resolve({ head: null, body: "", end: "upgrade" }));
  req.on("response", (res: IncomingMessage) => {
    let body = "";
    res.on("data", (chunk: Buffer) => (body += chunk.toString("latin1")));
    res.on("error", () => {});
    res.on("close", () =>
      done.resolve({
        head: [res.statusCode ?? 0, res.rawHeaders],
        body,
        end: res.complete ? "whole" : "cut",
      }),
    );
  });
  req.end();
  socket.push(answer);
  socket.push(null);
  return done.promise;
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function describe(read: Read): string {
  return JSON.stringify(read);
}
