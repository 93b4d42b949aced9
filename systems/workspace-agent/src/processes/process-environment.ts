/** What a started process finds in its environment, and what it must never find there. Pure. */

/** In the environment of every process and so of its descendants: how they are found. */
export const PROCESS_MARKER = "ATELIER_PROCESS_ID";

/** Credentials of the agent itself, whichever way they were given. */
const OF_THE_AGENT = /^(?:ATELIER|CODER)_AGENT_(?:TOKEN|AUTH)/;

export function environmentOf(
  id: string,
  base: Readonly<Record<string, string | undefined>>,
  changes: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...withoutSecrets(base), ...changes })) {
    if (value !== null && value !== undefined) environment[name] = value;
  }
  return { ...environment, [PROCESS_MARKER]: id };
}

function withoutSecrets(
  base: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(base).filter(([name]) => !OF_THE_AGENT.test(name)));
}
