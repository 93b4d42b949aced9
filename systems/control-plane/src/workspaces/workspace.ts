/** A workspace and its workspace agents as the system sees them. */
import type { WorkspaceStatus } from "@atelier/contract/http/workspaces";

/** Sent with the id of a workspace whenever what is shown of it has changed. */
export const WORKSPACES_CHANGED = "workspaces_changed";

export type Workspace = {
  readonly id: string;
  readonly name: string;
  readonly kind: "external";
  readonly ownerId: string;
  readonly ownerName: string;
  readonly organizationId: string;
  readonly organizationName: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastUsedAt: Date;
  readonly status: WorkspaceStatus;
  readonly agents: readonly WorkspaceAgent[];
};

export type WorkspaceAgent = MachineFacts & {
  readonly id: string;
  readonly workspaceId: string;
  readonly name: string;
  readonly status: WorkspaceStatus;
  readonly firstConnectedAt: Date | null;
  readonly lastConnectedAt: Date | null;
  readonly disconnectedAt: Date | null;
};

/** What a machine says of itself. */
export type MachineFacts = {
  readonly operatingSystem: string | null;
  readonly architecture: string | null;
  readonly version: string | null;
  readonly directory: string | null;
};

/** A workspace agent that its token let in. */
export type KnownWorkspaceAgent = {
  readonly agentId: string;
  readonly agentName: string;
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly ownerId: string;
  readonly ownerName: string;
  readonly isOwnerSuspended: boolean;
};

/** Of the one workspace agent that an external workspace has. */
export const EXTERNAL_AGENT_NAME = "main";

/** Longer facts of a machine are cut: it may say anything. */
const FACT_LENGTH_MAX = 256;

export function cutFacts(facts: MachineFacts): MachineFacts {
  const cut = (text: string | null): string | null =>
    // Postgres has no such character.
    text === null ? null : text.replaceAll("\u0000", "").slice(0, FACT_LENGTH_MAX);
  const { operatingSystem, architecture, version, directory } = facts;
  return {
    operatingSystem: cut(operatingSystem),
    architecture: cut(architecture),
    version: cut(version),
    directory: cut(directory),
  };
}

/** The fields that the audit log compares. */
export function auditedWorkspace({
  name,
  kind,
  ownerId,
}: Pick<Workspace, "name" | "kind" | "ownerId">) {
  return { name, kind, owner_id: ownerId };
}
