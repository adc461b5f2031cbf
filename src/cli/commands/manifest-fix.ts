import { basename, join } from 'node:path'
import { RackError } from '../../domain/error.ts'
import type { ManifestSource } from '../../domain/manifest.ts'
import type { Change, FixedManifest } from '../../manifest/fix/fix-manifest.ts'
import type { CommandSpec } from '../command-spec.ts'
import { findFiles, readOptionsOf } from '../manifest-arguments.ts'
import { allowOptions } from '../policy-options.ts'
import type { Session } from '../session.ts'

/** One file that is changed. */
interface FixedFile {
  path: string
  diff: string
  text: string
}

/** `rack manifest fix`. */
export const fix: CommandSpec = {
  name: 'fix',
  arguments: '[files...]',
  summary: 'mend a compose file where the right answer is known, and list what is left',
  description: [
    'Prints the change as a diff, which `patch` takes; --write makes it. Comments, order and all that needs no change stay',
    'as they are written. What is mended: words that are misspelt, web ports without a name, labels for other proxies that a',
    "label of the rack's says as well, names that a process cannot have, secrets of others, mounts of the engine's socket, what",
    'is missing or given twice. What is not, is listed after it, with its line and what to do.',
    'Several files, and those that are included, are mended each by itself. The exit code is 1 while a rack refuses them.',
  ].join('\n'),
  examples: [
    'manifest fix',
    'manifest fix --write',
    'manifest fix docker-compose.yml production.yml',
    'manifest fix --allow-bind /srv/media',
  ],
  options: [
    { flags: '--write', meaning: 'change the files, instead of only printing how' },
    { flags: '--for <engine>', meaning: 'the kind of rack: docker (one machine) or aws (an AWS account)' },
    { flags: '--env-file <path>', meaning: "the app's environment, as NAME=value lines" },
    { flags: '--dir <directory>', meaning: "the source directory; the first file's unless given" },
    ...allowOptions,
  ],
  needs: 'nothing',
  async run(session) {
    const { output, isJson, options } = session
    const { directory, files } = await findFiles(session)
    const { readLocalManifest } = await import('../source/read-manifest-source.ts')
    const read = async (texts?: ReadonlyMap<string, string>) =>
      (await readLocalManifest(directory, files, texts)).source
    const source = await read()
    const { fixManifest } = await import('../../manifest/fix/fix-manifest.ts')
    const fixed = await fixManifest(source, await readOptionsOf(session), read)
    const changed = await changedFiles(fixed, source)
    const isWritten = options.flag('write')
    if (isWritten) await writeAll(directory, changed, source)
    if (isJson) {
      const { changes, problems, isAccepted } = fixed
      output.json({ files: changed, isWritten, changes, problems, isAccepted })
    } else {
      if (changed.length > 0) output.data(changed.map(({ diff }) => diff).join(''))
      await sayRest(session, fixed, { changed, isWritten })
    }
    return fixed.isAccepted ? 0 : 1
  },
}

/** In the order in which they are named, then those that they include. */
async function changedFiles({ texts }: FixedManifest, source: ManifestSource): Promise<FixedFile[]> {
  const { lineDiff } = await import('../../lib/line-diff.ts')
  return [...textsOf(source)].flatMap(([path, before]) => {
    const text = texts.get(path) ?? before
    return text === before ? [] : [{ path, diff: lineDiff(path, before, text), text }]
  })
}

function textsOf(source: ManifestSource): Map<string, string> {
  const named = source.files.map(({ path, text }): [string, string] => [path, text])
  return new Map([...named, ...Object.entries(source.texts)])
}

/** Looks at all before it writes the first. @throws conflict, forbidden */
async function writeAll(directory: string, files: FixedFile[], source: ManifestSource): Promise<void> {
  const texts = textsOf(source)
  const modes = await Promise.all(
    files.map(async ({ path }) => await modeOfOwn(join(directory, path), path, texts.get(path))),
  )
  const { writeFileAtomically } = await import('../../lib/atomic-file.ts')
  for (const [index, { path, text }] of files.entries())
    await writeFileAtomically(join(directory, path), text, { mode: modes[index]! })
}

/**
 * The mode of a file that may be replaced: one that is nobody else's, has no other name, and has not changed since it was
 * read. @throws conflict
 */
async function modeOfOwn(path: string, name: string, before: string | undefined): Promise<number> {
  const { lstat, readFile } = process.getBuiltinModule('node:fs/promises')
  const stats = await lstat(path)
  const hint = 'Without --write the change is printed: rack manifest fix | patch -p0'
  const refuse = (why: string) => new RackError('conflict', `${name} is not written: ${why}`, { hint })
  // A new file takes the place of the old one: a link, or another name of it, would be cut off.
  if (!stats.isFile()) throw refuse('it is a link to another file')
  if (stats.nlink > 1) throw refuse('it has another name, which would keep the old text')
  const self = process.getuid?.()
  if (self !== undefined && self !== 0 && stats.uid !== self) throw refuse('it is of another user')
  if ((await readFile(path, 'utf8')) !== before) throw refuse('it has changed in the meantime')
  return stats.mode & 0o7777
}

interface Outcome {
  changed: FixedFile[]
  isWritten: boolean
}

/** What was done and why, what is left, and what to type. */
async function sayRest(
  { output }: Session,
  { changes, problems, isAccepted, source }: FixedManifest,
  { changed, isWritten }: Outcome,
): Promise<void> {
  const { countProblems, formatProblems } = await import('../../manifest/report.ts')
  for (const change of changes) output.say(changeText(change))
  if (problems.length > 0)
    output.say(`${changes.length > 0 ? '\n' : ''}${formatProblems(problems, source)}\n`)
  const names = changed.map(({ path }) => basename(path)).join(', ')
  const done =
    changed.length === 0
      ? 'nothing to change'
      : `${names}: ${counted(changes.length)}${isWritten ? ', written' : ''}`
  output.say(`${done}; what is left: ${countProblems(problems)}`)
  if (changed.length > 0 && !isWritten) output.say('To change it: rack manifest fix --write')
  else if (isAccepted) output.say('A rack takes it: rack deploy')
}

function changeText({ file, path, done, message }: Change): string {
  return `${file}: ${path}: ${done} (${message})`
}

function counted(count: number): string {
  return count === 1 ? '1 change' : `${count} changes`
}
