/** When the raw client sends a request again, plain and over TLS: a provider may do once what was asked once. */
import { systemClock } from "@atelier/base/system-clock";
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { openRawUpstream } from "./raw-upstream-io.ts";
import {
  answerText,
  CALL,
  PATIENT,
  PLAIN_WIRE,
  send,
  tlsWire,
  TOLD_NOTHING,
  type Wire,
} from "./upstream-client-testkit.ts";
import type { UpstreamClient } from "./upstream-client.ts";

function open(origin: string, { ca }: Wire): UpstreamClient & AsyncDisposable {
  const trust = ca === undefined ? {} : { ca };
  const client = openRawUpstream({ origin, timeouts: PATIENT, clock: systemClock, ...trust });
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

const REPEATABLE = { ...CALL, isRepeatable: true };

for (const [name, wire] of [
  ["plain", PLAIN_WIRE],
  ["TLS", tlsWire()],
] as const) {
  describe(name, () => {
    for (const [what, giveUp, call] of [
      ["closes", (socket: Socket) => socket.end(), REPEATABLE],
      ["resets", (socket: Socket) => socket.resetAndDestroy(), REPEATABLE],
      ["closes", (socket: Socket) => socket.end(), { ...CALL, method: "GET", body: null }],
    ] as const) {
      test(`a used connection that the server ${what} as a request arrives costs ${call.method} nothing`, async () => {
        await using server = await wire.byteServer(({ socket, connectionCount, requestCount }) => {
          if (connectionCount === 1 && requestCount > 1) giveUp(socket);
          else socket.write(answerText(`from ${connectionCount}`));
        });
        await using client = open(server.url, wire);
        await send(client).over;
        const told = send(client, { call });
        await told.over;
        assert.deepEqual(told.events, ["head 200", "data from 2", "end"]);
      });
    }

    test("a request is sent again once at most", async () => {
      let asked = 0;
      await using server = await wire.byteServer(({ socket, requestCount }) => {
        asked += 1;
        if (requestCount === 1) socket.write(answerText("ok"));
        else socket.destroy();
      });
      await using client = open(server.url, wire);
      await send(client).over;
      const told = send(client, { call: REPEATABLE });
      await told.over;
      assert.deepEqual([told.events, asked], [TOLD_NOTHING, 3]);
    });

    for (const [what, begin, call] of [
      ["a fresh connection closes", null, REPEATABLE],
      ["a byte of the answer came", "H", REPEATABLE],
      ["the server took its time", "", REPEATABLE],
      ["twice could do harm", "gone", CALL],
      ["twice would do harm", "gone", { ...CALL, method: "GET", isRepeatable: false }],
    ] as const) {
      test(`a request is not sent again where ${what}`, async () => {
        let asked = 0;
        await using server = await wire.byteServer(({ socket }) => {
          asked += 1;
          if (begin !== null && asked === 1) socket.write(answerText("ok"));
          else if (begin === "") setTimeout(() => socket.destroy(), 1_200);
          else socket.end(begin === "H" ? begin : "");
        });
        await using client = open(server.url, wire);
        if (begin !== null) await send(client).over;
        const told = send(client, { call });
        await told.over;
        assert.deepEqual([told.events, asked], [TOLD_NOTHING, begin === null ? 1 : 2]);
      });
    }

    test("a cancelled exchange is not sent again", async () => {
      let asked = 0;
      const second = Promise.withResolvers<Socket>();
      await using server = await wire.byteServer(({ socket }) => {
        asked += 1;
        if (asked === 1) socket.write(answerText("ok"));
        else second.resolve(socket);
      });
      await using client = open(server.url, wire);
      await send(client).over;
      const told = send(client, { call: REPEATABLE });
      const socket = await second.promise;
      told.exchange.cancel();
      socket.destroy();
      await nextTurn();
      await nextTurn();
      assert.deepEqual([told.events, asked], [[], 2]);
    });
  });
}
