/** One connection to a workspace, as the log keeps it. */
import type { ConnectionType } from "@atelier/contract/http/connection-log";

export type OpenedConnection = {
  readonly id: string;
  readonly connectedAt: Date;
  readonly type: ConnectionType;
  readonly workspaceId: string;
  readonly workspaceName: string;
  readonly ownerId: string;
  readonly ownerName: string;
  readonly agentId: string;
  readonly agentName: string;
  /** Null: the machine itself. */
  readonly user: { readonly id: string; readonly username: string } | null;
  readonly ip: string;
  readonly userAgent: string;
  /** The server that sees its end. */
  readonly replicaId: string;
};

export type LoggedConnection = Omit<OpenedConnection, "replicaId"> & {
  readonly disconnectedAt: Date | null;
  readonly reason: string;
};
