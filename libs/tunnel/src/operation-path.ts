/** Which operation a stream asks for: `/v1/<service>/<operation>`. */
import type { Operation, Operations } from "@atelier/contract/rpc/workspace/operation";
import {
  LINK_PROTOCOL_VERSION,
  WORKSPACE_SERVICES,
  type WorkspaceServices,
} from "@atelier/contract/rpc/workspace/services";

export type OperationName = {
  readonly service: keyof WorkspaceServices;
  readonly operation: string;
  readonly definition: Operation;
};

const PREFIX = `/v${LINK_PROTOCOL_VERSION.major}/`;

export function pathOf(service: string, operation: string): string {
  return `${PREFIX}${service}/${operation}`;
}

/** Null: this version knows no such operation. */
export function parseOperationPath(path: string): OperationName | null {
  if (!path.startsWith(PREFIX)) return null;
  const [service, operation, ...rest] = path.slice(PREFIX.length).split("/");
  if (service === undefined || operation === undefined || rest.length > 0) return null;
  if (!Object.hasOwn(WORKSPACE_SERVICES, service)) return null;
  const name = service as keyof WorkspaceServices;
  const table: Operations = WORKSPACE_SERVICES[name];
  const definition = Object.hasOwn(table, operation) ? table[operation] : undefined;
  return definition === undefined ? null : { service: name, operation, definition };
}
