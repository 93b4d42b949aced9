import { silentLogger } from "@atelier/base/logger";
import { fail, ok } from "@atelier/base/result";
import { systemClock } from "@atelier/base/system-clock";
import { FakeClock } from "@atelier/testkit/fake-clock";
import { testLink } from "@atelier/tunnel/link-testkit";
import { fakeServices } from "@atelier/tunnel/services-testkit";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { feed, stateOf } from "./screen-testkit.ts";
import type { Pty, PtyExit, StartPty } from "./pty-io.ts";
import { EXITED_KEPT_MS, TERMINALS_MAX, VIEWERS_MAX } from "./terminals-io.ts";
import {
  look,
  screenOf,
  SIZE,
  testTerminals,
  testTerminalsConformance,
  untilAlike,
  type Look,
} from "./terminals-testkit.ts";
import { BEHIND_BYTES_MAX } from "./viewer.ts";

testTerminalsConformance("in process", () => testTerminals());
testTerminalsConformance("through a link", async () => {
  const terminals = await testTerminals();
  const link = await testLink({ ...fakeServices().services, terminals: terminals.service });
  return {
    service: link.link.services.terminals,
    [Symbol.asyncDispose]: async () => {
      await link[Symbol.asyncDispose]();
      await terminals[Symbol.asyncDispose]();
    },
  };
});

/** What somebody sees who comes now is what somebody sees who was there from the beginning. */
async function assertRestored(service: Parameters<typeof look>[0], id: string, live: Look) {
  const late = await look(service, { id, columns: live.shown.cols, rows: live.shown.rows });
  await late.until(() => late.text !== "");
  await untilAlike(late, live);
  return late;
}

const PROGRAMS: readonly {
  readonly name: string;
  readonly file: string;
  readonly command: string;
  readonly keys: string;
  readonly shows: RegExp;
  readonly next: string;
  readonly nextShows: RegExp;
}[] = [
  {
    name: "vi",
    file: "/usr/bin/vi",
    command: "vi -u NONE",
    keys: "ihällo wörld 日本語\u001b",
    shows: /hällo wörld 日本語[^]*~/,
    next: "o second\u001b",
    nextShows: /second/,
  },
  {
    name: "less",
    file: "/usr/bin/less",
    command: "seq 1 500 | less",
    keys: "  ",
    shows: /27\n28/,
    next: "G",
    nextShows: /500/,
  },
  {
    name: "top",
    file: "/usr/bin/top",
    command: "top -d 600",
    keys: "",
    shows: /PID USER/,
    next: "h",
    nextShows: /help with Windows/,
  },
];

for (const program of PROGRAMS) {
  const skip = existsSync(program.file) ? false : `${program.file} is not installed`;
  test(`${program.name} is restored cell by cell, and goes on`, { skip }, async () => {
    await using terminals = await testTerminals();
    const id = randomUUID();
    const size = { columns: 90, rows: 14 };
    const live = await look(terminals.service, { id, command: program.command, ...size });
    await live.until((screen) => screen !== "");
    await live.type(program.keys);
    await live.until((screen) => program.shows.test(screen));
    const late = await assertRestored(terminals.service, id, live);
    await late.type(program.next);
    await late.until((screen) => program.nextShows.test(screen));
    await live.until((screen) => program.nextShows.test(screen));
    await untilAlike(late, live);
  });
}

test("a screen with everything on it is restored, and is left to the one behind it", async () => {
  await using terminals = await testTerminals();
  const id = randomUUID();
  const draw =
    "printf 'before\\r\\n\\033[?1049h\\033[2;4r\\033[44m\\033[2J\\033[3;5H\\033[1;38;2;1;2;3mbold\\033[?1h\\033[?2004h\\033[?1002h\\033[?1006h\\033[?25l\\033]2;a title\\007\\033(0lqk'";
  const live = await look(terminals.service, {
    id,
    command: `stty -echo; ${draw}; read x; printf '\\033[?1049lafter'; read x`,
  });
  await live.until((screen) => screen.includes("┌─┐"));
  const late = await assertRestored(terminals.service, id, live);
  const info = await terminals.service.get({ id });
  assert.equal(info.ok && info.value.title, "a title");
  await late.type("\n");
  await late.until((screen) => screen.startsWith("before\n"));
  await untilAlike(late, live);
});

