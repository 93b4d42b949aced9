/** What the holder of workspace agents' links tells and asks the database. */
import type { KnownWorkspaceAgent, MachineFacts } from "../workspaces/workspace.ts";

/** One connection of a workspace agent to this server. */
export type HeldConnection = {
  readonly agent: KnownWorkspaceAgent;
  readonly connectionId: string;
  /** Of the token that it came with. */
  readonly hashedToken: Uint8Array;
};

export interface LinkRegistry {
  /** Writes down that this server holds it, instead of any other. False: its token is void by now. */
  claim(held: HeldConnection): Promise<boolean>;
  /** The same, unless somebody holds the agent: for rows that were lost. */
  reclaim(held: HeldConnection): Promise<void>;
  /** It is over. */
  release(held: { readonly agentId: string; readonly connectionId: string }): Promise<void>;
  /** Whether the agent may still be here. */
  standing(held: HeldConnection): Promise<"holds" | "replaced" | "refused">;
  saveFacts(held: HeldConnection, facts: MachineFacts): Promise<void>;
}

/** Where an agent is connected. */
export type Holder = {
  readonly replicaId: string;
  /** Null: that server does not say where it is reached. */
  readonly relayUrl: string | null;
  readonly connectionId: string;
};
