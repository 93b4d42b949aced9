/** What people paste on the machine that they want to attach. */
import type { Secret } from "@atelier/base/secret";
import { WORKSPACE_AGENT_FILE_PATH } from "@atelier/contract/http/workspaces";
import { basename } from "node:path";

export type AttachCommand = {
  readonly command: string;
  /** Why it may not work on another machine. */
  readonly warning: string | null;
};

export function attachCommand(accessUrl: string, token: Secret): AttachCommand {
  // Made of characters that shells leave alone. Lists of processes show arguments, but not the environment.
  const server = new URL(accessUrl).href.replace(/\/$/, "");
  const file = basename(WORKSPACE_AGENT_FILE_PATH);
  const download = `curl -fsSL ${server}${WORKSPACE_AGENT_FILE_PATH} -o ${file}`;
  const command = `${download} && ATELIER_AGENT_TOKEN=${token.reveal()} node ${file} --url ${server}`;
  return { command, warning: isLoopback(accessUrl) ? LOOPBACK_WARNING : null };
}

const LOOPBACK_WARNING =
  "This address reaches the server from its own machine only. To attach another machine, set the server's option access-url to an address that it can reach.";

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}
