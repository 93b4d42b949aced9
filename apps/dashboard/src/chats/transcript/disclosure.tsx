/** One line that opens. What it opens is drawn only then. */
import type { ReactNode } from "react";
import { Icon } from "../../ui/icon.tsx";
import { useOpened } from "../page/chat-scene.ts";

type DisclosureProps = {
  /** Of its row: what is opened stays open when it is scrolled away. */
  readonly rowKey: string;
  readonly isOpenFirst?: boolean;
  readonly line: ReactNode;
  /** Stands beside the line and is pressed by itself. */
  readonly aside?: ReactNode;
  readonly tone?: "plain" | "framed";
  readonly children: () => ReactNode;
};

export function Disclosure(props: DisclosureProps) {
  const { rowKey, isOpenFirst = false, line, aside, tone = "framed", children } = props;
  const [isOpen, toggle] = useOpened(rowKey, isOpenFirst);
  const frame = tone === "framed" ? "rounded-md border border-line bg-surface" : "";
  return (
    <div className={frame}>
      <div className="flex min-w-0 items-center gap-2 pr-2">
        <button
          aria-expanded={isOpen}
          className="flex min-h-8 min-w-0 flex-1 items-center gap-1.5 rounded-md px-2 py-1 text-left text-muted hover:text-ink"
          onClick={toggle}
          type="button"
        >
          <span className={isOpen ? "rotate-90" : ""}>
            <Icon name="chevron" size={14} />
          </span>
          {line}
        </button>
        {aside}
      </div>
      {isOpen && (
        <div className={tone === "framed" ? "border-t border-line" : ""}>{children()}</div>
      )}
    </div>
  );
}
