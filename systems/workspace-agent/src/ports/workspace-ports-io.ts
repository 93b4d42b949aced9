/** TCP ports in a workspace (contract, workspace/ports): the port of that name. */
import type { Clock } from "@atelier/base/clock";
import { fail, ok, type Result } from "@atelier/base/result";
import { implement } from "@atelier/contract/rpc/workspace/implement";
import type { WorkspaceFailure } from "@atelier/contract/rpc/workspace/operation";
import {
  PORT_OPERATIONS,
  type ListeningPort,
  type WorkspacePorts,
} from "@atelier/contract/rpc/workspace/ports";
import { dialPort } from "./dial-port-io.ts";
import { PortLister } from "./list-ports-io.ts";
import { shownPorts } from "./shown-ports.ts";

export type PortsOptions = {
  /** Its own ports are not shown. */
  readonly agentPid: number;
  /** As Node names it, such as `linux`. */
  readonly platform: string;
  readonly clock: Clock;
};

const POLL_MS = 1_000;
/** A list that is younger serves everybody who asks. */
const FRESH_MS = 500;
const CHANNELS_MAX = 2_048;
const WATCHES_MAX = 128;

type Ports = Result<{ readonly ports: ListeningPort[] }, WorkspaceFailure>;

export function openPorts({ agentPid, platform, clock }: PortsOptions): WorkspacePorts {
  const lister = new PortLister(platform);
  let latest: { readonly atMs: number; readonly ports: Promise<Ports> } | null = null;
  let channels = 0;
  let watches = 0;

  const look = async (): Promise<Ports> => {
    const ports = await lister.list();
    if (ports !== null) return ok({ ports: shownPorts(ports, agentPid) });
    return fail({ code: "unsupported", message: `Ports cannot be listed on ${platform}.` });
  };
  /** Many who watch cost no more than one. */
  const lookShared = (): Promise<Ports> => {
    const nowMs = clock.monotonicMs();
    if (latest === null || nowMs - latest.atMs > FRESH_MS) latest = { atMs: nowMs, ports: look() };
    return latest.ports;
  };

  return implement(PORT_OPERATIONS, {
    list: look,
    watch: async (_, signal) => {
      if (watches >= WATCHES_MAX) return fail(tooMany("watches of ports"));
      const first = await look();
      return first.ok ? ok(watch(signal)) : first;
    },
    dial: async ({ port }, signal) => {
      if (channels >= CHANNELS_MAX) return fail(tooMany("connections"));
      channels += 1;
      const dialled = await dialPort(port, clock, signal).catch((error: unknown) => {
        channels -= 1;
        throw error;
      });
      if (!dialled.ok) channels -= 1;
      else dialled.value.closed.then(() => (channels -= 1)).catch(() => {});
      return dialled.ok ? ok({ value: {}, channel: dialled.value.channel }) : dialled;
    },
  });

  async function* watch(signal: AbortSignal): AsyncGenerator<{ ports: ListeningPort[] }> {
    watches += 1;
    try {
      for (let told = ""; ;) {
        const found = await lookShared();
        if (!found.ok) return;
        const text = JSON.stringify(found.value);
        if (text !== told) yield found.value;
        told = text;
        await clock.sleep(POLL_MS, signal);
      }
    } finally {
      watches -= 1;
    }
  }
}

function tooMany(what: string): WorkspaceFailure {
  return { code: "busy", message: `The workspace has too many ${what} at once.` };
}
