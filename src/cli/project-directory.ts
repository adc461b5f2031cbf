import { composeFileNames } from '../manifest/files.ts'

/** The directory of the app in which somebody stands: the nearest upwards that has a compose file, as Compose looks; else that one. */
export function projectDirectory(directory: string): string {
  const { existsSync } = process.getBuiltinModule('node:fs')
  const path = process.getBuiltinModule('node:path')
  for (let folder = directory; ; folder = path.dirname(folder)) {
    if (composeFileNames.some((name) => existsSync(path.join(folder, name)))) return folder
    if (path.dirname(folder) === folder) return directory
  }
}
