/** Which terminal of a workspace a browser's tab looks at: kept with it, so that a reload comes back to what runs. */
import { systemRandom } from "@atelier/base/system-random";
import { keep, kept } from "../browser/host.ts";

/** The one of before, else a new one. */
export function terminalIdOf(agentId: string): string {
  return kept("tab", nameOf(agentId)) ?? anotherTerminalId(agentId);
}

export function anotherTerminalId(agentId: string): string {
  const id = systemRandom.uuid();
  keepTerminalId(agentId, id);
  return id;
}

export function keepTerminalId(agentId: string, terminalId: string): void {
  keep("tab", nameOf(agentId), terminalId);
}

function nameOf(agentId: string): string {
  return `terminal.${agentId}`;
}
