import type { Shape } from './shape.ts'
import { fromText, refuse } from './value.ts'

/** A form's names are paths (`Actions.member.1.Type`): this is the tree they make. */
interface Branch {
  text?: string
  under: Map<string, Branch>
}

function treeOf(form: URLSearchParams, without: string[]): Branch {
  const root: Branch = { under: new Map() }
  for (const [path, text] of form) {
    if (without.includes(path)) continue
    let branch = root
    for (const step of path.split('.')) {
      const next = branch.under.get(step) ?? { under: new Map() }
      branch.under.set(step, next)
      branch = next
    }
    branch.text = text
  }
  return root
}

const step = (path: string, name: string) => (path === '' ? name : `${path}.${name}`)

function readList(shape: Shape, branch: Branch, path: string): unknown[] {
  // An empty list is written as its name without a value (S).
  if (branch.text === '') return []
  const wrapped = shape.member.xmlFlattened
    ? branch
    : branch.under.get(shape.value.member.xmlName ?? 'member')
  if (!wrapped) return refuse(path, 'must be a list')
  return [...wrapped.under].map(([at, item]) => readBranch(shape.value, item, `${path}[${at}]`))
}

function readMap(shape: Shape, branch: Branch, path: string): object {
  const entries = [...(branch.under.get('entry') ?? refuse(path, 'must be a map')).under.values()]
  return Object.fromEntries(
    entries.map(({ under }) => {
      const key = under.get('key')?.text ?? refuse(path, 'an entry has no key')
      return [key, readBranch(shape.value, under.get('value') ?? { under: new Map() }, `${path}.${key}`)]
    }),
  )
}

function readBranch(shape: Shape, branch: Branch, path: string): unknown {
  if (shape.kind === 'list') return readList(shape, branch, path)
  if (shape.kind === 'map') return readMap(shape, branch, path)
  if (shape.kind !== 'struct' && shape.kind !== 'unit')
    return fromText(shape, branch.text ?? refuse(path, 'has no value'), path)
  const names = new Map([...shape.members].map(([name, member]) => [member.member.xmlName ?? name, name]))
  const read: Record<string, unknown> = {}
  for (const [key, item] of branch.under) {
    const name = names.get(key) ?? refuse(path, `unknown member ${key}`)
    read[name] = readBranch(shape.members.get(name)!, item, step(path, name))
  }
  return read
}

/** What a query form holds, as the SDK's input shape. @throws Refusal */
export function readForm(shape: Shape, form: URLSearchParams): object {
  return readBranch(shape, treeOf(form, ['Action', 'Version']), '') as object
}
