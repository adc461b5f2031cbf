import { isAbsolute } from 'node:path'
import { followStream } from '../../client/follow-stream.ts'
import type { Client } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { AppProcess } from '../../domain/process.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { planDelivery } from '../files/copy-in.ts'
import { copyOut } from '../files/copy-out.ts'
import { openMeter } from '../files/meter.ts'
import { pour } from '../files/pour.ts'
import { parsePlace, type Place } from '../files/place.ts'
import { findCopy } from '../find-copy.ts'
import type { Session } from '../session.ts'

/** `rack cp`. */
export const cp: CommandSpec = {
  name: 'cp',
  arguments: '<from> <to>',
  summary: 'copy files into a process, or out of it',
  description: [
    'One side is PROCESS:/path, where the process is an id or a type (of several copies the newest); the other is a path',
    'here, or - for a tar on standard input or output. Where things go is as with cp -r: into a directory that is there, or',
    'under a name that is not there yet; DIR/. is what is in DIR. Modes, times and links stay; going in, root owns the files.',
    'What is written into a process, rather than into a volume, goes with it.',
  ].join('\n'),
  examples: [
    'cp web:/app/tmp/report.csv .',
    'cp ./seed.sql PABCDEFGHIJ:/tmp/',
    'cp db:/var/lib/data/. ./backup',
    'cp web:/etc/app - > app.tar',
    'tar c config | rack cp - web:/srv',
  ],
  needs: 'app',
  async run(session) {
    const [from, to] = session.args.map(parsePlace) as [Place, Place]
    if (from.kind === 'inside' && to.kind !== 'inside') await runCopy(session, { from, to })
    else if (to.kind === 'inside' && from.kind !== 'inside') await runCopy(session, { from, to })
    else throw wrongSides(from.kind === 'inside', session.args)
  },
}

type Inside = Extract<Place, { kind: 'inside' }>
type Outside = Exclude<Place, Inside>
type Sides = { from: Inside; to: Outside } | { from: Outside; to: Inside }

function wrongSides(areBothInside: boolean, [from = '', to = '']: string[]): RackError {
  if (areBothInside) {
    return new RackError('usage', 'one side of a copy is here', {
      hint: `From process to process: rack cp ${from} - | rack cp - ${to}`,
    })
  }
  return new RackError('usage', 'neither side is in a process', {
    hint: 'PROCESS:/path names one: rack cp web:/app/log .',
  })
}

interface Work {
  client: Client
  process: AppProcess
  signal: AbortSignal
  onSkipped: (path: string, reason: string) => void
}

interface Done {
  /** Where it is now. */
  place: string
  /** How many files came out; null where a tar was passed on. */
  files: number | null
  bytes: number
}

async function runCopy(session: Session, sides: Sides): Promise<void> {
  const { world, output, isJson } = session
  refuseTerminal(session, sides)
  const client = await session.connect()
  const inside = sides.from.kind === 'inside' ? sides.from : (sides.to as Inside)
  const running = await findCopy(session, client, inside.process)
  const leaving = new AbortController()
  const left =
    sides.to.kind === 'inside' ? 'the last file there may be short' : 'what came before stays, whole'
  const stop = world.onInterrupt(() =>
    leaving.abort(new RackError('cancelled', `the copy was ended: ${left}`)),
  )
  const onSkipped = (path: string, reason: string) => output.say(`left out: ${path}: ${reason}`)
  const work = { client, process: running, signal: leaving.signal, onSkipped }
  try {
    const done =
      sides.from.kind === 'inside'
        ? await take(session, work, sides as { from: Inside; to: Outside })
        : await bring(session, work, sides as { from: Outside; to: Inside })
    const { app, id } = running
    const [from, to] = session.args
    if (isJson) return output.json({ app, process: id, from, to, ...done })
    if (sides.to.kind !== 'stream') output.say(summary(done))
  } finally {
    stop()
  }
}

function refuseTerminal({ isJson, world }: Session, { from, to }: Sides): void {
  if (from.kind === 'stream' && world.stdin.isTTY) {
    throw new RackError('usage', 'a tar does not come from a terminal', {
      hint: 'tar c FILES | rack cp - PROCESS:/path',
    })
  }
  if (to.kind !== 'stream') return
  if (isJson) throw new RackError('usage', 'a tar on standard output leaves no room for --json')
  if (world.stdout.isTTY) {
    throw new RackError('usage', 'a tar is nothing for a terminal', {
      hint: 'rack cp PROCESS:/path - | tar t',
    })
  }
}

/** Out of a process. */
async function take(session: Session, work: Work, sides: { from: Inside; to: Outside }): Promise<Done> {
  const { client, process: running, signal, onSkipped } = work
  const { from, to } = sides
  const params = { app: running.app, process: running.id }
  using meter = openMeter(session.output, `${from.process}:${from.path}`)
  // The root has no name of its own.
  const path = from.path === '/' ? '/.' : from.path
  const archive = meter.count(client.readFiles({ params, query: { path } }, { signal }))
  if (to.kind === 'stream') {
    await pour(archive, session.world.stdout)
    return { place: '-', files: null, bytes: meter.bytes }
  }
  const here = fromHere(session, to.path)
  const copied = await copyOut({ from: from.path, to: here, archive, signal, onSkipped })
  return { ...copied, bytes: meter.bytes }
}

/** Into a process. */
async function bring(session: Session, work: Work, sides: { from: Outside; to: Inside }): Promise<Done> {
  const { client, process: running, signal, onSkipped } = work
  const { from, to } = sides
  const params = { app: running.app, process: running.id }
  using meter = openMeter(session.output, `${to.process}:${to.path}`)
  const delivery =
    from.kind === 'stream'
      ? { directory: to.path, place: to.path, archive: session.world.stdin as AsyncIterable<Uint8Array> }
      : await planDelivery({
          client,
          process: running,
          from: fromHere(session, from.path),
          to: to.path,
          signal,
          onSkipped,
        })
  const content = meter.count(delivery.archive)
  const query = { path: delivery.directory }
  const stream = client.writeFiles({ params, query, content }, { signal })
  await followStream(stream, () => undefined)
  return { place: `${running.id}:${delivery.place}`, files: null, bytes: meter.bytes }
}

/** Not joined: that would lose a `/` or `/.` at the end, which mean something. */
function fromHere({ world }: Session, path: string): string {
  return isAbsolute(path) ? path : `${world.cwd}/${path}`
}

function summary({ place, files, bytes }: Done): string {
  const what = files === null ? '' : `${files} ${files === 1 ? 'file' : 'files'}, `
  return `copied to ${place} (${what}${formatBytes(bytes)})`
}
