/** What nobody on Node can go below: relays that do one thing of what the gateway does, and nothing else. */
import type { LaneKind } from "./lane.ts";
import { OPENAI_PATH } from "./lane.ts";
import { pinServer } from "./child-processes.ts";
import { BARE, startScript } from "./our-lanes.ts";

/** Strict recording alone, by the ways of recorded-relay.ts. */
export const RECORDED: readonly LaneKind[] = [
  recorded("bare-insert", "bare proxy, an insert each"),
  recorded("bare-recorder", "bare proxy, our recorder"),
  recorded("raw-recorder", "raw sockets, our recorder"),
];

/** Reading the JSON of requests alone. */
export const RAW_SCAN: LaneKind = {
  ...BARE,
  id: "raw-scan",
  name: "raw sockets, JSON read",
  isUsual: false,
  speaksTls: false,
  start: (deps) =>
    startScript(deps, "scanning-relay.ts", [deps.upstream.origin], {
      path: OPENAI_PATH,
      token: deps.upstream.key,
    }),
};

function recorded(id: string, name: string): LaneKind {
  return {
    ...BARE,
    id,
    name,
    isUsual: false,
    speaksTls: false,
    start: async (deps) => {
      const lane = await startScript(deps, "recorded-relay.ts", [deps.upstream.origin, id], {
        path: OPENAI_PATH,
        token: deps.upstream.key,
      });
      // Its Postgres was started on the gateway's processor.
      if (lane.pid !== null) pinServer(lane.pid, deps.placement);
      return lane;
    },
  };
}
