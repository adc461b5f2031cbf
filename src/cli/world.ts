/** What the command line was started in; read once, by `main`. */
export interface World {
  /** What the person typed, without the program. */
  args: string[]
  env: Record<string, string | undefined>
  cwd: string
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  version: string
  /** What starts a daemon of this version: a Node and the launcher in the clone. */
  program: { node: string; script: string }
  /** Says what to call at an interrupt; the returned function takes it back. */
  onInterrupt(listener: () => void): () => void
}
