/** What people paste on the machine that they want to attach. */
import type { Secret } from "@atelier/base/secret";

export type AttachCommand = {
  readonly command: string;
  /** Why it may not work on another machine. */
  readonly warning: string | null;
};

export function attachCommand(accessUrl: string, token: Secret): AttachCommand {
  // Both are made of characters that shells leave alone.
  const command = `npx atelier agent --url ${new URL(accessUrl).href.replace(/\/$/, "")} --token ${token.reveal()}`;
  return { command, warning: isLoopback(accessUrl) ? LOOPBACK_WARNING : null };
}

const LOOPBACK_WARNING =
  "This address reaches the server from its own machine only. To attach another machine, set the server's option access-url to an address that it can reach.";

function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}
