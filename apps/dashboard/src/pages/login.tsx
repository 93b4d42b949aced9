/** Signing in, and on to the page that was wanted. */
import { PREVIEW_AUTH_PATH } from "@atelier/contract/http/workspace-previews";
import { firstUserExists, getUser } from "@atelier/contract/http/users";
import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect } from "react";
import { problemOf } from "../api/api-problem-error.ts";
import { keyOf, useEndpoint } from "../api/use-endpoint.ts";
import { Redirect } from "../app/redirect.ts";
import { parseSearchTexts } from "../app/search-text.ts";
import { leaveFor } from "../browser/host.ts";
import { showTitle } from "../browser/tab-title.ts";
import { OutsideFrame } from "./outside-frame.tsx";
import { safeNext } from "./safe-next.ts";
import { SignInForm } from "./sign-in-form.tsx";

export function Page() {
  const navigate = useNavigate();
  const queryClient = useQueryClient();
  const { next } = useSearch({ strict: false }) as { readonly next?: string };
  const first = useEndpoint(firstUserExists, {});
  useEffect(() => {
    showTitle("Sign in");
  }, []);
  if (first.error !== null && problemOf(first.error).status === 404) {
    return <Redirect to="/setup" />;
  }
  const enter = (): void => {
    queryClient.removeQueries({ queryKey: keyOf(getUser, { params: { user: "me" } }) });
    const wanted = safeNext(next);
    // Not a page: the server leads on from there, to a preview of a workspace.
    if (wanted.startsWith(`${PREVIEW_AUTH_PATH}?`)) return leaveFor(wanted);
    const [to = "/", search = ""] = wanted.split("?");
    navigate({ to, search: parseSearchTexts(search) }).catch(() => {}); // The router tells.
  };
  return (
    <OutsideFrame about="Use the account of this deployment." title="Sign in">
      <SignInForm onSignedIn={enter} />
      <p className="mt-6 text-muted">
        Forgot your password? An owner or user admin of this deployment can set a new one.
      </p>
    </OutsideFrame>
  );
}
