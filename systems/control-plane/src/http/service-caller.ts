/** An actor as systems see one that answer endpoints and sockets in the control plane's stead. */
import type { ServiceCaller } from "@atelier/contract/rpc/endpoint-service";
import { may, type Actor } from "../access/actor.ts";

export function serviceCaller(actor: Actor): ServiceCaller {
  const { userId, username, apiKeyId } = actor;
  return {
    userId,
    username,
    apiKeyId,
    may: (permission, ownerId) => may(actor, permission, ownerId),
  };
}
