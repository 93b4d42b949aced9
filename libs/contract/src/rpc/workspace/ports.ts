/** TCP ports in a workspace: which listen, and bytes to and from one. */
import { z } from "zod";
import { operations, type ServiceOf } from "./operation.ts";

export const ListeningPort = z.object({
  port: z.number().int(),
  /** `127.0.0.1`, `0.0.0.0`, `::` … */
  address: z.string(),
  /** Empty where it cannot be seen. */
  processName: z.string(),
  pid: z.number().int().nullable(),
});
export type ListeningPort = z.infer<typeof ListeningPort>;

export const PORT_OPERATIONS = operations({
  /** Sorted by port and address. The agent's own and those below 9 are left out. */
  list: { kind: "call", input: z.object({}), output: z.object({ ports: z.array(ListeningPort) }) },
  /** The list now, and again after each change. */
  watch: {
    kind: "events",
    input: z.object({}),
    output: z.object({ ports: z.array(ListeningPort) }),
  },
  /**
   * Connects to a port on the workspace's loopback: IPv4, or IPv6 where only that listens.
   * `not_found`: nothing listens there.
   */
  dial: {
    kind: "channel",
    input: z.object({ port: z.number().int().min(1).max(65_535) }),
    output: z.object({}),
  },
});

export type WorkspacePorts = ServiceOf<typeof PORT_OPERATIONS>;
