/**
 * Lets signed-in people in. Others go to the first setup or to the sign-in, and come back to the
 * address they wanted. A session that ends while a page is open is renewed over that page, so that
 * nothing typed is lost.
 */
import { firstUserExists, getUser } from "@atelier/contract/http/users";
import { useLocation } from "@tanstack/react-router";
import { lazy, Suspense, useState, type ComponentType, type ReactNode } from "react";
import { problemOf } from "../api/api-problem-error.ts";
import { useEndpoint } from "../api/use-endpoint.ts";
import { Loaded } from "../ui/loaded.tsx";
import { Redirect } from "./redirect.ts";
import { SignedInContext } from "./signed-in.ts";

/** No part of what the first page waits for. */
const SignInAgain = lazy<ComponentType>(() =>
  import("./sign-in-again.tsx").then(
    ({ SignInAgain: loaded }) => ({ default: loaded }),
    // Without it the page works on; what is refused says so itself.
    () => ({ default: () => null }),
  ),
);

const ME = { params: { user: "me" } } as const;

export function Gate({ children }: { readonly children: ReactNode }) {
  const me = useEndpoint(getUser, ME);
  if (me.data !== undefined) {
    return (
      <SignedInContext value={me.data}>
        {children}
        <Suspense>
          <SignInAgain />
        </Suspense>
      </SignedInContext>
    );
  }
  if (me.error !== null && problemOf(me.error).status === 401) return <ToSignIn />;
  return (
    <main className="mx-auto max-w-xl p-6">
      <Loaded query={me} what="your account">
        {() => null}
      </Loaded>
    </main>
  );
}

function ToSignIn() {
  const { href } = useLocation();
  // The address of the sign-in itself is nothing to come back to.
  const [wanted] = useState(href);
  const first = useEndpoint(firstUserExists, {});
  const isFresh = first.error !== null && problemOf(first.error).status === 404;
  if (isFresh) return <Redirect to="/setup" />;
  if (first.data !== undefined) {
    return wanted === "/" ? <Redirect to="/login" /> : <Redirect next={wanted} to="/login" />;
  }
  return (
    <main className="mx-auto max-w-xl p-6">
      <Loaded query={first} what="the state of this deployment">
        {() => null}
      </Loaded>
    </main>
  );
}
