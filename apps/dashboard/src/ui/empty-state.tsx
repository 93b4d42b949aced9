/** Nothing there yet: what would be, why one wants it, and the first step. */
import type { ReactNode } from "react";
import { Icon, type IconName } from "./icon.tsx";

type EmptyStateProps = {
  readonly icon: IconName;
  readonly title: string;
  readonly children: ReactNode;
};

export function EmptyState({ icon, title, children }: EmptyStateProps) {
  return (
    <div className="rounded-lg border border-dashed border-strong-line bg-surface px-6 py-10 text-center">
      <span className="mx-auto mb-3 inline-flex text-muted">
        <Icon name={icon} size={28} />
      </span>
      <h2 className="text-base font-semibold">{title}</h2>
      <div className="mx-auto mt-1 max-w-lg space-y-4 text-muted">{children}</div>
    </div>
  );
}
