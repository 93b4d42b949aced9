/**
 * A port of a workspace in a frame, as wide as a phone, a tablet, or the room there is. What runs in the frame
 * has an origin of its own and so none of our cookies; the sandbox keeps it from leading this page elsewhere.
 */
import { useState } from "react";
import { keep, kept } from "../../browser/host.ts";
import { INPUT_LOOK } from "../../forms/text-field.tsx";
import { Button, ExternalLink } from "../../ui/button.tsx";
import { previewAddress, previewPath } from "./preview-path.ts";

type PortPreviewProps = {
  readonly port: number;
  /** Of the preview. */
  readonly origin: string;
  readonly onClose: () => void;
};

const DEVICES = [
  { id: "full", title: "Full width", size: null },
  { id: "tablet", title: "Tablet", size: { width: 820, height: 1180 } },
  { id: "phone", title: "Phone", size: { width: 390, height: 844 } },
] as const;

type Device = (typeof DEVICES)[number];

const KEPT_DEVICE = "preview-device";
const FULL_SIZE = { width: "100%", height: "70dvh" } as const;

/** Its own origin, so that "same origin" is not ours. Leading the whole page elsewhere is what is missing. */
const SANDBOX =
  "allow-scripts allow-same-origin allow-forms allow-modals allow-downloads allow-popups allow-popups-to-escape-sandbox";

export function PortPreview({ port, origin, onClose }: PortPreviewProps) {
  const [shown, setShown] = useState(() => ({ address: `${origin}/`, times: 0 }));
  const [typed, setTyped] = useState("/");
  const [device, setDevice] = useState<Device>(
    () => DEVICES.find(({ id }) => id === kept("device", KEPT_DEVICE)) ?? DEVICES[0],
  );
  // A frame that is given the address it has stays as it is: counted, it is another one.
  const show = (address: string): void => {
    setTyped(previewPath(address));
    setShown(({ times }) => ({ address, times: times + 1 }));
  };
  return (
    <section aria-label={`Preview of port ${port}`} className="space-y-3">
      <form
        className="flex flex-wrap items-center gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          show(previewAddress(origin, typed));
        }}
      >
        <Button look="quiet" onClick={onClose}>
          All ports
        </Button>
        <label className="flex min-w-48 flex-1 items-center gap-2">
          <span className="shrink-0 font-mono text-xs text-muted">:{port}</span>
          <input
            aria-label={`Address on port ${port}`}
            className={`${INPUT_LOOK} font-mono text-xs`}
            onChange={({ target }) => setTyped(target.value)}
            spellCheck={false}
            value={typed}
          />
        </label>
        <Button onClick={() => show(shown.address)}>Reload</Button>
        <ExternalLink href={shown.address}>Open in a tab</ExternalLink>
      </form>
      <DeviceChoice chosen={device} onChoice={setDevice} />
      <div
        aria-label="What the port shows"
        className="overflow-auto rounded-md border border-line bg-hover"
        role="region"
        // What scrolls must be reachable by keyboard.
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
      >
        <iframe
          className="mx-auto block bg-white"
          key={shown.times}
          sandbox={SANDBOX}
          src={shown.address}
          style={device.size ?? FULL_SIZE}
          title={`Port ${port}`}
        />
      </div>
      <p className="text-xs text-muted">
        The address shows where you went from here, not where the page went by itself. An empty
        frame means that the program refuses to be shown in one: open it in a tab.
      </p>
    </section>
  );
}

type DeviceChoiceProps = {
  readonly chosen: Device;
  readonly onChoice: (device: Device) => void;
};

function DeviceChoice({ chosen, onChoice }: DeviceChoiceProps) {
  return (
    <div aria-label="Shown as on" className="flex flex-wrap gap-1" role="group">
      {DEVICES.map((each) => (
        <Button
          aria-pressed={each.id === chosen.id}
          key={each.id}
          look={each.id === chosen.id ? "plain" : "quiet"}
          onClick={() => {
            onChoice(each);
            keep("device", KEPT_DEVICE, each.id);
          }}
        >
          {each.title}
          {each.size !== null && (
            <span className="text-xs font-normal text-muted">{each.size.width} px</span>
          )}
        </Button>
      ))}
    </div>
  );
}