test("whoever comes while output runs misses nothing and gets nothing twice", async () => {
  await using terminals = await testTerminals();
  const id = randomUUID();
  const first = await look(terminals.service, {
    id,
    command: "read x; seq 1 20000; echo done; cat",
  });
  await first.type("\n");
  const others: Look[] = [];
  for (let i = 0; i < 10; i += 1) {
    others.push(await look(terminals.service, { id }));
    await others.at(-1)?.until(() => true);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const isDone = (screen: string): boolean => screen.includes("done");
  await first.until(isDone);
  for (const other of others) {
    await untilAlike(other, first);
  }
});

test("characters and sequences that are cut anywhere arrive whole", async () => {
  await using terminals = await testTerminals();
  const id = randomUUID();
  const bytes = ["日", "é", "🙂", "\u001b[31m"].flatMap((text) => [...Buffer.from(text)]);
  const slowly = bytes.map((byte) => `printf '\\${byte.toString(8)}'; sleep 0.01`).join("; ");
  const live = await look(terminals.service, { id, command: `${slowly}; printf red; cat` });
  // Look() decodes each chunk on its own, and fails where one holds half a character.
  const looks = await Promise.all(Array.from({ length: 5 }, () => look(terminals.service, { id })));
  for (const each of [live, ...looks]) {
    await each.until((screen) => screen.endsWith("red"));
    assert.equal(each.broken, null);
    await untilAlike(each, live);
  }
});

test("a program's questions are answered once, however many look", async () => {
  await using terminals = await testTerminals();
  const id = randomUUID();
  // Both answers however late they come, and then whatever else comes within a second.
  const ask = [
    "stty -echo -icanon; echo ready; sleep 0.3; printf '\\033[5n\\033[6n'; head -c 10 | cat -v",
    "stty min 0 time 10; cat -v; echo .",
  ].join("; ");
  const looks = [
    await look(terminals.service, { id, command: ask }),
    await look(terminals.service, { id }),
    await look(terminals.service, { id }),
  ];
  // Terminals that answer, as all do.
  for (const each of looks) each.shown.onData((answer) => each.type(answer));
  const [first] = looks;
  await first?.until((screen) => screen.endsWith("."));
  assert.equal(first && screenOf(first.shown), "ready\n^[[0n^[[2;1R.");
});

test("a viewer that does not read holds up nobody, and gets the screen as it is", async () => {
  await using terminals = await testTerminals();
  const id = randomUUID();
  const live = await look(terminals.service, {
    id,
    command: `read x; head -c ${4 * BEHIND_BYTES_MAX} /dev/zero | tr '\\0' 'a'; printf '\\r\\nend'; cat`,
  });
  const slow = await terminals.service.attach({ id, ...SIZE });
  assert.ok(slow.ok);
  const chunks = slow.value.channel.incoming[Symbol.asyncIterator]();
  const first = await chunks.next();
  await live.type("\n");
  await live.until((screen) => screen.endsWith("end"));
  const { shown } = live;
  const late = (await chunks.next()).value as Uint8Array;
  assert.ok(late.byteLength < BEHIND_BYTES_MAX, "it got the screen, and not all it had missed");
  const restored = (await look(terminals.service, { id })).shown;
  feed(restored, first.value as Uint8Array);
  feed(restored, late);
  assert.deepEqual(stateOf(restored), stateOf(shown));
});

test("a link that breaks leaves the terminal, and the next link finds it", async () => {
  await using terminals = await testTerminals();
  const services = { ...fakeServices().services, terminals: terminals.service };
  const id = randomUUID();
  {
    await using broken = await testLink(services);
    const one = await look(broken.link.services.terminals, { id, command: "cat" });
    await one.type("before\n");
    await one.until((screen) => screen === "before\nbefore");
    broken.agentSocket.terminate();
    await one.ended;
    assert.notEqual(one.broken, null);
  }
  await using link = await testLink(services);
  const again = await look(link.link.services.terminals, { id });
  assert.equal(again.isNew, false);
  await again.type("after\n");
  await again.until((screen) => screen === "before\nbefore\nafter\nafter");
  const info = await terminals.service.get({ id });
  assert.equal(info.ok && info.value.viewers, 1);
});

test("closing ends the whole session, also what ignores being asked", async () => {
  await using terminals = await testTerminals();
  const id = randomUUID();
  const one = await look(terminals.service, {
    id,
    command: "trap '' HUP TERM; sleep 1000 & echo $! $$; wait",
  });
  await one.until((screen) => /\d+ \d+/.test(screen));
  const pids = screenOf(one.shown).split(" ").map(Number);
  assert.ok(pids.every(isAlive));
  await terminals.service.close({ id });
  assert.deepEqual(pids.filter(isAlive), []);
});

test("with the agent, its terminals end", async () => {
  const terminals = await testTerminals();
  const one = await look(terminals.service, { command: "echo $$; cat" });
  await one.until((screen) => /\d/.test(screen));
  const pid = Number(screenOf(one.shown));
  await terminals[Symbol.asyncDispose]();
  assert.equal(isAlive(pid), false);
});

test("a program that does not read what is typed blocks nobody", async () => {
  await using terminals = await testTerminals();
  const one = await look(terminals.service, {
    command: "stty raw -echo; echo ready; exec sleep 1000",
  });
  await one.until((screen) => screen.includes("ready"));
  const pasted = one.type("x".repeat(900_000));
  const outcomes: string[] = [];
  const typing = pasted.then(() => outcomes.push("typed"));
  const other = await look(terminals.service, { command: "echo alive; cat" });
  await other.until((screen) => screen.includes("alive"));
  assert.deepEqual(outcomes, []);
  await assert.rejects(one.type("x".repeat(200_000)), /does not read/);
  await terminals[Symbol.asyncDispose]();
  await typing;
});

test("what is pasted arrives whole", async () => {
  await using terminals = await testTerminals();
  const one = await look(terminals.service, {
    command: "stty raw -echo; echo ready; head -c 500000 | cksum",
  });
  await one.until((screen) => screen.includes("ready"));
  const bytes = Buffer.alloc(500_000, "0123456789abcde\n");
  await one.channel.write(bytes);
  await one.ended;
  assert.match(screenOf(one.shown), /\d+ 500000/);
});

test("programs get the user's shell, the workspace's directory and no more than they should", async () => {
  await using terminals = await testTerminals({ workspaceDirectory: "/usr" });
  const one = await look(terminals.service, {
    columns: 200,
    rows: 50,
    command: 'echo "$TERM $COLORTERM $SHELL $PWD $EXTRA"; env | wc -l',
    environment: { EXTRA: "extra" },
  });
  await one.ended;
  assert.match(screenOf(one.shown), /^xterm-256color truecolor \/bin\/sh \/usr extra\n/);
  await using away = await testTerminals({ workspaceDirectory: "/not/there/yet" });
  const two = await look(away.service, { command: "pwd" });
  await two.ended;
  assert.equal(screenOf(two.shown), "/tmp");
});

test("the login shell is one, and a shell that is not there is replaced", async () => {
  await using terminals = await testTerminals({ shell: "/no/such/shell" });
  const one = await look(terminals.service);
  await one.until((screen) => screen !== "");
  await one.type("tr '\\0' ' ' < /proc/$$/cmdline; echo\n");
  await one.until((screen) => screen.includes("/bin/sh -l"));
});

test("without the native part everything is answered, and says what to do", async () => {
  const failure = { code: "unsupported" as const, message: "Install it." };
  await using terminals = await testTerminals({ loadPtys: async () => fail(failure) });
  assert.equal(terminals.isAvailable, false);
  const id = randomUUID();
  assert.deepEqual(await terminals.service.attach({ id, ...SIZE }), { ok: false, failure });
  assert.deepEqual(await terminals.service.get({ id }), { ok: false, failure });
  assert.deepEqual(await terminals.service.list({}), { ok: true, value: { terminals: [] } });
});

test("the ended are kept for a while, and then forgotten", async () => {
  const clock = new FakeClock();
  await using terminals = await testTerminals({ clock });
  const id = randomUUID();
  await (
    await look(terminals.service, { id, command: "true" })
  ).ended;
  await clock.advance(EXITED_KEPT_MS - 10_000);
  assert.ok((await terminals.service.get({ id })).ok);
  await clock.advance(20_000);
  assert.equal((await terminals.service.get({ id })).ok, false);
});

test("a terminal that nobody uses is ended where that is wished", async () => {
  // Real time: what ends a session waits for it.
  await using terminals = await testTerminals({ idleTimeoutMs: 1 });
  const id = randomUUID();
  const one = await look(terminals.service, { id, command: "echo $$; cat" });
  await one.until((screen) => /\d/.test(screen));
  const pid = Number(screenOf(one.shown));
  await one.channel.end();
  while (isAlive(pid)) await systemClock.sleep(20, new AbortController().signal);
});

test("200 terminals at once, each with its own output", async () => {
  await using terminals = await testTerminals({ log: silentLogger });
  const startedMs = performance.now();
  const looks = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      look(terminals.service, { command: `echo terminal ${i}; exec cat` }),
    ),
  );
  await Promise.all(looks.map((each, i) => each.until((screen) => screen === `terminal ${i}`)));
  await Promise.all(looks.map((each) => each.type("typed\n")));
  await Promise.all(looks.map((each) => each.until((screen) => screen.endsWith("typed\ntyped"))));
  console.log(
    `200 terminals: ${Math.round(performance.now() - startedMs)} ms, ${Math.round(process.memoryUsage().rss / 1e6)} MB`,
  );
});

