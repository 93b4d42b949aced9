/**
 * What every upstream client must do with its connections: the pool, cancelling, back-pressure, closing
 * and TLS. Part of the conformance suite. For tests only.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { makeCertificate } from "./test-certificate-testkit.ts";
import {
  answerText,
  CALL,
  closeOf,
  OK,
  PATIENT,
  send,
  tlsByteServer,
  TOLD_HELLO,
  type Asked,
  type ByteServer,
  type Suite,
} from "./upstream-client-testkit.ts";

export function testConnections(suite: Suite): void {
  testPool(suite);
  testCancel(suite);
  testBackPressure(suite);
  testClose(suite);
  testTls(suite);
}

function testPool({ test, open, byteServer }: Suite): void {
  test("exchanges one after the other use one connection", async () => {
    await using server = await byteServer(({ socket, requestCount }) => {
      const chunks = `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`;
      socket.write(requestCount % 2 === 0 ? answerText("ok") : chunks);
    });
    await using client = open(server.url);
    for (let i = 0; i < 10; i += 1) {
      const told = send(client);
      await told.over;
      assert.deepEqual(told.events, ["head 200", "data ok", "end"]);
      await nextTurn();
    }
    assert.equal(server.sockets.length, 1);
  });

  test("never more connections than allowed, and everybody is served", async () => {
    await using server = await byteServer(({ socket }) => {
      setTimeout(() => socket.write(answerText("ok")), 5);
    });
    await using client = open(server.url, { connectionsMax: 2 });
    const all = Array.from({ length: 9 }, () => send(client));
    await Promise.all(all.map(({ over }) => over));
    for (const { events } of all) assert.deepEqual(events, ["head 200", "data ok", "end"]);
    assert.ok(server.openMax <= 2, `${server.openMax} connections`);
  });

  test("an exchange that waits for a connection can be cancelled", async () => {
    let asked = 0;
    await using server = await byteServer(({ socket }) => {
      asked += 1;
      setTimeout(() => socket.write(answerText("ok")), 20);
    });
    await using client = open(server.url, { connectionsMax: 1 });
    const [first, second, third] = [send(client), send(client), send(client)];
    second.exchange.cancel();
    await Promise.all([first.over, third.over]);
    assert.deepEqual([second.events, asked], [[], 2]);
  });

  test("connections that the server closes while they are idle are not used", async () => {
    await using server = await byteServer(({ socket }) => socket.end(answerText("ok")));
    await using client = open(server.url);
    for (let i = 0; i < 20; i += 1) {
      const told = send(client);
      await told.over;
      assert.deepEqual(told.events, ["head 200", "data ok", "end"]);
      await Promise.all(server.sockets.map((socket) => closeOf(socket)));
    }
    assert.equal(server.sockets.length, 20);
  });

  for (const [what, answer] of [
    ["says so", answerText("ok", "Connection: close")],
    ["says so among others", answerText("ok", "Connection: x, Close")],
    ["is of an older version", answerText("ok").replace("HTTP/1.1", "HTTP/1.0")],
    ["keeps it for too short a time", answerText("ok", "Keep-Alive: timeout=1")],
    ["sent bytes after the end", `${answerText("ok")}x`],
  ] as const) {
    test(`a connection is used once where the server ${what}`, async () => {
      await using server = await byteServer(({ socket }) => socket.write(answer));
      await using client = open(server.url);
      for (let i = 0; i < 3; i += 1) {
        const told = send(client);
        await told.over;
        assert.deepEqual(told.events, ["head 200", "data ok", "end"]);
        await nextTurn();
      }
      assert.equal(server.sockets.length, 3);
    });
  }

  test("bytes on an idle connection end it, and are nobody's answer", async () => {
    await using server = await byteServer(({ socket, connectionCount }) => {
      socket.write(answerText(`from ${connectionCount}`));
      setImmediate(() => socket.write(answerText("for nobody")));
    });
    await using client = open(server.url);
    for (let i = 1; i <= 3; i += 1) {
      const told = send(client);
      await told.over;
      assert.deepEqual(told.events, ["head 200", `data from ${i}`, "end"]);
      await closeOf(server.sockets.at(-1));
    }
  });
}

function testCancel({ test, open, byteServer }: Suite): void {
  test("an exchange cancelled before it began never reaches the provider", async () => {
    let asked = 0;
    await using server = await byteServer(({ socket }) => {
      asked += 1;
      socket.write(answerText("ok"));
    });
    await using client = open(server.url);
    const told = send(client);
    told.exchange.cancel();
    const other = send(client);
    await other.over;
    assert.deepEqual([told.events, asked], [[], 1]);
  });

  for (const [phase, answer, told] of [
    ["the head", "", []],
    ["the rest of the head", "HTTP/1.1 200", []],
    ["the body", `${OK}Content-Length: 5\r\n\r\n`, ["head 200"]],
    ["the rest of the body", `${OK}Content-Length: 5\r\n\r\nhel`, ["head 200", "data hel"]],
    [
      "another chunk",
      `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n`,
      ["head 200", "data hel"],
    ],
  ] as const) {
    test(`cancelled while it waits for ${phase}, it closes at the provider`, async () => {
      const written = Promise.withResolvers<void>();
      await using server = await byteServer(({ socket, requestCount }) => {
        if (requestCount === 1) socket.write(answer, () => written.resolve());
        else socket.write(answerText("ok"));
      });
      await using client = open(server.url);
      const sent = send(client);
      await written.promise;
      while (!isDeepStrictEqual(sent.events, told)) await nextTurn();
      sent.exchange.cancel();
      sent.exchange.resume();
      await closeOf(server.sockets[0]);
      assert.deepEqual(sent.events, told);
      const next = send(client);
      await next.over;
      assert.deepEqual(next.events, ["head 200", "data ok", "end"]);
      assert.equal(server.sockets.length, 2);
    });
  }

  test("an exchange cancelled by its listener hears nothing more", async () => {
    await using server = await byteServer(({ socket }) => socket.write(answerText("hello")));
    await using client = open(server.url);
    const told = send(client, { onHead: () => told.exchange.cancel() });
    await closeOf(await firstSocket(server));
    assert.deepEqual(told.events, ["head 200"]);
  });

  test("cancelling an exchange that is over changes nothing", async () => {
    await using server = await byteServer(({ socket }) => socket.write(answerText("ok")));
    await using client = open(server.url);
    const first = send(client);
    await first.over;
    await nextTurn();
    const second = send(client);
    first.exchange.cancel();
    first.exchange.resume();
    await second.over;
    assert.deepEqual(second.events, ["head 200", "data ok", "end"]);
    assert.equal(server.sockets.length, 1);
  });
}

async function firstSocket({ sockets }: ByteServer): Promise<Socket | undefined> {
  while (sockets.length === 0) await nextTurn();
  return sockets[0];
}

function testBackPressure({ test, open, byteServer }: Suite): void {
  test("held data waits for resume, and so does the end", async () => {
    await using server = await byteServer(({ socket }) => socket.write(answerText("hello")));
    await using client = open(server.url);
    const held = Promise.withResolvers<void>();
    const told = send(client, {
      onData: () => {
        held.resolve();
        return false;
      },
    });
    await held.promise;
    await nextTurn();
    assert.deepEqual(told.events, ["head 200", "data hello"]);
    told.exchange.resume();
    await told.over;
    assert.deepEqual(told.events, ["head 200", "data hello", "end"]);
    await nextTurn();
    // The connection reads again: it serves the next one.
    const next = send(client);
    await next.over;
    assert.equal(server.sockets.length, 1);
  });

  test("a connection that ends while its data is held is told after it", async () => {
    await using server = await byteServer(({ socket }) => {
      socket.write(`${OK}\r\nhel`);
    });
    await using client = open(server.url);
    const held = Promise.withResolvers<void>();
    const told = send(client, {
      onData: () => {
        held.resolve();
        return false;
      },
    });
    await held.promise;
    const ended = once(server.sockets[0]!, "finish");
    server.sockets[0]?.end("lo");
    await ended;
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(told.events, ["head 200", "data hel"]);
    told.exchange.resume();
    while (told.events.length < 3 && told.bytes < 5) await nextTurn();
    assert.deepEqual(told.events, ["head 200", "data hello"]);
    told.exchange.resume();
    await told.over;
    assert.deepEqual(told.events, TOLD_HELLO);
  });

  for (const framing of ["sized", "chunked", "until close"] as const) {
    test(`a listener that holds a large body (${framing}) bounds what is read of it`, async () => {
      const piece = Buffer.alloc(64 * 1024, "x");
      const pieces = 512;
      let sentPieces = 0;
      await using server = await byteServer(({ socket }) => {
        if (framing === "sized")
          socket.write(`${OK}Content-Length: ${pieces * piece.length}\r\n\r\n`);
        else if (framing === "chunked") socket.write(`${OK}Transfer-Encoding: chunked\r\n\r\n`);
        else socket.write(`${OK}\r\n`);
        const sendMore = (): void => {
          for (let isTaken = true; isTaken && sentPieces < pieces; sentPieces += 1) {
            if (framing === "chunked") socket.write(`${piece.length.toString(16)}\r\n`);
            isTaken = socket.write(piece);
            if (framing === "chunked") socket.write("\r\n");
          }
          if (sentPieces < pieces) return;
          socket.off("drain", sendMore);
          if (framing === "chunked") socket.write("0\r\n\r\n");
          if (framing === "until close") socket.end();
        };
        socket.on("drain", sendMore);
        sendMore();
      });
      await using client = open(server.url);
      const held = Promise.withResolvers<void>();
      let isPatient = false;
      const told = send(client, {
        isBodyKept: false,
        onData: () => {
          held.resolve();
          if (isPatient) setImmediate(() => told.exchange.resume());
          return false;
        },
      });
      await held.promise;
      // The kernel's buffers fill up; then nothing moves.
      for (let before = -1; before !== sentPieces;) {
        before = sentPieces;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const heldBytes = told.bytes;
      assert.ok(sentPieces < pieces, "the server could send everything");
      assert.ok(heldBytes <= 256 * 1024, `${heldBytes} bytes were told`);
      isPatient = true;
      told.exchange.resume();
      await told.over;
      assert.deepEqual([told.events, told.bytes], [["head 200", "end"], pieces * piece.length]);
    });
  }

  test("what the client holds is not the provider's silence", async () => {
    await using server = await byteServer(({ socket }) => {
      socket.write(`${OK}Content-Length: 2\r\n\r\na`);
      setTimeout(() => socket.write("b"), 1_300);
    });
    await using client = open(server.url, { timeouts: { ...PATIENT, silenceMsMax: 1_000 } });
    const told = send(client, {
      onData: () => {
        if (told.bytes > 1) return true;
        setTimeout(() => told.exchange.resume(), 1_700);
        return false;
      },
    });
    await told.over;
    assert.deepEqual(told.events, ["head 200", "data ab", "end"]);
  });
}

function testClose({ test, open, byteServer }: Suite): void {
  test("closing lets exchanges under way end, and takes no more", async () => {
    const asked = Promise.withResolvers<Asked>();
    await using server = await byteServer((each) => {
      if (each.requestCount === 1) each.socket.write(answerText("ok"));
      else asked.resolve(each);
    });
    const client = open(server.url);
    await send(client).over;
    const told = send(client);
    const { socket } = await asked.promise;
    let isClosed = false;
    const closed = client.close().then(() => (isClosed = true));
    const late = send(client);
    await late.over;
    assert.deepEqual(late.events, ["failed unreachable"]);
    await nextTurn();
    assert.equal(isClosed, false);
    socket.write(answerText("hello"));
    await closed;
    assert.deepEqual(told.events, TOLD_HELLO);
    await closeOf(server.sockets[0]);
  });

  test("closing serves those who wait for a connection", async () => {
    await using server = await byteServer(({ socket }) => {
      setTimeout(() => socket.write(answerText("ok")), 10);
    });
    const client = open(server.url, { connectionsMax: 1 });
    const all = [send(client), send(client), send(client)];
    await client.close();
    for (const { events } of all) assert.deepEqual(events, ["head 200", "data ok", "end"]);
  });

  test("an idle client closes its connections", async () => {
    await using server = await byteServer(({ socket }) => socket.write(answerText("ok")));
    const client = open(server.url);
    await send(client).over;
    await client.close();
    await closeOf(server.sockets[0]);
  });
}

function testTls({ test, open }: Suite): void {
  const certificate = makeCertificate("localhost");
  const expired = makeCertificate("localhost", 0.5);

  test("an exchange over TLS with a trusted certificate", async () => {
    await using server = await tlsByteServer(certificate, ({ socket, body }) => {
      socket.write(answerText(body.toString()));
    });
    const origin = server.url.replace("127.0.0.1", "localhost");
    await using client = open(origin, { ca: certificate.cert });
    for (const body of ["one", "x".repeat(200_000)]) {
      const told = send(client, { call: { ...CALL, body: Buffer.from(body) } });
      await told.over;
      assert.deepEqual(told.events, ["head 200", `data ${body}`, "end"]);
      await nextTurn();
    }
    assert.equal(server.sockets.length, 1);
  });

  for (const [what, shown, ca, host, cause] of [
    ["that nobody vouches for", certificate, undefined, "localhost", "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ["that expired", expired, expired.cert, "localhost", "CERT_HAS_EXPIRED"],
    ["of another host", certificate, certificate.cert, "127.0.0.1", "ERR_TLS_CERT_ALTNAME_INVALID"],
  ] as const) {
    test(`a certificate ${what} is unreachable, and says why`, async () => {
      let asked = 0;
      await using server = await tlsByteServer(shown, () => (asked += 1));
      const origin = server.url.replace("127.0.0.1", host);
      await using client = open(origin, ca === undefined ? {} : { ca });
      const told = send(client);
      await told.over;
      assert.deepEqual(
        [told.events, told.failure?.cause, asked],
        [["failed unreachable"], cause, 0],
      );
    });
  }
}
