import type { Control } from '../domain/control.ts'
import type { RackBackupContents } from '../domain/rack-backup.ts'
import type { Sealing } from '../domain/store.ts'
import type { Finding } from '../host/finding.ts'
import type { AwsInstallation, MachineInstallation } from '../host/installation.ts'

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
  /** And also when the terminal goes away, or the program is told to end: for what must not be left half. */
  onLeave(listener: () => void): () => void
  /** Says what to call when the program ends, by itself or by a signal. It has no time to wait for anything. */
  onEnd(listener: () => void): void
  /** What puts a rack back on this machine; loaded when it is asked for. */
  restorer(): Promise<RackRestorer>
  /** What looks at the account of a rack, by the credentials that this program has; finds, and throws nothing. */
  accountDoctor(): Promise<(rack: Pick<AwsInstallation, 'name' | 'places' | 'domain'>) => Promise<Finding[]>>
  /** What seals files that leave the rack, and opens them. @param key 32 bytes */
  sealing(key: Uint8Array): Promise<Sealing>
}

/** A backup of a rack, opened by its key. */
export interface SealedBackup {
  key: Uint8Array
  /** What stands before the sealed part. */
  head: string
  /** The sealed part, from its beginning each time. */
  content(): AsyncIterable<Uint8Array>
}

/** What only the program as a whole can do with a backup of a rack. */
export interface RackRestorer {
  /** Reads all of a backup and touches nothing. @throws invalid for one that is cut or was altered */
  check(
    sealed: SealedBackup,
    control: Control,
  ): Promise<{ contents: RackBackupContents; installation: MachineInstallation }>
  /** Fills the directory of a rack that has never been started. @throws invalid; disk-full */
  unpack(sealed: SealedBackup, directory: string, control: Control): Promise<void>
  /** What Docker has of a rack of that name, by Docker's own names. */
  objectsOf(
    socketPath: string,
    rack: string,
    control: Control,
  ): Promise<{ containers: string[]; networks: string[]; volumes: string[] }>
  /** Removes all of that but some volumes. Safe to repeat. */
  removeObjects(
    socketPath: string,
    of: { rack: string; keptVolumes: ReadonlySet<string> },
    control: Control,
  ): Promise<void>
}
