/** A lane: one way from the load driver to the upstream, such as through the gateway or nginx. */
import type { Placement } from "./machine.ts";
import type { Target } from "./load-driver.ts";

export type Upstream = {
  /** Without a slash at its end. */
  readonly origin: string;
  /** What it wants to be asked with. */
  readonly key: string;
  /** Of a TLS upstream: whom to trust. */
  readonly certificateFile: string | null;
};

export type LaneDeps = {
  readonly upstream: Upstream;
  readonly placement: Placement;
  /** Keeps installed programs. */
  readonly directory: string;
};

export type RunningLane = AsyncDisposable & {
  readonly target: Target;
  /** Of the process tree that is measured. Null: there is nothing in between. */
  readonly pid: number | null;
  /** Of programs that say nothing when they listen. */
  hasEnded?(): boolean;
  said?(): string;
};

export type LaneKind = {
  readonly id: string;
  /** In tables. */
  readonly name: string;
  /** Measured unless `--lanes` says otherwise. */
  readonly isUsual: boolean;
  /** Whether it can also be put before a TLS upstream. */
  readonly speaksTls: boolean;
  /** Makes sure that it can be started, and says its version. Throws `LaneMissing`. */
  prepare(directory: string): Promise<string>;
  start(deps: LaneDeps): Promise<RunningLane>;
  /** Only where the first start does more than later ones: starts again what was started once. */
  prepareRestart?(deps: LaneDeps, way: RestartWay): Promise<Restart>;
};

/** Whether the database runs already when the server starts, or is started by it. */
export type RestartWay = "running database" | "own database";

export type Restart = AsyncDisposable & { start(): Promise<RunningLane> };

/** A sentence for the reader: this machine has no such program. */
export class LaneMissing extends Error {}

/** Where a plain proxy and most gateways expect chat completions. */
export const OPENAI_PATH = "/v1/chat/completions";

/** Trusts the certificate of a TLS upstream, in programs that run on Node. */
export function nodeTrust({ certificateFile }: Upstream): Readonly<Record<string, string>> {
  return certificateFile === null ? {} : { NODE_EXTRA_CA_CERTS: certificateFile };
}
