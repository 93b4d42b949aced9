/** Keys of providers over several workers: their limits, their checks, and what other servers hear of them. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { startWorkerWorld, until } from "./worker-world-testkit.ts";

const NOTHING_HELD = Promise.resolve();

/** An upstream that answers when the test says so, and counts what it was asked at once. */
function heldUpstream() {
  const held: ServerResponse[] = [];
  const counts = { underWay: 0, most: 0, asked: 0 };
  return {
    held,
    counts,
    answer: (_: unknown, res: ServerResponse): boolean => {
      held.push(res);
      counts.asked += 1;
      counts.underWay += 1;
      counts.most = Math.max(counts.most, counts.underWay);
      res.on("close", () => (counts.underWay -= 1));
      return true;
    },
    /** Resolves when it has answered the oldest. */
    answerOne: async (): Promise<void> => {
      await until(() => held.length > 0);
      held.shift()?.writeHead(200, { "content-type": "application/json" }).end("{}");
    },
  };
}

test("a key's limit of requests at once holds over the workers, and all who wait are served", async () => {
  const upstream = heldUpstream();
  const { counts } = upstream;
  const limited = { answer: upstream.answer, keyConcurrencyMax: 3 };
  await using world = await startWorkerWorld([], NOTHING_HELD, null, limited);
  const asked = Array.from({ length: 24 }, () => world.ask());
  await until(() => world.health.waitingOf("p") === 21);
  await until(() => counts.asked === 3);
  assert.equal(world.health.keysOf("p")[0]?.underWay, 3);
  for (let served = 0; served < 24; served += 1) {
    await upstream.answerOne();
  }
  assert.deepEqual(await Promise.all(asked), Array(24).fill(200));
  assert.equal(counts.most, 3);
  await until(() => world.health.keysOf("p")[0]?.underWay === 0);
});

test("the queue is one for all workers: when it is full, requests of either are refused", async () => {
  const upstream = heldUpstream();
  const limited = { answer: upstream.answer, keyConcurrencyMax: 1 };
  const queue = ["--ai-gateway-key-queue-size", "4"];
  await using world = await startWorkerWorld(queue, NOTHING_HELD, null, limited);
  const asked = Array.from({ length: 5 }, () => world.ask());
  await until(() => world.health.waitingOf("p") === 4);
  const refused = await Promise.all(Array.from({ length: 8 }, () => world.ask()));
  assert.deepEqual(refused, Array(8).fill(429));
  for (let served = 0; served < 5; served += 1) {
    await upstream.answerOne();
  }
  assert.deepEqual(await Promise.all(asked), Array(5).fill(200));
});

test("slots and places of a worker that dies go to those who wait in the other", async () => {
  const upstream = heldUpstream();
  const limited = { answer: upstream.answer, keyConcurrencyMax: 6 };
  await using world = await startWorkerWorld([], NOTHING_HELD, null, limited);
  const asked = Array.from({ length: 24 }, () => world.ask());
  await until(() => world.health.waitingOf("p") === 18);
  world.kill({ member: 1, how: "exit" });
  await until(() => world.workers.running === 1);
  let isOver = false;
  const answers = (async () => {
    while (!isOver) {
      upstream.held.shift()?.writeHead(200, { "content-type": "application/json" }).end("{}");
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  const statuses = await Promise.all(asked);
  isOver = true;
  await answers;
  const broken = statuses.filter((status) => status === 0).length;
  assert.ok(broken > 0 && broken < 24, "the kernel gave both workers some");
  assert.equal(statuses.filter((status) => status === 200).length, 24 - broken);
  await until(() => world.health.keysOf("p")[0]?.underWay === 0);
  assert.equal(world.health.waitingOf("p"), 0);
});

test("a client that leaves while it waits leaves no slot behind, whichever worker it asked", async () => {
  const upstream = heldUpstream();
  const limited = { answer: upstream.answer, keyConcurrencyMax: 1 };
  await using world = await startWorkerWorld([], NOTHING_HELD, null, limited);
  const leave = new AbortController();
  const first = world.ask();
  await until(() => world.health.keysOf("p")[0]?.underWay === 1);
  const left = Array.from({ length: 10 }, () => world.ask("", "up", leave.signal));
  await until(() => world.health.waitingOf("p") === 10);
  leave.abort();
  assert.deepEqual(await Promise.all(left), Array(10).fill(0));
  await until(() => world.health.waitingOf("p") === 0);
  await upstream.answerOne();
  assert.equal(await first, 200);
  await until(() => world.health.keysOf("p")[0]?.underWay === 0);
});

test("a refused key is told to the other servers once, checked once, and serves in every worker again", async () => {
  const upstream = { isRefusing: true, checks: 0, refusals: 0 };
  const isGoodAgain = Promise.withResolvers<void>();
  const answer = ({ method }: { method?: string | undefined }, res: ServerResponse): boolean => {
    if (method === "GET") {
      upstream.checks += 1;
      // Not before all have asked, however long that takes: a key that is checked would serve again.
      isGoodAgain.promise.then(
        () => res.writeHead(200, { "content-type": "application/json" }).end('{"data":[]}'),
        assert.fail,
      );
      return true;
    }
    if (!upstream.isRefusing) return false;
    upstream.refusals += 1;
    res.writeHead(401, { "content-type": "application/json" }).end("{}");
    return true;
  };
  const args = ["--ai-gateway-key-recheck", "1s"];
  await using world = await startWorkerWorld(args, NOTHING_HELD, null, { answer });
  // What another request says of the key while it is checked would stand: so one comes first.
  const refused = [await world.ask()];
  refused.push(...(await Promise.all(Array.from({ length: 16 }, () => world.ask()))));
  assert.equal(upstream.refusals, 1);
  assert.ok(refused.every((status) => status !== 200));
  assert.equal(world.health.keysOf("p")[0]?.state, "temporary");
  upstream.isRefusing = false;
  isGoodAgain.resolve();
  await until(() => world.health.keysOf("p")[0]?.state === "valid");
  const served = await Promise.all(Array.from({ length: 16 }, () => world.ask()));
  assert.deepEqual(served, Array(16).fill(200));
  assert.equal(upstream.checks, 1);
  assert.ok(world.health.keysOf("p")[0]?.lastCheckedAt instanceof Date);
  assert.deepEqual(
    world.told.map(({ kind }) => kind),
    ["key_out", "key_back"],
  );
});

test("a circuit breaker that opens is told to the other servers once", async () => {
  const answer = (_: unknown, res: ServerResponse): boolean => {
    res.writeHead(503, { "content-type": "application/json" }).end("{}");
    return true;
  };
  const args = ["--ai-gateway-circuit-breaker-enabled"];
  await using world = await startWorkerWorld(args, NOTHING_HELD, null, { answer });
  await Promise.all(Array.from({ length: 30 }, () => world.ask()));
  await until(() => world.told.length > 0);
  assert.deepEqual(
    world.told.map(({ kind }) => kind),
    ["breaker_opened"],
  );
  assert.equal(world.health.breakersOf("p").length, 1);
});