/** Neither ended nor waiting to be asked for its end. */
function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test("terminals and their viewers have a limit, and room again when one has ended", async () => {
  const running: { onExit(exit: PtyExit): void }[] = [];
  const start: StartPty = (_options, events) => {
    running.push(events);
    const exit = (): void => events.onExit({ exitCode: 0, signal: null });
    // Only what a terminal calls on it.
    return {
      pid: 1,
      write: async () => {},
      resize: () => {},
      kill: async () => exit(),
    } as unknown as Pty;
  };
  await using terminals = await testTerminals({ loadPtys: async () => ok(start) });
  const attach = (id: string) => terminals.service.attach({ id, ...SIZE });
  // By itself, so that it is the first that runs.
  assert.ok((await attach(randomUUID())).ok);
  const ids = Array.from({ length: TERMINALS_MAX - 1 }, () => randomUUID());
  for (const attached of await Promise.all(ids.map(attach))) assert.ok(attached.ok);
  const refused = await attach(randomUUID());
  assert.equal(!refused.ok && refused.failure.code, "busy");
  running[0]?.onExit({ exitCode: 0, signal: null });
  assert.ok((await attach(randomUUID())).ok);
  const [viewed = ""] = ids;
  for (let i = 1; i < VIEWERS_MAX; i += 1) assert.ok((await attach(viewed)).ok);
  const full = await attach(viewed);
  assert.equal(!full.ok && full.failure.code, "busy");
});

test("two who attach at once to a terminal that is not there share one", async () => {
  await using terminals = await testTerminals();
  const id = randomUUID();
  const both = await Promise.all([
    look(terminals.service, { id, command: "cat" }),
    look(terminals.service, { id, command: "cat" }),
  ]);
  assert.deepEqual(
    both.map(({ isNew }) => isNew),
    [true, false],
  );
  await both[0].type("x\n");
  for (const each of both) await each.until((screen) => screen === "x\nx");
});
