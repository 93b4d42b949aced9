/** A file that anybody may download, as data: the reference is made from it. Its answer is no JSON. */

export type FileEndpoint = {
  readonly tag: string;
  readonly summary: string;
  readonly path: `/${string}`;
  readonly mediaType: string;
  /** What its headers say, and when it is not there, in sentences. */
  readonly description: string;
};

export function fileEndpoint<const E extends FileEndpoint>(definition: E): E {
  return definition;
}
