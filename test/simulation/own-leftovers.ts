/**
 * What a simulation would leave behind when it is killed: directories of servers and machines, and the
 * programs that it has started. All of them lie in, or carry the name of, one directory of this run alone; a
 * program that waits for the end of the run, however it comes, kills those and deletes it. What is of
 * another run, or of nobody that is known, it leaves alone.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What programs inherit, and make their directories in. */
const VARIABLE = "TMPDIR";

/**
 * Its standard input is a lifeline. Programs are told by what they were started with, which Linux shows: what
 * was started by them is among them, also where it has a session of its own. Elsewhere only the directory goes.
 */
const WATCHDOG = `trap '' INT TERM HUP
cat >/dev/null
rounds=0
while [ $rounds -lt 50 ]; do
  found=$(grep -lF "$NAME=$DIRECTORY" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3)
  [ -z "$found" ] && break
  kill -KILL $found 2>/dev/null
  rounds=$((rounds + 1))
  sleep 0.1
done
rm -rf "$DIRECTORY"`;

/** From now on this process makes its directories there. Disposed: all is gone, also what still runs. */
export function keepTogether(): AsyncDisposable & { readonly directory: string } {
  const before = process.env[VARIABLE];
  const directory = mkdtempSync(join(tmpdir(), "atelier-run-"));
  const watchdog = spawn("sh", ["-c", WATCHDOG], {
    // Without the variable: it does not mean itself.
    env: { PATH: process.env["PATH"], NAME: VARIABLE, DIRECTORY: directory },
    // A session of its own: Ctrl-C is for the run, whose end it waits for.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const exited = once(watchdog, "exit");
  process.env[VARIABLE] = directory;
  return {
    directory,
    [Symbol.asyncDispose]: async () => {
      if (before === undefined) delete process.env[VARIABLE];
      else process.env[VARIABLE] = before;
      watchdog.stdin.end();
      await exited;
    },
  };
}
