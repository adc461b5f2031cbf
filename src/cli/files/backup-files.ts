import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import type { Client, Reply } from '../../client/client-types.ts'
import { followStream } from '../../client/follow-stream.ts'
import type { Progress } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { Session } from '../session.ts'
import { openMeter } from './meter.ts'
import { pour } from './pour.ts'
import { writeWhole } from './write-whole.ts'

type Backup = Reply<'getBackup'>

/** An id is one that the rack keeps; anything else is a file here. */
export async function findOrSend(
  session: Session,
  client: Client,
  { word, usage }: { word: string; usage: string },
): Promise<Backup> {
  if (/^K[A-Z]{10}$/.test(word)) return await client.getBackup({ params: { backup: word } })
  const { world, output } = session
  if (word === '-' && world.stdin.isTTY) {
    throw new RackError('usage', 'a backup does not come from a terminal', {
      hint: `${usage} < FILE`,
    })
  }
  using leaving = leaveOnInterrupt(session, 'it was ended: nothing of it is kept')
  using meter = openMeter(output, word)
  const file = word === '-' ? world.stdin : createReadStream(resolve(world.cwd, word))
  const content = meter.count(readable(file, word))
  return await followStream(client.addBackup({ content }, leaving), () => undefined)
}

async function* readable(file: AsyncIterable<unknown>, word: string): AsyncGenerator<Uint8Array> {
  try {
    yield* file as AsyncIterable<Uint8Array>
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause
    throw new RackError('not-found', `there is no file ${word} here, and it is no id of a backup`, {
      hint: 'See the backups with: rack services backups',
      cause,
    })
  }
}

/** What is said of an archive in clear. */
export const notSealed = 'it is not sealed'

/** An archive as it comes, and where it goes. */
export interface Saving {
  archive: AsyncIterable<Uint8Array>
  to: string
  /** What is told of it as JSON. */
  facts: object
  /** What the person hears of it, besides that it is there. */
  remark?: string
}

/** Writes an archive to a file, whole or not at all, or to the standard output. */
export async function saveArchive(session: Session, saving: Saving, signal: AbortSignal): Promise<void> {
  const { world, output, isJson } = session
  const { archive, to, facts, remark } = saving
  using meter = openMeter(output, to)
  const counted = meter.count(archive)
  if (to === '-') return await pour(counted, world.stdout)
  await writeWhole(resolve(world.cwd, to), counted, signal)
  if (isJson) output.json({ ...facts, file: to, bytes: meter.bytes })
  else output.say(`${to} is written (${formatBytes(meter.bytes)})${remark ? `; ${remark}` : ''}`)
}

/** @throws usage for an archive that would come out on a terminal, or among JSON */
export function refuseTerminal(
  { world, isJson }: Session,
  to: string | undefined,
  { what = 'a backup', hint = 'Add > FILE, or name one.' } = {},
): void {
  if (to !== '-') return
  if (isJson) throw new RackError('usage', `${what} on standard output leaves no room for --json`, { hint })
  if (world.stdout.isTTY) throw new RackError('usage', `${what} is nothing for a terminal`, { hint })
}

/** Says to a person what the rack is at. */
export function tellTo({ output, isJson }: Session): (line: Progress) => void {
  return (line) => {
    if (line.type === 'log' && !isJson) output.say(line.text)
  }
}

/** For what ends with its client: a signal that aborts when the person wants no more, or is gone. */
export function leaveOnInterrupt({ world }: Session, why: string): { signal: AbortSignal } & Disposable {
  const leaving = new AbortController()
  const stop = world.onLeave(() => leaving.abort(new RackError('cancelled', why)))
  return { signal: leaving.signal, [Symbol.dispose]: stop }
}
