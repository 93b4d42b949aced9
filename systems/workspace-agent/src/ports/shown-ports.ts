/** Which listening ports people see, and in which order. */
import type { ListeningPort } from "@atelier/contract/rpc/workspace/ports";

/** Below are echo and discard of old, which nobody means. */
const PORT_MIN = 9;

export function shownPorts(ports: readonly ListeningPort[], agentPid: number): ListeningPort[] {
  const once = new Map<string, ListeningPort>();
  for (const each of ports) {
    if (each.port < PORT_MIN || each.pid === agentPid) continue;
    const key = `${each.port} ${each.address}`;
    // Several processes may share one; the first that can be seen stands for them.
    if (!once.has(key)) once.set(key, each);
  }
  return [...once.values()].toSorted((a, b) => {
    if (a.port !== b.port) return a.port - b.port;
    return a.address < b.address ? -1 : 1;
  });
}
