import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve, sep } from 'node:path'
import { RackError } from '../../domain/error.ts'
import { readTar } from '../../lib/tar.ts'
import { composeOfImage } from '../../manifest/starter/image.ts'
import { unpackArchive } from '../files/unpack-archive.ts'
import type { Session } from '../session.ts'
import { fetchRepository } from './git-repository.ts'

/** Where a source is while it is sent; what was fetched for that is gone afterwards. */
export interface LocalSource extends AsyncDisposable {
  /** Its name is that of the app, where none is given. */
  directory: string
}

const ways = ['git', 'tgz', 'image'] as const

/**
 * A directory made of what `--git`, `--tgz` or `--image` names; null where none of them is given.
 * @throws usage for more than one of them; invalid for what cannot be fetched or unpacked
 */
export async function openLocalSource(session: Session): Promise<LocalSource | null> {
  const { options, args } = session
  const given = ways.filter((way) => options.text(way) !== undefined)
  const [way] = given
  if (way === undefined) return null
  if (given.length > 1 || args[0] !== undefined) {
    throw new RackError('usage', 'a source is a directory, --git, --tgz or --image, and one of them', {
      hint: `rack deploy --${way} …`,
    })
  }
  const top = await mkdtemp(join(tmpdir(), 'rack-source-'))
  const dispose = async () => await rm(top, { recursive: true, force: true })
  try {
    const make = { git: fromGit, tgz: fromArchive, image: fromImage }[way]
    return { directory: await make(top, options.text(way)!, session), [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** `URL`, `URL#REF` or `URL#REF:FOLDER`, as Docker writes it; without the repository's history. */
async function fromGit(top: string, text: string): Promise<string> {
  const [url = '', fragment = ''] = text.split('#', 2)
  const [ref = '', folder = ''] = fragment.split(':', 2)
  const root = join(top, basename(url.replace(/\/+$/, '')).replace(/\.git$/, '') || 'source')
  await fetchRepository(root, { url, ref }).catch((cause: Error) => {
    throw unfetched(text, cause.message)
  })
  const directory = resolve(root, folder)
  if (directory !== root && !directory.startsWith(root + sep))
    throw unfetched(text, 'the folder lies outside')
  return directory
}

function unfetched(text: string, why: string): RackError {
  return new RackError('invalid', `${text} cannot be fetched: ${why}`, {
    hint: 'Write it as URL#REF:FOLDER; git of this machine fetches it, by its own keys: rack deploy --git https://example.com/shop.git#main',
  })
}

/** A tar, packed by gzip or not, from a file or standard input; of one with a single folder at the top that folder. */
async function fromArchive(top: string, file: string, { world }: Session): Promise<string> {
  const name = file === '-' ? basename(world.cwd) : basename(file).replace(/(\.tar)?\.\w+$/, '')
  const root = join(top, name || 'source')
  await mkdir(root)
  const bytes = file === '-' ? world.stdin : createReadStream(resolve(world.cwd, file))
  try {
    const entries = readTar(unzipped(bytes as AsyncIterable<Buffer>))
    await unpackArchive({
      entries,
      base: '.',
      root,
      signal: new AbortController().signal,
      onSkipped: () => undefined,
    })
  } catch (cause) {
    if (cause instanceof RackError) throw cause
    throw new RackError('invalid', `${file} cannot be unpacked: ${(cause as Error).message}`, {
      hint: 'Make it with: tar -czf source.tgz -C DIRECTORY .',
    })
  }
  const [only, ...others] = await readdir(root, { withFileTypes: true })
  return only?.isDirectory() && others.length === 0 ? join(root, only.name) : root
}

async function* unzipped(bytes: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  const { createGunzip } = process.getBuiltinModule('node:zlib')
  const { pipeline, Readable } = process.getBuiltinModule('node:stream')
  const chunks = bytes[Symbol.asyncIterator]()
  const first = await chunks.next()
  const head = first.done ? Buffer.alloc(0) : first.value
  const all = async function* () {
    yield head
    yield* { [Symbol.asyncIterator]: () => chunks }
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) return yield* all()
  const gunzip = createGunzip()
  pipeline(Readable.from(all()), gunzip, () => undefined)
  yield* gunzip as AsyncIterable<Uint8Array>
}

/** A file of one process that runs a ready image. */
async function fromImage(top: string, image: string, { world, options }: Session): Promise<string> {
  const root = join(top, basename(world.cwd) || 'source')
  await mkdir(root)
  await writeFile(join(root, 'docker-compose.yml'), composeOfImage(image, options.text('port') ?? null))
  return root
}
