/** What every upstream client must do, as tests over an implementation. For tests only. */
import { BytePieces } from "@atelier/model-wire/byte-pieces";
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  answerText,
  CALL,
  OK,
  PATIENT,
  PLAIN_WIRE,
  send,
  socketServer,
  TOLD_HELLO,
  TOLD_NOTHING,
  type OpenUpstream,
  type Suite,
} from "./upstream-client-testkit.ts";
import { testConnections } from "./upstream-connections-testkit.ts";

export function testUpstreamClient(name: string, open: OpenUpstream, wire = PLAIN_WIRE): void {
  const { byteServer, ca } = wire;
  const trusting: OpenUpstream = (options) => open(ca === undefined ? options : { ca, ...options });
  const suite: Suite = {
    name,
    implementation: trusting,
    wire,
    byteServer,
    test: (title, run) => {
      test(`${name}: ${title}`, run);
    },
    open: (origin, options = {}) => {
      const client = trusting({ origin, timeouts: PATIENT, ...options });
      return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
    },
  };
  // Many of them wait for a time-out: together they take as long as the longest.
  describe(name, { concurrency: 8 }, () => {
    testRequests(suite);
    testFraming(suite);
    testFailures(suite);
    testConnections(suite);
  });
}

/** For rows that hold for one implementation only. */
export type FramingCase = readonly [
  name: string,
  answer: string,
  told: readonly string[],
  method?: string,
];

export function testFramingCases(
  name: string,
  open: OpenUpstream,
  cases: readonly FramingCase[],
  { byteServer } = PLAIN_WIRE,
): void {
  for (const [title, answer, told, method = "POST"] of cases) {
    test(`${name}: ${title}`, async () => {
      for (const pieceBytes of [answer.length, 1]) {
        await using server = await byteServer(({ socket }) => {
          writeInPieces(socket, answer, pieceBytes).then(() => socket.end(), rethrow);
        });
        const client = open({ origin: server.url, timeouts: PATIENT });
        const sent = send(client, { call: { ...CALL, method, body: null } });
        await sent.over;
        assert.deepEqual(sent.events, told, `in pieces of ${pieceBytes} bytes`);
        await client.close();
      }
    });
  }
}

async function writeInPieces(
  socket: { write(text: string, encoding: "latin1"): boolean },
  text: string,
  pieceBytes: number,
): Promise<void> {
  for (let at = 0; at < text.length; at += pieceBytes) {
    socket.write(text.slice(at, at + pieceBytes), "latin1");
    await nextTurn();
  }
}

function rethrow(error: unknown): never {
  throw error;
}

