/** Keeps what chats give it, sealed; opens it for them and for nobody else. */
import type { ChatSecrets } from "@atelier/contract/rpc/chat-ports";
import type { Database, Sql } from "@atelier/database/database";
import { assertMaySeal } from "../vault/encryption-key-actions.ts";
import { sealedAt } from "../vault/sealed-column.ts";
import type { Vault } from "../vault/vault.ts";
import {
  deleteSealedSecret,
  findSealedSecret,
  putSealedSecret,
  SEALED_CHAT_SECRETS,
} from "./chat-secret-store.ts";

export function chatSecrets({
  database,
  vault,
}: {
  readonly database: Database;
  readonly vault: Vault;
}): ChatSecrets {
  const placeOf = (id: string): string => sealedAt(SEALED_CHAT_SECRETS, id);
  return {
    put: async (transaction, id, value) => {
      // Both sides are in this process and use the same database.
      const sql = transaction as Sql;
      await assertMaySeal(sql, vault);
      await putSealedSecret(sql, id, vault.seal(value, placeOf(id)));
    },
    remove: (transaction, id) => deleteSealedSecret(transaction as Sql, id),
    read: async (id) => {
      const sealed = await findSealedSecret(database.sql, id);
      return sealed && vault.open(sealed, placeOf(id));
    },
  };
}
