/** Which tool servers a chat uses: what is offered, what is chosen, and what that makes of another choice. */
import type { McpServer } from "@atelier/contract/http/mcp-servers";

export type ServerChoice = {
  readonly server: McpServer;
  readonly isChosen: boolean;
  /** Every chat has it. */
  readonly isFixed: boolean;
};

/** `chosenIds` null: what administrators preset. */
export function serverChoices(
  servers: readonly McpServer[],
  chosenIds: readonly string[] | null,
): readonly ServerChoice[] {
  const ids = new Set(chosenIds);
  return servers
    .filter(({ enabled }) => enabled)
    .map((server) => {
      const isFixed = server.availability === "force_on";
      const isUsual = server.availability === "default_on";
      const isWanted = chosenIds === null ? isUsual : ids.has(server.id);
      return { server, isFixed, isChosen: isFixed || isWanted };
    });
}

/** The ids of a choice with one server more or less. Fixed ones need not be named. */
export function withServer(
  choices: readonly ServerChoice[],
  serverId: string,
  isChosen: boolean,
): readonly string[] {
  return choices
    .filter((each) => !each.isFixed && (each.server.id === serverId ? isChosen : each.isChosen))
    .map(({ server }) => server.id);
}

/** Null: `wanted` says nothing that is not so already. */
export function changedServers(
  wanted: readonly string[] | null,
  current: readonly string[],
): readonly string[] | null {
  if (wanted === null) return null;
  const isSame =
    wanted.length === new Set(current).size && wanted.every((id) => current.includes(id));
  return isSame ? null : wanted;
}
