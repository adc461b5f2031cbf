import { appNamePattern } from '../domain/app.ts'
import { RackError } from '../domain/error.ts'
import { createFolderReader } from '../lib/folder-reader.ts'
import { projectDirectory } from './project-directory.ts'

/** Where an app's name may come from, the first that is there counts. */
export interface AppSources {
  positional?: string | undefined
  option?: string | undefined
  env: Record<string, string | undefined>
  /** Where `.rack/app` is looked for, upwards, and then a compose file, whose directory's name is the last resort. */
  directory: string
}

export interface SelectedApp {
  name: string
  /** `directory` is a guess; the others were said by somebody. */
  from: 'argument' | '--app' | 'RACK_APP' | '.rack/app' | 'directory'
}

/** The app of a command. @throws usage when the directory's name cannot be one and nothing else says it */
export function selectApp({ positional, option, env, directory }: AppSources): SelectedApp {
  if (positional !== undefined) return { name: positional, from: 'argument' }
  if (option !== undefined) return { name: option, from: '--app' }
  if (env['RACK_APP']) return { name: env['RACK_APP'], from: 'RACK_APP' }
  const written = readAppFile(directory)
  if (written !== null) return { name: written, from: '.rack/app' }
  return { name: nameOfDirectory(projectDirectory(directory)), from: 'directory' }
}

function readAppFile(directory: string): string | null {
  const path = process.getBuiltinModule('node:path')
  for (let folder = directory; ; folder = path.dirname(folder)) {
    const name = readNameIn(folder)
    if (name) return name
    if (path.dirname(folder) === folder) return null
  }
}

/** The folder may be somebody else's. @throws usage for what is no file, or a link that leads out */
function readNameIn(folder: string): string | null {
  try {
    return createFolderReader(folder).read('.rack/app', longestNameBytes)?.toString('utf8').trim() ?? null
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((cause as NodeJS.ErrnoException).code ?? '')) return null
    throw new RackError('usage', `${folder}/.rack/app cannot be read: ${(cause as Error).message}`, {
      hint: 'Mend it, or name the app with --app NAME.',
      cause,
    })
  }
}

const longestNameBytes = 1024

/** `My_App 2` is `my-app-2`. */
function nameOfDirectory(directory: string): string {
  const base = process.getBuiltinModule('node:path').basename(directory)
  const name = base
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
  if (appNamePattern.test(name)) return name
  throw new RackError('usage', `which app? The directory's name, "${base}", cannot be one`, {
    hint: 'An app has 3 to 30 lower-case letters, digits and dashes, a letter first. Name it with --app NAME, or write it into .rack/app.',
  })
}
