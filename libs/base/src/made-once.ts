/** What is made of an object that comes again and again is made once, and lives no longer than it. */

/** `make` as it is, asked once for each key. For keys that nobody changes. */
export function madeOnce<Key extends object, Made>(make: (key: Key) => Made): (key: Key) => Made {
  const known = new WeakMap<Key, { readonly made: Made }>();
  return (key) => {
    let kept = known.get(key);
    if (kept === undefined) {
      kept = { made: make(key) };
      known.set(key, kept);
    }
    return kept.made;
  };
}
