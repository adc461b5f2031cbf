import type { IForbiddenRuleType } from 'dependency-cruiser'
import { packages, rooms } from './tables.ts'

const unitTest = String.raw`\.test\.ts$`

/** The two tables as rules of dependency-cruiser. */
export function importRules(): IForbiddenRuleType[] {
  return [
    ...Object.keys(rooms).map(roomRule),
    ...Object.entries(packages).map(packageRule),
    {
      name: 'a-package-without-a-room',
      severity: 'error',
      comment: 'Write the package into scripts/imports/tables.ts, with the rooms where it stays.',
      from: { path: '^src/', pathNot: unitTest },
      to: { path: packagePath('*'), pathNot: Object.keys(packages).map(packagePath) },
    },
    {
      name: 'src-imports-its-tests',
      severity: 'error',
      comment: 'Nothing in src knows that it is tested.',
      from: { path: '^src/', pathNot: unitTest },
      to: { path: ['^(test|scripts|bench|examples)/', unitTest] },
    },
    {
      name: 'a-circle',
      severity: 'error',
      comment:
        'Files that need each other are one concept, or hide a third: give that a file, if it is a type too.',
      from: { path: '^(src|scripts|bench)/' },
      to: { circular: true },
    },
    {
      name: 'an-import-of-nothing',
      severity: 'error',
      comment: 'The file or package does not exist.',
      from: { path: '^(src|test|scripts|bench)/' },
      to: { couldNotResolve: true },
    },
  ]
}

function roomRule(room: string): IForbiddenRuleType {
  const allowed = [room, 'src/lib', ...(rooms[room]?.mayImport ?? [])]
  return {
    name: `${room}-imports-beyond-its-doors`,
    severity: 'error',
    comment: `${room} may import ${allowed.join(', ')}.`,
    from: { path: folderPath(room), pathNot: unitTest },
    to: { path: '^src/', pathNot: allowed.map(folderPath) },
  }
}

function packageRule([name, homes]: [string, string[]]): IForbiddenRuleType {
  return {
    name: `${name}-leaves-its-room`,
    severity: 'error',
    comment: `${name} stays in ${homes.join(', ')}.`,
    from: { path: '^src/', pathNot: [unitTest, ...homes.map(folderPath)] },
    to: { path: packagePath(name) },
  }
}

/** A folder, or a single file named without its extension. */
function folderPath(folder: string): string {
  return String.raw`^${folder}(/|\.ts$)`
}

function packagePath(name: string): string {
  if (name === '*') return '(^|/)node_modules/'
  const isPrefix = name.endsWith('*')
  const stem = isPrefix ? name.slice(0, -1) : name
  // Types are published under a second name, and count as the package.
  const types = stem.startsWith('@') ? stem.slice(1).replace('/', '__') : stem
  return isPrefix ? `/?node_modules/(${stem}|@types/${types})` : `/?node_modules/(${stem}|@types/${types})/`
}
