/** Which build this is. All members of the repository carry one version. */
import manifest from "../package.json" with { type: "json" };

export const VERSION: string = manifest.version;
