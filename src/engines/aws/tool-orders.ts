/** Where the tool lies in every container of a task, once `init` has run. */
export const toolPath = '/.rack/rack'

/** Where `init` puts secret files. */
export const secretsPlace = '/run/rack'

/** The variable that holds `InitOrders` as JSON; the tool's image runs the verb `init` as its command. */
export const initVariable = 'RACK_INIT'

/** What the container `rack` prepares in a task before its process starts (`src/tool/init.go`). */
export interface InitOrders {
  /** Domains in front of each name that has no dot; none leaves what the task has. */
  search: string[]
  /** Of the resolver, as `ndots:1`; each replaces the one of its name. */
  options: string[]
  /** Lines of the hosts file; null stands for the task's own address. */
  hosts: { address: string | null; names: string[] }[]
  files: SecretFile[]
}

/** A file below `/run/rack`. */
export interface SecretFile {
  /** Relative. */
  path: string
  /** Of the container `rack` itself, by its `secrets`: its value is the content in base64. */
  variable: string
  /** Permission bits. */
  mode: number
  uid: number
  gid: number
}
