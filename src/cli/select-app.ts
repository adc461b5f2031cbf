import { appNamePattern } from '../domain/app.ts'
import { RackError } from '../domain/error.ts'

/** Where an app's name may come from, the first that is there counts. */
export interface AppSources {
  positional?: string | undefined
  option?: string | undefined
  env: Record<string, string | undefined>
  /** Where `.rack/app` is looked for, upwards, and whose name is the last resort. */
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
  return { name: nameOfDirectory(directory), from: 'directory' }
}

function readAppFile(directory: string): string | null {
  const { readFileSync } = process.getBuiltinModule('node:fs')
  const path = process.getBuiltinModule('node:path')
  for (let folder = directory; ; folder = path.dirname(folder)) {
    try {
      const name = readFileSync(path.join(folder, '.rack/app'), 'utf8').trim()
      if (name !== '') return name
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error
    }
    if (path.dirname(folder) === folder) return null
  }
}

/** `My_App 2` is `my-app-2`. */
function nameOfDirectory(directory: string): string {
  const base = process.getBuiltinModule('node:path').basename(directory)
  const name = base
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
  if (appNamePattern.test(name)) return name
  throw new RackError('usage', `which app? The directory's name, "${base}", cannot be one`, {
    hint: 'Name it with --app NAME, or write it into .rack/app.',
  })
}
