/** Goes to another page once, in place of the one that is shown. */
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";

type RedirectProps = {
  readonly to: string;
  /** Where the page that is gone to leads back. */
  readonly next?: string;
};

export function Redirect({ to, next }: RedirectProps): null {
  const navigate = useNavigate();
  useEffect(() => {
    navigate({ to, replace: true, search: next === undefined ? {} : { next } }).catch(() => {}); // The router shows what went wrong.
  }, [navigate, to, next]);
  return null;
}
