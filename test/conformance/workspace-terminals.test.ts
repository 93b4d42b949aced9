/**
 * Terminals through links that break: the screen is there again cell by cell, and many at once take no
 * more than their screens. What every implementation of the port does is tested beside the agent's own.
 */
import type { WorkspaceTerminals } from "@atelier/contract/rpc/workspace/terminals";
import { testLink } from "@atelier/tunnel/link-testkit";
import { fakeServices } from "@atelier/tunnel/services-testkit";
import { stateOf } from "@atelier/workspace-agent/terminals/screen-testkit";
import {
  look,
  testTerminals,
  untilAlike,
} from "@atelier/workspace-agent/terminals/terminals-testkit";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const linkTo = (terminals: WorkspaceTerminals) =>
  testLink({ ...fakeServices().services, terminals });

/** Draws as editors do: another screen, a region that scrolls, colours, wide characters, modes. */
const EDITOR = [
  String.raw`printf 'shell line\r\n\033[31mred\033[0m\r\n'`,
  String.raw`printf '\033[?1049h\033[2;8r\033[48;5;24m\033[2J\033[3;5H\033[1;4;38;2;9;8;7m日本 bold\033[m'`,
  String.raw`printf '\033[?1h\033[?2004h\033[?1002h\033[?1006h\033[?25l\033[7;30H'`,
  "stty -echo; read first",
  String.raw`printf '\033[5;2H\033[7mwhile away\033[m\033[8;1H\n\n\033[4;60H'`,
  "read second",
  String.raw`printf '\033[?1049l\033[?25hback in the shell'; read third`,
].join("; ");

test("an editor's screen is there again after the link broke, and the one behind it too", async () => {
  await using terminals = await testTerminals();
  const id = randomUUID();
  const size = { columns: 80, rows: 12 };
  const here = await look(terminals.service, { id, command: EDITOR, ...size });
  await here.until((screen) => screen.includes("日本 bold"));

  await using broken = await linkTo(terminals.service);
  const before = await look(broken.link.services.terminals, { id, ...size });
  await untilAlike(before, here);
  broken.agentSocket.terminate();
  await before.ended;
  assert.notEqual(before.broken, null);

  await here.type("\n");
  await here.until((screen) => screen.includes("while away"));
  await using again = await linkTo(terminals.service);
  const after = await look(again.link.services.terminals, { id, ...size });
  await untilAlike(after, here);
  assert.equal(after.isNew, false);
  assert.equal(after.shown.buffer.active.type, "alternate");
  assert.notDeepEqual(stateOf(before.shown), stateOf(after.shown));
  await after.type("\n");
  await after.until((screen) => screen.includes("back in the shell"));
  await untilAlike(after, here);
  assert.equal(after.shown.buffer.active.type, "normal");
  await after.until((screen) => screen.startsWith("shell line\nred"));
});

const MANY = 100;
/** A screen of 80 columns with all the lines that are kept above it, and everything about it: 2.9 MB measured. */
const BYTES_OF_ONE_MAX = 4 * 1024 * 1024;
const ALL_MS_MAX = 200_000;

test(`${MANY} terminals at once: each is used, found again over another link, and ended`, async () => {
  await using terminals = await testTerminals();
  const size = { columns: 80, rows: 24 };
  const ids = Array.from({ length: MANY }, () => randomUUID());
  const startedMs = performance.now();
  const restBytes = keptBytes();
  await using first = await linkTo(terminals.service);
  const firstService = first.link.services.terminals;
  await Promise.all(
    ids.map(async (id, i) => {
      // Enough to fill what is kept above the screen.
      const command = `seq -f 'line %g of many, one after the other' 1 2100; echo "<${i}>"; cat`;
      const attached = await firstService.attach({ id, ...size, command });
      assert.ok(attached.ok, JSON.stringify(attached));
      const { channel } = attached.value;
      await channel.write(Buffer.from(`typed into ${i}\n`));
      await untilShown(channel.incoming, [`<${i}>`, `typed into ${i}`]);
    }),
  );
  const grownBytes = keptBytes() - restBytes;
  assert.ok(
    grownBytes < MANY * BYTES_OF_ONE_MAX,
    `${MANY} terminals took ${Math.round(grownBytes / 1e6)} MB`,
  );
  first.agentSocket.terminate();
  await first.link.closed;

  await using second = await linkTo(terminals.service);
  const service = second.link.services.terminals;
  const listed = await service.list({});
  assert.deepEqual(
    listed.ok && listed.value.terminals.map(({ id }) => id).toSorted(),
    ids.toSorted(),
  );
  for (const [i, id] of ids.entries()) {
    const found = await look(service, { id, ...size, mayStart: false });
    await found.until((screen) => screen.includes(`<${i}>`) && screen.includes(`typed into ${i}`));
    await found.channel.end();
    assert.ok((await service.close({ id })).ok);
  }
  assert.deepEqual(await service.list({}), { ok: true, value: { terminals: [] } });
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs < ALL_MS_MAX, `${Math.round(tookMs)} ms`);
});

/** What is in use, and not garbage that waits to be collected. */
function keptBytes(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Reads on until these came, one after the other. */
async function untilShown(
  incoming: AsyncIterable<Uint8Array>,
  [first, second]: readonly [string, string],
): Promise<void> {
  let text = "";
  for await (const bytes of incoming) {
    text += Buffer.from(bytes).toString();
    const at = text.indexOf(first);
    if (at !== -1 && text.includes(second, at)) return;
  }
  assert.fail(`${second} was not shown`);
}
