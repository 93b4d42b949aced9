/** What the operations on files share. */
import type { Clock } from "@atelier/base/clock";
import type { Random } from "@atelier/base/random";
import type { PathLocks } from "./path-locks.ts";

export type FilesDeps = {
  readonly homeDirectory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly locks: PathLocks;
  /** True once for each directory: then what crashed writers left in it is looked for. */
  readonly isFirstWriteIn: (directory: string) => boolean;
};
