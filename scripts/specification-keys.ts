import { readFileSync } from 'node:fs'

/**
 * `node scripts/specification-keys.ts SCHEMA.json…`: every key path of the JSON schemas of compose files, sorted, as
 * `test/golden/manifest/specification-keys.txt` keeps them. A segment `*` is a name that the user chose, `[]` the items
 * of a list. Which schemas are meant is said in the README beside that file.
 */
interface Schema {
  $ref?: string
  properties?: Record<string, Schema>
  patternProperties?: Record<string, Schema>
  additionalProperties?: boolean | Schema
  items?: Schema
  oneOf?: Schema[]
  anyOf?: Schema[]
  allOf?: Schema[]
  definitions?: Record<string, Schema>
  $defs?: Record<string, Schema>
  id?: string
}

/** Deeper than any key; a schema may hold itself. */
const deepest = 12

function collect(schema: Schema, path: string, root: Schema, found: Set<string>, depth = 0): void {
  if (depth > deepest) return
  const go = (next: Schema, at: string) => collect(next, at, root, found, depth + 1)
  const below = (name: string) => (path === '' ? name : `${path}.${name}`)
  if (schema.$ref) go(resolve(schema.$ref, root), path)
  for (const one of [...(schema.oneOf ?? []), ...(schema.anyOf ?? []), ...(schema.allOf ?? [])]) go(one, path)
  const own = Object.entries(schema.properties ?? {}).filter(([name]) => !name.startsWith('x-'))
  for (const [name, next] of own) {
    found.add(below(name))
    go(next, below(name))
  }
  const named = Object.entries(schema.patternProperties ?? {}).filter(
    ([pattern]) => !pattern.startsWith('^x-'),
  )
  for (const [, next] of named) go(next, below('*'))
  if (typeof schema.additionalProperties === 'object') go(schema.additionalProperties, below('*'))
  if (schema.items) go(schema.items, `${path}[]`)
}

function resolve(reference: string, root: Schema): Schema {
  const [, group, name = ''] = /^#\/(definitions|\$defs)\/(.+)$/.exec(reference) ?? []
  const found = group === '$defs' ? root.$defs?.[name] : root.definitions?.[name]
  if (!found) throw new Error(`the schema names ${reference}, which it does not have`)
  return found
}

const keys = new Set<string>()
for (const file of process.argv.slice(2)) {
  const schema = JSON.parse(readFileSync(file, 'utf8')) as Schema
  const isVersionOne = /(_v1|_v1\.0)\.json$/.test(file)
  const own = new Set<string>()
  collect(schema, '', schema, own)
  // In version 1 the processes are the top level.
  for (const key of own) keys.add(isVersionOne ? `services.${key}` : key)
}
console.log([...keys].sort().join('\n'))
