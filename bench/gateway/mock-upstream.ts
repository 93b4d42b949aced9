/**
 * The upstream of `bench/native/mock.c` once more, on Node: for machines without a C compiler, and,
 * with a certificate, for TLS and HTTP/2. It costs more than what is measured, so it bounds rates.
 *
 * Usage: mock-upstream.ts <expected key> [<certificate file> <its key's file>]
 *
 * The request's `model` asks for the answer: mock-n<chunks>-b<bytes>-p<ms between>-d<ms before>.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";
import { parseModel, type AnswerShape } from "./mock-answer.ts";

/** The model's name stands near the start. */
const SEARCHED_BYTES = 1_024;
const CHUNK = '{"id":"chatcmpl-Cmock0123456789","object":"chat.completion.chunk","created":1763668800,"model":"gpt-4o-mini","choices":'; // prettier-ignore
const USAGE = '"usage":{"prompt_tokens":1843,"completion_tokens":152,"total_tokens":1995,"prompt_tokens_details":{"cached_tokens":1024}}'; // prettier-ignore
const JSON_ANSWER = `{"id":"chatcmpl-Cmock0123456789","object":"chat.completion","created":1763668800,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":"${"the quick answer ".repeat(60)}","refusal":null},"finish_reason":"stop"}],${USAGE}}`;
const FIRST_EVENT = `data: ${CHUNK}[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n`;
const LAST_EVENTS = `data: ${CHUNK}[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: ${CHUNK}[],${USAGE}}\n\ndata: [DONE]\n\n`;

const [key = "", certificateFile, keyFile] = process.argv.slice(2);

/** What is used of HTTP/1's classes here, HTTP/2's have too. */
const answerOfBoth = answer as unknown as (
  req: Http2ServerRequest | IncomingMessage,
  res: Http2ServerResponse | ServerResponse,
) => void;

function answer(req: IncomingMessage, res: ServerResponse): void {
  let head = "";
  req.on("data", (chunk: Buffer) => {
    if (head.length < SEARCHED_BYTES) head += chunk.toString("latin1");
  });
  req.on("end", () => {
    if (req.headers.authorization?.startsWith(`Bearer ${key}`) === true) reply(res, head);
    else res.writeHead(401, { "content-type": "application/json" }).end('{"error":{}}');
  });
}

function reply(res: ServerResponse, head: string): void {
  const shape = parseModel(head.slice(0, SEARCHED_BYTES));
  const start = (): void => {
    if (shape.chunks === 0) {
      res.writeHead(200, {
        "content-type": "application/json",
        "content-length": JSON_ANSWER.length,
      });
      res.end(JSON_ANSWER);
      return;
    }
    res.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    if (shape.paceMs > 0) pace(res, shape);
    else atOnce(res, shape);
  };
  if (shape.delayMs > 0) setTimeout(start, shape.delayMs);
  else start();
}

/**
 * Over HTTP/1.1 each event is a chunk of its own, as models send them: who reads them has to take them
 * apart. Node's server would make one of all that are written in one turn.
 */
function atOnce(res: ServerResponse, { chunks, bytes }: AnswerShape): void {
  const events = [FIRST_EVENT, ...Array.from<string>({ length: chunks }).fill(event(bytes))];
  if (res.req.httpVersionMajor > 1 || res.socket === null) {
    res.end(events.join("") + LAST_EVENTS);
    return;
  }
  res.socket.setNoDelay(true);
  res.socket.cork();
  res.flushHeaders();
  const framed = [...events, LAST_EVENTS].map(
    (text) => `${text.length.toString(16)}\r\n${text}\r\n`,
  );
  res.socket.write(framed.join(""));
  res.end();
  res.socket.uncork();
}

function pace(res: ServerResponse, { chunks, bytes, paceMs }: AnswerShape): void {
  res.write(FIRST_EVENT);
  const startedMs = performance.now();
  let sent = 0;
  const next = (): void => {
    if (res.destroyed) return;
    res.write(event(bytes));
    sent += 1;
    if (sent === chunks) res.end(LAST_EVENTS);
    else setTimeout(next, Math.max(0, startedMs + (sent + 1) * paceMs - performance.now()));
  };
  setTimeout(next, paceMs);
}

/** The driver reads the time of sending out of it. */
function event(bytes: number): string {
  const head = `data: ${CHUNK}[{"index":0,"delta":{"content":"~T`;
  const stamp = process.hrtime.bigint().toString().padStart(19, "0");
  const padding = "x".repeat(Math.max(0, bytes - head.length - 19 - 32));
  return `${head}${stamp}${padding}"},"finish_reason":null}]}\n\n`;
}

const server =
  certificateFile === undefined || keyFile === undefined
    ? createServer(answer)
    : createSecureServer(
        { cert: readFileSync(certificateFile), key: readFileSync(keyFile), allowHTTP1: true },
        answerOfBoth,
      );
server.listen(0, "127.0.0.1", () => {
  console.log(`port ${(server.address() as AddressInfo).port}`);
});
