/** What can be done with one row of a list, behind one button. */
import { Menu } from "@base-ui/react/menu";
import { Button } from "./button.tsx";
import { pageElement } from "./page-element.ts";

export type MenuAction = { readonly words: string; readonly run: () => void };

type ActionMenuProps = {
  /** Read out: whose button it is. */
  readonly label: string;
  readonly actions: readonly MenuAction[];
};

export function ActionMenu({ label, actions }: ActionMenuProps) {
  if (actions.length === 0) return null;
  return (
    <Menu.Root>
      <Menu.Trigger render={<Button aria-label={label} />}>Change</Menu.Trigger>
      <Menu.Portal container={pageElement()}>
        <Menu.Positioner align="end" className="z-30" sideOffset={4}>
          <Menu.Popup className="min-w-44 rounded-md border border-line bg-raised p-1 shadow-lg">
            {actions.map(({ words, run }) => (
              <Menu.Item
                className="flex min-h-9 cursor-pointer items-center rounded px-2.5 data-highlighted:bg-hover"
                key={words}
                onClick={run}
              >
                {words}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
