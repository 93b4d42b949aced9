/** What the panels of a workspace are given, wherever they are shown: beside a chat, or on the workspace's page. */

export type WorkspacePanelProps = {
  readonly workspaceId: string;
  readonly agentId: string;
};

export type ChangesPanelProps = WorkspacePanelProps & {
  /** Anything inside of the repositories that are meant. Absent: the workspace's directory. */
  readonly directory?: string;
  /**
   * Takes the comments of a review as one text. Absent: the text is offered to be copied. The comments
   * are forgotten when it returns, so that whoever takes them keeps them.
   */
  readonly onComments?: (text: string) => void;
};

export type ProcessesPanelProps = WorkspacePanelProps & {
  /** Only what this chat started. */
  readonly group?: string;
};
