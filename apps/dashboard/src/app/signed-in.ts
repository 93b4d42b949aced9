/** The person who is signed in, for all pages below the gate. */
import type { User } from "@atelier/contract/http/users";
import { rolesAllow, type Permission } from "@atelier/contract/permissions";
import { createContext, useContext } from "react";
import type { z } from "zod";

export type SignedInUser = z.output<typeof User>;

export const SignedInContext = createContext<SignedInUser | null>(null);

export function useSignedIn(): SignedInUser {
  const user = useContext(SignedInContext);
  if (user === null) throw new Error("pages stand below the gate");
  return user;
}

/** Whether the person may do this to everybody's things. The server decides anew each time. */
export function useMay(permission: Permission): boolean {
  return rolesAllow(useSignedIn().roles, permission, { isOwn: false });
}
