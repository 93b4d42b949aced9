/** What becomes of dumps when the disk is full, slow, or gone. */
import { systemClock } from "@atelier/base/system-clock";
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { collectLog } from "../relay/log-collector-testkit.ts";
import { DumpFiles, type DumpHandle } from "./dump-files-io.ts";
import { dumpRequest } from "./request-dump-io.ts";

const MIB = 1024 * 1024;

function filesOn(t: TestContext, openFile: (path: string) => Promise<DumpHandle>) {
  const directory = mkdtempSync(join(tmpdir(), "atelier-dump-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const { log, lines } = collectLog();
  const files = new DumpFiles({ directory, log, clock: systemClock, openFile });
  return { files, lines };
}

function memoryFile(gate: Promise<void> = Promise.resolve()) {
  const written: Buffer[] = [];
  const handle: DumpHandle = {
    writeFile: async (bytes) => {
      await gate;
      written.push(Buffer.from(bytes));
    },
    close: () => Promise.resolve(),
  };
  return { handle, text: () => Buffer.concat(written).toString("latin1") };
}

test("a full disk costs the dump, is logged once, and is logged when it is over", async (t) => {
  let isFull = true;
  const { files, lines } = filesOn(t, () =>
    Promise.resolve({
      writeFile: () => {
        const error = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
        return isFull ? Promise.reject(error) : Promise.resolve();
      },
      close: () => Promise.resolve(),
    }),
  );
  const writeOne = async (): Promise<void> => {
    const file = files.create("p/m/x.resp.txt");
    file.write(Buffer.from("one"));
    await file.flushed();
    file.write(Buffer.from("two"));
    file.end();
    await files.close(5_000);
  };
  await writeOne();
  await writeOne();
  isFull = false;
  await writeOne();
  assert.deepEqual(
    lines.map(({ level, message }) => [level, message]),
    [
      ["warn", "writing an api dump failed"],
      ["info", "api dumps are written again"],
    ],
  );
});

test("a disk that hangs holds at most 64 MiB, and the rest of the dump is cut", async (t) => {
  const hang = Promise.withResolvers<void>();
  const { handle, text } = memoryFile(hang.promise);
  const { files } = filesOn(t, () => Promise.resolve(handle));
  const file = files.create("p/m/x.resp.txt");
  for (let i = 0; i < 80; i += 1) file.write(Buffer.alloc(MIB, "x"));
  file.end();
  const other = files.create("p/m/y.req.txt");
  assert.equal(other.keep(MIB), false, "there is no room for more");
  other.end();
  hang.resolve();
  await files.close(5_000);
  assert.match(text(), /x\n\[cut here: the disk is slower than the traffic\]\n$/);
  assert.ok(text().length < 65 * MIB);
  const next = files.create("p/m/z.req.txt");
  assert.equal(next.keep(60 * MIB), true, "the room is free again");
  next.end();
  await files.close(5_000);
});

test("closing waits no longer than it is told", async (t) => {
  const { handle } = memoryFile(new Promise(() => {}));
  const { files, lines } = filesOn(t, () => Promise.resolve(handle));
  files.create("p/m/x.resp.txt").write(Buffer.from("x"));
  await files.close(10);
  assert.deepEqual(
    lines.map(({ message }) => message),
    ["api dumps were not finished"],
  );
});

test("a body of 6 MiB is printed piece by piece, and its length is told before it", async (t) => {
  const { handle, text } = memoryFile();
  const { files } = filesOn(t, () => Promise.resolve(handle));
  const body = Buffer.from(`{"a":[${"12,".repeat(2 * MIB)}1]}`);
  const file = files.create("p/m/x.req.txt");
  await dumpRequest(file, { method: "POST", path: "/x", headers: [], body }, []);
  await files.close(60_000);
  const [head = "", rest = ""] = text().split("\r\n\r\n");
  assert.equal(head, `POST /x HTTP/1.1\r\nContent-Length: ${rest.length - 1}`);
  assert.ok(rest.startsWith('{\n  "a": [\n    12,\n    12,'));
});

test("a body that indents would blow up is written as it is", async (t) => {
  const { handle, text } = memoryFile();
  const { files } = filesOn(t, () => Promise.resolve(handle));
  const body = Buffer.from(`${"[".repeat(30)}${"1,".repeat(100_000)}1${"]".repeat(30)}`);
  const file = files.create("p/m/x.req.txt");
  await dumpRequest(file, { method: "POST", path: "/x", headers: [], body }, []);
  await files.close(60_000);
  assert.ok(text().endsWith(`\r\n\r\n${body.toString()}\n`));
});
