import { RackError } from '../domain/error.ts'
import { absentTable, listTable, nft } from './nft.ts'
import { bridgedTable, type Apart } from './separation-text.ts'

type Signalled = { signal: AbortSignal }

/** The rack's table of what bridges pass on by themselves. Not every kernel has rules for that. */
export interface BridgeTable {
  /** What makes it as it should be, to be written with the rest; nothing where it is neither there nor needed. */
  lines(apart: Apart, control: Signalled): Promise<string[]>
  /** What the kernel says of it, where it may be there. @throws host-failed */
  list(control: Signalled): Promise<string>
  /** Tried without making anything. */
  isPossible(control: Signalled): Promise<boolean>
}

export function createBridgeTable(table: string): BridgeTable {
  /** Once it was there it is named each time; null until it is looked for. */
  let mayBeThere: boolean | null = null
  const tried = `table ${table} { chain tried { type filter hook forward priority 0; }; }\n`
  /** A kernel that has such rules keeps them. */
  let wasPossible = false
  const isPossible = async (control: Signalled) => {
    const ask = async () => await nft(['--check', '--file', '-'], control, tried)
    wasPossible ||= (await saidBy(ask, control)) !== null
    return wasPossible
  }
  return {
    async lines(apart, control) {
      // A daemon before may have left it.
      mayBeThere ??= Boolean(await saidBy(async () => await listTable(table, control), control))
      const isWanted = apart.separations.length + apart.answering.length > 0
      const isNeeded = isWanted && (await isPossible(control))
      mayBeThere ||= isNeeded
      return [
        ...(mayBeThere ? absentTable(table) : []),
        ...(isNeeded ? [...bridgedTable(table, apart), ''] : []),
      ]
    },
    list: async (control) => (mayBeThere ? await listTable(table, control) : ''),
    isPossible,
  }
}

/** Null where it cannot be done. */
async function saidBy(ask: () => Promise<string>, { signal }: Signalled): Promise<string | null> {
  try {
    return await ask()
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof RackError)) throw error
    return null
  }
}
