/** What a started process finds in its environment, and what it must never find there. Pure. */

/**
 * In the environment of every process and so of its descendants: how they are found. Its value is where
 * the agent keeps what it knows of the process. The id alone would not do: it is made of what the caller
 * stamps, and agents of other workspaces on the same machine may be given the same.
 */
export const PROCESS_MARKER = "ATELIER_PROCESS_STATE";
/** For whoever reads its own. */
const PROCESS_ID = "ATELIER_PROCESS_ID";

/** Credentials of the agent itself, whichever way they were given. */
const OF_THE_AGENT = /^(?:ATELIER|CODER)_AGENT_(?:TOKEN|AUTH)/;

export function environmentOf(
  { id, directory }: { readonly id: string; readonly directory: string },
  base: Readonly<Record<string, string | undefined>>,
  changes: Readonly<Record<string, string | null>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...withoutSecrets(base), ...changes })) {
    if (value !== null && value !== undefined) environment[name] = value;
  }
  return { ...environment, [PROCESS_ID]: id, [PROCESS_MARKER]: directory };
}

function withoutSecrets(
  base: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(base).filter(([name]) => !OF_THE_AGENT.test(name)));
}
