/**
 * Takes the middle out of a file to which another process appends: the file keeps its size, so that
 * offsets stay what they are, and gives its blocks back.
 *
 * `fallocate` punches a hole, which loses nothing. Where that does not work (macOS, BusyBox, some
 * file systems), the file is cut short, stretched again, and its tail is put back: what is written in
 * that moment is lost.
 */
import { execFile } from "node:child_process";
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

/** Punches a hole, or says that it cannot. */
export type PunchHole = (path: string, from: number, to: number) => Promise<boolean>;

export class HoleMaker {
  readonly #punch: PunchHole;
  #canPunch = true;

  constructor(punch: PunchHole = punchHole) {
    this.#punch = punch;
  }

  /** `onRewrite` is called in the same step in which bytes behind the hole are put back. */
  async make(path: string, from: number, to: number, onRewrite: () => void): Promise<void> {
    if (this.#canPunch) this.#canPunch = await this.#punch(path, from, to);
    if (this.#canPunch) return;
    rewriteWithHole(path, from, to);
    onRewrite();
  }
}

function punchHole(path: string, from: number, to: number): Promise<boolean> {
  const range = ["--offset", String(from), "--length", String(to - from)];
  return new Promise((resolve) => {
    execFile("fallocate", ["--punch-hole", "--keep-size", ...range, path], (error) =>
      resolve(error === null),
    );
  });
}

/**
 * In one go, so that the process finds little time to write in between: what it writes there lands
 * behind the head, which is left out, or is cut off.
 */
function rewriteWithHole(path: string, from: number, to: number): void {
  const file = openSync(path, "r+");
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.allocUnsafe(size - to);
    const length = readSync(file, tail, 0, tail.length, to);
    ftruncateSync(file, from);
    ftruncateSync(file, size);
    writeSync(file, tail, 0, length, to);
  } finally {
    closeSync(file);
  }
}
