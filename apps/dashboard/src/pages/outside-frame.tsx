/** The frame of pages for people who are not signed in. */
import type { ReactNode } from "react";

type OutsideFrameProps = {
  readonly title: string;
  readonly about: ReactNode;
  readonly children: ReactNode;
};

export function OutsideFrame({ title, about, children }: OutsideFrameProps) {
  return (
    <main className="mx-auto flex min-h-screen max-w-sm flex-col justify-center px-4 py-10">
      <div className="mb-6 flex items-center gap-2.5 text-lg font-semibold">
        <img alt="" height="28" src="./favicon.svg" width="28" />
        Atelier
      </div>
      <h1 className="text-xl font-semibold">{title}</h1>
      <p className="mt-1 mb-5 text-muted">{about}</p>
      {children}
    </main>
  );
}