function testRequests({ test, open, byteServer }: Suite): void {
  test("a request arrives as it was given, with its host and length", async () => {
    let asked: { head: string; body: string } | null = null;
    await using server = await byteServer(({ socket, head, body }) => {
      asked = { head, body: body.toString() };
      socket.write(answerText("ok"));
    });
    await using client = open(server.url);
    const headers = ["X-a", "1", "x-A", "2", "X-High", "\u00e9\u00ff"];
    await send(client, { call: { ...CALL, headers } }).over;
    const { head = "", body = "" } = asked ?? {};
    assert.equal(body, "{}");
    const [line = "", ...fields] = head.split("\r\n");
    assert.equal(line, "POST /x?y=1 HTTP/1.1");
    const kept = fields.filter((field) => field.startsWith("X-") || field.startsWith("x-"));
    assert.deepEqual(kept, ["X-a: 1", "x-A: 2", "X-High: \u00e9\u00ff"]);
    const lower = fields.map((field) => field.toLowerCase());
    assert.ok(lower.includes(`host: ${new URL(server.url).host}`));
    assert.ok(lower.includes("content-length: 2"));
  });

  for (const bytes of [0, 1, 16_384, 16_385, 3_000_000]) {
    test(`a body of ${bytes} bytes arrives whole, also from pieces`, async () => {
      const body = Buffer.alloc(bytes, "0123456789");
      let got: Buffer = Buffer.alloc(0);
      await using server = await byteServer((asked) => {
        got = asked.body;
        asked.socket.write(answerText("ok"));
      });
      await using client = open(server.url);
      const told = send(client, { call: { ...CALL, body } });
      await told.over;
      assert.deepEqual(told.events, ["head 200", "data ok", "end"]);
      assert.ok(got.equals(body));
      const cut = Math.floor(bytes / 3);
      const pieces = new BytePieces([body.subarray(0, cut), body.subarray(cut)]);
      got = Buffer.alloc(0);
      const toldPieces = send(client, { call: { ...CALL, body: pieces } });
      await toldPieces.over;
      assert.deepEqual(toldPieces.events, ["head 200", "data ok", "end"]);
      assert.ok(got.equals(body));
    });
  }

  test("a request without a body has none", async () => {
    const heads: string[] = [];
    await using server = await byteServer(({ socket, head }) => {
      heads.push(head.toLowerCase());
      socket.write(answerText("ok"));
    });
    await using client = open(server.url);
    await send(client, { call: { ...CALL, method: "GET", body: null } }).over;
    await send(client, { call: { ...CALL, method: "POST", body: null } }).over;
    assert.equal(heads[0]?.includes("content-length"), false);
    assert.equal(heads[1]?.includes("content-length: 0"), true);
  });

  for (const [what, call] of [
    ["a header value", { ...CALL, headers: ["X-Key", "a\r\nX-Injected: 1"] }],
    ["a header value that HTTP cannot carry", { ...CALL, headers: ["X-Name", "\u4f60"] }],
    ["a header name", { ...CALL, headers: ["X-Key: 1\r\nX", "a"] }],
    ["the path", { ...CALL, path: "/ HTTP/1.1\r\nX-Injected: 1" }],
    ["the method", { ...CALL, method: "GET / HTTP/1.1\r\n" }],
    ["a second framing", { ...CALL, headers: ["Transfer-Encoding", "chunked"] }],
  ] as const) {
    test(`a request that cannot be written for ${what} is not sent`, async () => {
      let asked = 0;
      await using server = await byteServer(({ socket }) => {
        asked += 1;
        socket.write(answerText("ok"));
      });
      await using client = open(server.url);
      const told = send(client, { call });
      await told.over;
      assert.deepEqual([told.events, asked], [["failed unreachable"], 0]);
    });
  }
}

function testFraming(suite: Suite): void {
  suite.test("fields are told in order, with their case, repeats and bytes", async () => {
    await using server = await suite.byteServer(({ socket }) => {
      socket.write(
        answerText("ok", "X-B:  b", "set-cookie: 1", "Set-Cookie: 2", "X-High: \x80\xff", "X-E:"),
        "latin1",
      );
    });
    await using client = suite.open(server.url);
    const told = send(client);
    await told.over;
    assert.deepEqual(told.rawHeaders.slice(2), [
      ...["X-B", "b", "set-cookie", "1", "Set-Cookie", "2"],
      ...["X-High", "\x80\xff", "X-E", ""],
    ]);
  });
  testFramingCases(`${suite.name}: framing`, suite.implementation, FRAMING, suite.wire);
}

const EMPTY = ["head 200", "end"];
const HALF = ["head 200", "data hel", "failed cut"];
const AT_ONCE = ["head 200", "failed cut"];

