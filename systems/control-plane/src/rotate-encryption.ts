/**
 * The rotation of the deployment's encryption keys, over all rooms that keep sealed values. A new
 * column of that kind is added to the list here.
 */
import type { Clock } from "@atelier/base/clock";
import type { Result } from "@atelier/base/result";
import type { Database } from "@atelier/database/database";
import {
  SEALED_PROVIDER_KEYS,
  SEALED_PROVIDER_SETTINGS,
} from "./ai-providers/model-provider-store.ts";
import { SEALED_CHAT_SECRETS } from "./chat-secrets/chat-secret-store.ts";
import { SEALED_USER_PROVIDER_KEYS } from "./ai-user-keys/user-provider-key-store.ts";
import {
  rotateEncryption,
  type RotationKeys,
  type RotationProgress,
  type RotationReport,
} from "./vault/encryption-key-actions.ts";

/**
 * Puts every sealed value under the new key and takes the other keys out of service, while servers
 * that have all of the keys go on. Repeat it when it was stopped. Failures are sentences for people.
 */
export function rotateEncryptionKeys(
  deps: { readonly database: Database; readonly clock: Clock },
  keys: RotationKeys,
  report: (progress: RotationProgress) => void,
): Promise<Result<RotationReport, readonly string[]>> {
  const columns = [
    SEALED_PROVIDER_KEYS,
    SEALED_PROVIDER_SETTINGS,
    SEALED_USER_PROVIDER_KEYS,
    SEALED_CHAT_SECRETS,
  ];
  return rotateEncryption({ ...deps, columns }, keys, report);
}
