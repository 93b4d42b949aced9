/** The head of a page: its title, one sentence about it, and what can be done here. */
import { useEffect, type ReactNode } from "react";
import { showTitle } from "../browser/tab-title.ts";

type PageHeadProps = {
  readonly title: string;
  readonly about?: ReactNode;
  /** Buttons. */
  readonly children?: ReactNode;
};

export function PageHead({ title, about, children }: PageHeadProps) {
  useEffect(() => {
    showTitle(title);
  }, [title]);
  return (
    <header className="mb-5 flex flex-wrap items-start justify-between gap-3">
      <div className="min-w-0">
        <h1 className="text-xl font-semibold break-words">{title}</h1>
        {about !== undefined && <p className="mt-1 max-w-2xl text-muted">{about}</p>}
      </div>
      {children !== undefined && <div className="flex flex-wrap gap-2">{children}</div>}
    </header>
  );
}