const FRAMING: readonly FramingCase[] = [
  ["a length", `${OK}Content-Length: 5\r\n\r\nhello`, TOLD_HELLO],
  ["a length of nothing", `${OK}Content-Length: 0\r\n\r\n`, EMPTY],
  ["chunks", `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n02\r\nlo\r\n0\r\n\r\n`, TOLD_HELLO],
  ["no chunks", `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, EMPTY],
  ["chunks in capitals", `${OK}TRANSFER-ENCODING: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, TOLD_HELLO],
  [
    "chunks with extensions",
    `${OK}Transfer-Encoding: chunked\r\n\r\n5;a;b=c;d="e\\"f"\r\nhello\r\n0;a\r\n\r\n`,
    TOLD_HELLO,
  ],
  [
    "chunks with trailers",
    `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-B: 2\r\n\r\n`,
    TOLD_HELLO,
  ],
  ["the connection's end", `${OK}Connection: close\r\n\r\nhello`, TOLD_HELLO],
  ["the connection's end, unannounced", `${OK}\r\nhello`, TOLD_HELLO],
  ["an older version", "HTTP/1.0 200 OK\r\n\r\nhello", TOLD_HELLO],
  ["an older version with a length", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", TOLD_HELLO],
  ["no reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", EMPTY],
  ["no content", "HTTP/1.1 204 No Content\r\n\r\n", ["head 204", "end"]],
  ["not modified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", ["head 304", "end"]],
  ["HEAD", `${OK}Content-Length: 5\r\n\r\n`, EMPTY, "HEAD"],
  ["HEAD of chunks", `${OK}Transfer-Encoding: chunked\r\n\r\n`, EMPTY, "HEAD"],
  ["a refusal", "HTTP/1.1 529 Busy\r\nContent-Length: 2\r\n\r\nno", ["head 529", "data no", "end"]],
  [
    "interim answers",
    `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}Content-Length: 5\r\n\r\nhello`,
    TOLD_HELLO,
  ],
  ["bytes after the end", `${OK}Content-Length: 5\r\n\r\nhelloHTTP/1.1`, TOLD_HELLO],

  ["nothing at all", "", TOLD_NOTHING],
  ["an end in the status line", "HTTP/1.1 20", TOLD_NOTHING],
  ["an end in the head", `${OK}Content-Le`, TOLD_NOTHING],
  ["an end before the head's end", `${OK}Content-Length: 5\r\n`, TOLD_NOTHING],
  ["an end in the body", `${OK}Content-Length: 5\r\n\r\nhel`, HALF],
  ["an end in a chunk", `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`, HALF],
  ["an end after a chunk's data", `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel`, HALF],
  ["an end after a chunk", `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n`, HALF],
  ["an end in a chunk's size", `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n1`, HALF],
  ["an end in the last chunk", `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\n`, HALF],
  [
    "an end in the trailers",
    `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n0\r\nX-Sum: 1\r\n`,
    HALF,
  ],
  ["an end after interim answers", "HTTP/1.1 103 Early Hints\r\n\r\n", TOLD_NOTHING],

  ["another protocol", "SSH-2.0-OpenSSH_9.6\r\n", TOLD_NOTHING],
  ["an older protocol", "ICY 200 OK\r\n\r\n", TOLD_NOTHING],
  ["a status that is none", "HTTP/1.1 2x0 OK\r\n\r\n", TOLD_NOTHING],
  ["a long status", "HTTP/1.1 2000 OK\r\n\r\n", TOLD_NOTHING],
  ["a space before the colon", `${OK}Content-Length : 5\r\n\r\nhello`, TOLD_NOTHING],
  ["a field without a name", `${OK}: 5\r\nContent-Length: 5\r\n\r\nhello`, TOLD_NOTHING],
  ["a line without a colon", `${OK}Content-Length\r\n\r\nhello`, TOLD_NOTHING],
  ["a zero byte in the head", `${OK}X-A: a\0b\r\nContent-Length: 5\r\n\r\nhello`, TOLD_NOTHING],
  ["a bare carriage return", `${OK}X-A: a\rb\r\nContent-Length: 5\r\n\r\nhello`, TOLD_NOTHING],
  [
    "length and chunks",
    `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    TOLD_NOTHING,
  ],
  ["two lengths", `${OK}Content-Length: 5\r\nContent-Length: 3\r\n\r\nhello`, TOLD_NOTHING],
  ["a signed length", `${OK}Content-Length: +5\r\n\r\nhello`, TOLD_NOTHING],
  ["a list of lengths", `${OK}Content-Length: 5, 5\r\n\r\nhello`, TOLD_NOTHING],
  ["a huge length", `${OK}Content-Length: 99999999999999999999\r\n\r\nhello`, TOLD_NOTHING],
  ["a chunk's size that is none", `${OK}Transfer-Encoding: chunked\r\n\r\nx\r\n`, AT_ONCE],
  ["a signed chunk's size", `${OK}Transfer-Encoding: chunked\r\n\r\n+5\r\nhello`, AT_ONCE],
  ["a chunk longer than it said", `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n`, HALF],
  [
    "another protocol after the switch",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    TOLD_NOTHING,
  ],
]; // prettier-ignore

function testFailures({ test, open, byteServer }: Suite): void {
  test("a refused connection is unreachable", async () => {
    await using client = open("http://127.0.0.1:1");
    const told = send(client);
    await told.over;
    assert.deepEqual([told.events, told.failure?.cause], [["failed unreachable"], "ECONNREFUSED"]);
  });

  test("a connection that is reset before the head is unreachable, after it cut", async () => {
    await using server = await byteServer(({ socket, requestCount }) => {
      if (requestCount === 1) socket.resetAndDestroy();
      else
        socket.write(`${OK}Content-Length: 5\r\n\r\nhel`, () =>
          setTimeout(() => socket.resetAndDestroy(), 20),
        );
    });
    await using client = open(server.url);
    const early = send(client);
    await early.over;
    assert.deepEqual(early.events, ["failed unreachable"]);
    const late = send(client);
    await late.over;
    assert.deepEqual(late.events, HALF);
  });

  test("a connection whose TLS is never agreed is a timeout", async () => {
    // It takes the connection and never says a word of TLS.
    await using server = await socketServer(() => {});
    const timeouts = { ...PATIENT, connectMsMax: 300 };
    await using client = open(server.url.replace("http:", "https:"), { timeouts });
    const told = send(client);
    await told.over;
    assert.deepEqual(told.events, ["failed timeout"]);
  });

  test("a call may be less patient than the client", async () => {
    await using server = await byteServer(() => {});
    await using client = open(server.url);
    const startedMs = performance.now();
    const told = send(client, { call: { ...CALL, headMsMax: 300 } });
    await told.over;
    assert.deepEqual(told.events, ["failed timeout"]);
    assert.ok(performance.now() - startedMs < PATIENT.headMsMax);
  });

  test("a head that does not come is a timeout", async () => {
    await using server = await byteServer(() => {});
    await using client = open(server.url, { timeouts: { ...PATIENT, headMsMax: 1_000 } });
    const told = send(client);
    await told.over;
    assert.deepEqual(told.events, ["failed timeout"]);
  });

  test("silence inside the body is a timeout, and bytes now and then are not", async () => {
    const first = Promise.withResolvers<void>();
    await using server = await byteServer(({ socket, requestCount }) => {
      socket.write(`${OK}Content-Length: 10\r\n\r\n`);
      if (requestCount === 1) return first.resolve(); // Silent from here.
      let sent = 0;
      const timer = setInterval(() => {
        socket.write("a".repeat(2));
        sent += 1;
        if (sent === 5) clearInterval(timer);
      }, 400);
    });
    await using client = open(server.url, { timeouts: { ...PATIENT, silenceMsMax: 1_500 } });
    const mute = send(client);
    await first.promise;
    const slow = send(client);
    await Promise.all([mute.over, slow.over]);
    assert.deepEqual(mute.events, ["head 200", "failed timeout"]);
    assert.deepEqual(slow.events, ["head 200", "data aaaaaaaaaa", "end"]);
  });

  test("a head over 64 kB is refused", async () => {
    await using server = await byteServer(({ socket }) => {
      socket.write(`${OK}X-A: ${"a".repeat(70_000)}\r\n\r\n`);
    });
    await using client = open(server.url);
    const told = send(client);
    await told.over;
    assert.deepEqual(told.events, ["failed unreachable"]);
  });

  test("an answer to a request that is still being sent is told", async () => {
    await using server = await socketServer((socket) => {
      socket.once("data", () => {
        socket.pause();
        socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nlong");
      });
    });
    await using client = open(server.url);
    const told = send(client, { call: { ...CALL, body: Buffer.alloc(32_000_000) } });
    const other = (await told.over, send(client));
    await other.over;
    assert.deepEqual(told.events, ["head 413", "data long", "end"]);
    assert.deepEqual(other.events, ["head 413", "data long", "end"]);
    assert.equal(server.sockets.length, 2);
  });

  test("a listener that throws fails its own exchange and no other", async () => {
    await using server = await byteServer(({ socket }) => socket.write(answerText("ok")));
    await using client = open(server.url);
    const told = send(client, {
      onData: () => {
        throw new Error("a mistake in the listener");
      },
    });
    const other = send(client);
    await Promise.all([told.over, other.over]);
    assert.deepEqual(told.events.slice(-1), ["failed cut"]);
    assert.match(told.failure?.detail ?? "", /a mistake in the listener/);
    assert.deepEqual(other.events, ["head 200", "data ok", "end"]);
  });
}
