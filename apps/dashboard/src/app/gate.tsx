/**
 * Lets signed-in people in. Others go to the first setup or to the sign-in, and come back to the
 * address they wanted. A session that ends while a page is open is renewed over that page, so that
 * nothing typed is lost.
 */
import { firstUserExists, getUser } from "@atelier/contract/http/users";
import { useQueryClient } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { useEffect, useState, type ReactNode } from "react";
import { problemOf } from "../api/api-problem-error.ts";
import { onSessionEnded, useEndpoint } from "../api/use-endpoint.ts";
import { SignInForm } from "../pages/sign-in-form.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Modal } from "../ui/modal.tsx";
import { Redirect } from "./redirect.ts";
import { SignedInContext } from "./signed-in.ts";

const ME = { params: { user: "me" } } as const;

export function Gate({ children }: { readonly children: ReactNode }) {
  const me = useEndpoint(getUser, ME);
  if (me.data !== undefined) {
    return (
      <SignedInContext value={me.data}>
        {children}
        <SignInAgain />
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

/** The first request that is refused for want of a session opens it. */
function SignInAgain() {
  const queryClient = useQueryClient();
  const [isOver, setIsOver] = useState(false);
  useEffect(() => onSessionEnded(() => setIsOver(true)), []);
  return (
    <Modal
      about="Your session has ended. What you typed is still there."
      isOpen={isOver}
      onClose={() => setIsOver(false)}
      title="Sign in again"
    >
      <SignInForm
        onSignedIn={() => {
          setIsOver(false);
          queryClient.refetchQueries({ type: "active" }).catch(() => {}); // The pages tell.
        }}
      />
    </Modal>
  );
}
