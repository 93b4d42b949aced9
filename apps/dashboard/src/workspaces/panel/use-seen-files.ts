/** Which files of a workspace's changes the person has seen, kept on this device. */
import { useState } from "react";
import { keep, kept } from "../../browser/host.ts";
import type { DiffFile } from "./diff-files.ts";
import { parseSeen, seenState, seenText, withSeen, type SeenState } from "./seen-files.ts";

export type SeenMarks = {
  readonly stateOf: (root: string, file: DiffFile) => SeenState;
  readonly mark: (root: string, file: DiffFile, isSeen: boolean) => void;
};

export function useSeenFiles(agentId: string): SeenMarks {
  const name = `seen-files.${agentId}`;
  const [seen, setSeen] = useState(() => parseSeen(kept("device", name)));
  return {
    stateOf: (root, file) => seenState(seen, root, file),
    mark: (root, file, isSeen) => {
      const next = withSeen(seen, { root, file, isSeen });
      keep("device", name, seenText(next));
      setSeen(next);
    },
  };
}
