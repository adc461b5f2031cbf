import { nestedKeys } from './nested-keys.ts'
import { serviceKeys } from './service-keys.ts'
import { topLevelKeys } from './top-level-keys.ts'
import { honoured, levelsOf, type RuleTable } from './verdict.ts'

function below(prefix: string, table: RuleTable): RuleTable {
  return Object.fromEntries(Object.entries(table).map(([path, rule]) => [`${prefix}.${path}`, rule]))
}

/** The verdict on every key of a compose file by its path; `*` is a name that the user chose, `[]` the items of a list. */
export const allKeys: RuleTable = {
  ...topLevelKeys,
  'services.*': honoured('a process type'),
  ...below('services.*', serviceKeys),
  ...below('services.*', nestedKeys),
}

/** `allKeys` by levels. */
export const allLevels = levelsOf(allKeys)
