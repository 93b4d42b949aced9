/** Somebody's own keys with model providers, as people read them. */
import type { UserProviderKey } from "@atelier/contract/http/ai-user-keys";
import type { z } from "zod";
import { faint, orDash, since, table, type Cell, type Look } from "./people.ts";

export function userKeysTable(
  look: Look,
  keys: readonly z.output<typeof UserProviderKey>[],
): string {
  return table(
    look,
    [{ title: "PROVIDER" }, { title: "TYPE" }, { title: "ON" }, { title: "KEY" }, { title: "SET" }],
    keys.map((key): Cell[] => [
      key.provider_name,
      key.provider_type,
      key.provider_enabled ? "yes" : faint("no"),
      orDash(key.masked),
      key.is_set ? since(look, key.updated_at) : orDash(null),
    ]),
  );
}
