import type { Control } from '../../../domain/control.ts'
import { codeOf, RackError } from '../../../domain/error.ts'
import type { ExitCode } from '../../../domain/process.ts'
import type { Terminal } from '../../../domain/terminal.ts'
import type { Inside } from '../../../services/service-type.ts'
import type { Context } from '../../context.ts'
import { backupParts } from '../backup/backups.ts'
import { removeBackup } from '../backup/kept-backups.ts'
import { restoreInPlace } from '../backup/restore-in-place.ts'
import { createLoginsAgain } from '../logins.ts'
import { refuseLinked } from '../refuse-linked.ts'
import { changeService, endChange, refuseChanging } from '../service-work.ts'
import type { ImportRequest } from './dump-operations.ts'
import { say } from './export-service.ts'
import { findDump, runDump, type FoundDump } from './find-dump.ts'

/** Puts a dump of the type's own tools into a database that is empty, or with `force` over what is there. @see DumpOperations */
export async function importService(
  context: Context,
  name: string,
  { database, force }: ImportRequest,
  terminal: Terminal,
  control: Control,
): Promise<ExitCode> {
  const found = await findDump(context, name, { verb: 'import', database }, control)
  const { native, what } = found
  refuseChanging(context, name)
  const content = whole(terminal.input, control.signal)
  const begin = async (own: Control) => {
    if (!force) await refuseFull(context, found, own)
    await say(terminal, `importing ${native.format} into ${what}`)
  }
  const inside = native.load?.(found.database, force)
  if (inside) {
    await changeService(context, name, control, async (change) => {
      // Who has asked and leaves ends it, too.
      const own = { ...change, signal: AbortSignal.any([change.signal, control.signal]) }
      await begin(own)
      await load(context, found, { inside, content }, own)
    })
  } else {
    await begin(control)
    await loadAtStart(context, found, { content, force, terminal }, control)
  }
  return 0
}

/** A client that is gone has ended its input too, which is not the end of the dump. */
async function* whole(input: AsyncIterable<Uint8Array> | null, signal: AbortSignal) {
  if (input) yield* input
  signal.throwIfAborted()
}

async function refuseFull(context: Context, found: FoundDump, control: Control): Promise<void> {
  const { native, database, what, service } = found
  const count = Number(await runDump(context, found, { inside: native.contents(database) }, control))
  if (count === 0) return
  const meaning = native.load ? 'replaces what has the same name' : 'replaces all of it'
  throw new RackError('conflict', `${what} is not empty`, {
    hint: `--force ${meaning}. First keep what is there: rack services backup ${service.name}`,
    details: { service: service.name, ...(database !== '' && { database }) },
  })
}

interface Loading {
  inside: Inside
  content: AsyncIterable<Uint8Array>
}

/** By the server that runs. What apps log in by is as it was, whoever the dump names. */
async function load(
  context: Context,
  found: FoundDump,
  { inside, content }: Loading,
  control: Control,
): Promise<void> {
  const { native, what, service, copy, data } = found
  try {
    await runDump(context, found, { inside, streams: { input: content } }, control)
  } catch (error) {
    if (!(error instanceof RackError) || error.code !== 'service-failed') throw error
    const rest = native.isAtOnce
      ? `Nothing of it is in ${what}.`
      : `What came before that is in ${what}: once the dump is right, import it with --force.`
    throw new RackError(error.code, error.message, { hint: rest, details: error.details, cause: error })
  }
  // Of all of a server, which has its users in it.
  if (!data.list) await createLoginsAgain(context, service, copy, control)
}

/** A server that reads such a file when it starts: until it is there, the dump is a backup, which is put in place. */
async function loadAtStart(
  context: Context,
  found: FoundDump,
  { content, force, terminal }: { content: AsyncIterable<Uint8Array>; force: boolean; terminal: Terminal },
  control: Control,
): Promise<void> {
  const { service, data } = found
  const { name } = service
  if (!force) {
    const hint = 'Do it all the same with --force; what they write meanwhile is lost.'
    await refuseLinked(context, name, { loss: 'it is stopped, and started with the dump', hint })
  }
  const [part] = data.parts([])
  const backup = await backupParts(context, found, [{ name: part!.name, content }], control)
  const report: Control['report'] = (progress) => {
    if (progress.type === 'log') void say(terminal, progress.text)
  }
  const leave = () => {
    endChange(context, name, 'the import was ended').catch((error: unknown) =>
      context.log('warn', `an import into ${name} is not ended`, { code: codeOf(error) }),
    )
  }
  control.signal.addEventListener('abort', leave, { once: true })
  try {
    await restoreInPlace(context, backup, { data, force: true }, { ...control, report })
  } finally {
    control.signal.removeEventListener('abort', leave)
    await removeBackup(context, backup)
  }
}
