/** What both sides of a link say before it opens, and as it is closed. */
import { LINK_PROTOCOL_VERSION } from "@atelier/contract/rpc/workspace/services";

/** `<major>.<minor>` of the link's protocol, sent by the side that dials. */
export const VERSION_HEADER = "x-atelier-link-version";

/** The same workspace agent has a newer connection. */
export const CLOSE_REPLACED = 4409;

/** Null: this side can speak with it. Else what to tell people on the other side. */
export function refuseLinkVersion(header: string | undefined): string | null {
  const { major, minor } = LINK_PROTOCOL_VERSION;
  const named = /^(\d{1,6})\.(\d{1,6})$/.exec(header ?? "");
  if (named !== null && Number(named[1]) === major) return null;
  const theirs = named === null ? "none that is known" : `${named[1]}.${named[2]}`;
  return `This server speaks version ${major}.${minor} of the workspace link and the workspace agent speaks ${theirs}: update the older of the two.`;
}
