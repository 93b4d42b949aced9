/** When a page is looked at again, or the network is back; and the next frame that is drawn. */

/** Hidden pages draw no frames: then it is run all the same, soon. */
export function onNextFrame(run: () => void): void {
  if (document.hidden) queueMicrotask(run);
  else requestAnimationFrame(run);
}

export function onAwake(listener: () => void): () => void {
  const look = (): void => {
    if (!document.hidden) listener();
  };
  globalThis.addEventListener("online", look);
  document.addEventListener("visibilitychange", look);
  return () => {
    globalThis.removeEventListener("online", look);
    document.removeEventListener("visibilitychange", look);
  };
}
