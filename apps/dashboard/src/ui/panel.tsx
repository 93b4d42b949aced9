/** A part of a page with a title of its own. */
import { useId, type ReactNode } from "react";

type PanelProps = {
  readonly title?: string;
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
};

export function Panel({ title, about, actions, children }: PanelProps) {
  const id = useId();
  return (
    <section
      aria-labelledby={title === undefined ? undefined : id}
      className="mb-5 rounded-lg border border-line bg-surface p-4"
    >
      {title !== undefined && (
        <div className="mb-3 flex flex-wrap items-start justify-between gap-3">
          <div>
            <h2 className="text-base font-semibold" id={id}>
              {title}
            </h2>
            {about !== undefined && <p className="mt-0.5 max-w-2xl text-muted">{about}</p>}
          </div>
          {actions !== undefined && <div className="flex flex-wrap gap-2">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}
