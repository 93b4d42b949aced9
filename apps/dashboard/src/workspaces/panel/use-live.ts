/** What the server tells of a workspace as it happens, in components. */
import { systemClock } from "@atelier/base/system-clock";
import { requestPath } from "@atelier/contract/client";
import type { UserSocketEndpoint } from "@atelier/contract/socket-endpoint";
import { useEffect, useRef, useState } from "react";
import type { z } from "zod";
import { openSocket } from "../../browser/host.ts";
import { LiveLink, type LiveSocket, type LiveState } from "./live-link.ts";

type Parts = {
  readonly params: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number>>;
};

/** The newest that was told. It stays while the connection is away. */
export function useLive<Schema extends z.ZodType>(
  endpoint: UserSocketEndpoint,
  { params, query = {} }: Parts,
  schema: Schema,
): { readonly data: z.output<Schema> | null; readonly state: LiveState } {
  const [data, setData] = useState<z.output<Schema> | null>(null);
  const state = useLiveEvents(pathOf(endpoint, { params, query }), {
    onData: (told) => {
      const parsed = schema.safeParse(told);
      if (parsed.success) setData(parsed.data); // Else it is of a newer server.
    },
  });
  return { data, state };
}

type Listener = {
  readonly onData: (data: unknown) => void;
  /** For the connection after one that broke, where that has to ask for something else. */
  readonly pathAgain?: () => string;
};

/** Each event, as it comes. Another path begins anew. */
export function useLiveEvents(path: string, listener: Listener): LiveState {
  const [state, setState] = useState<LiveState>({ kind: "connecting" });
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => {
    const link = new LiveLink({
      clock: systemClock,
      // Its handlers take more than ours do: that is all the types differ in.
      open: () => openSocket(latest.current.pathAgain?.() ?? path) as LiveSocket,
      onData: (told) => latest.current.onData(told),
      onState: setState,
    });
    return () => link.close();
  }, [path]);
  return state;
}

export function pathOf({ path }: UserSocketEndpoint, { params, query = {} }: Parts): string {
  const filled = requestPath(path, params, query);
  if (filled === null) throw new Error("ids are no empty texts");
  return filled;
}
